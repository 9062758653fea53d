"""What runs inside a sandbox: supervisor, candidate zygote, judge. Standard library only.

These modules are sent into the sandbox as source text when it starts (see
:mod:`monitor.sandbox.bundle`), so that nothing of ours has to be baked into an image. They import
nothing from the rest of the package, and only each other by relative imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys

from monitor.sandbox import bundle
from monitor.sandbox.links import framed


def test_what_runs_inside_imports_the_standard_library_and_itself_only() -> None:
    for name, source in bundle.modules().items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                roots = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = [str(node.module).partition(".")[0]]
            else:
                continue
            assert set(roots) <= sys.stdlib_module_names, name


def test_the_sources_become_modules_again_on_the_other_side() -> None:
    message = framed(bundle.boot_message("inside.wording:printable", "a\x00b"))
    command = [sys.executable, *bundle.INTERPRETER_OPTIONS, bundle.BOOT]
    done = subprocess.run(command, input=message, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_digest_changes_with_the_sources() -> None:
    assert len(bundle.digest()) == 64
    assert {"inside", "inside.supervisor", "inside.judge", "inside.candidate"} <= set(bundle.modules())

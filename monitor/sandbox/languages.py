"""The languages a sandbox can run, each a small declared record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How programs of one language are checked and run; they share one file with their tests."""

    name: str
    file_name: str
    """What source, tests and the last line are written to."""
    run: tuple[str, ...]
    """Command that runs the file."""
    finish: str
    """Last line of the file: prints NONCE, by which the judge sees that the tests came to their end."""
    out_of_memory: str
    """Regular expression for the line with which the interpreter gives up for want of memory, in a form that
    no message about something else quotes."""
    check: tuple[str, ...] = ()
    """Command that fails when the file does not compile; empty when running it is the only way."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def order(self) -> dict[str, Any]:
        """As the supervisor is told."""
        return {
            "file_name": self.file_name,
            "compile": list(self.check),
            "run": list(self.run),
            "finish": self.finish,
            "out_of_memory": self.out_of_memory,
            "environment": self.environment,
        }


_TCL_CHECK = "echo 'set file [open program.tcl]; exit [expr {![info complete [read $file]]}]' | tclsh"
"""Tcl has no grammar to check but this: whether braces, brackets and quotes that open are closed."""

_GUILE_CHECK = (
    "(use-modules (system base compile)) "
    '(call-with-input-file "program.scm" (lambda (port) '
    "(read-and-compile port #:from 'scheme #:to 'tree-il #:env (make-fresh-user-module))))"
)
"""Reads the program and expands its macros, without running it."""

LANGUAGES = {
    language.name: language
    for language in (
        Language(
            name="ruby",
            file_name="program.rb",
            check=("ruby", "-c", "program.rb"),
            run=("ruby", "--disable=gems", "program.rb"),
            finish='STDOUT.write("\\nNONCE\\n"); STDOUT.flush',
            out_of_memory=r"failed to allocate memory \(NoMemoryError\)$|^\[FATAL\] failed to allocate",
        ),
        Language(
            name="lua",
            file_name="program.lua",
            check=("luac5.4", "-p", "program.lua"),
            run=("lua5.4", "program.lua"),
            finish='io.write("\\nNONCE\\n") io.flush()',
            out_of_memory=r"^luac?5\.4: not enough memory",
        ),
        Language(
            name="perl",
            file_name="program.pl",
            check=("perl", "-c", "program.pl"),
            run=("perl", "program.pl"),
            finish='$| = 1; print STDOUT "\\nNONCE\\n";',
            out_of_memory=r"^Out of memory!|^Out of memory in perl:",
        ),
        Language(
            name="tcl",
            file_name="program.tcl",
            check=("sh", "-c", _TCL_CHECK),
            run=("tclsh", "program.tcl"),
            finish='puts "\\nNONCE"; flush stdout',
            out_of_memory=r"out of memory allocating|unable to (?:re)?alloc \d+ bytes",
        ),
        Language(
            name="awk",
            file_name="program.awk",
            # Printing the program parses it and does not run it.
            check=("gawk", "-o/dev/null", "-f", "program.awk"),
            run=("gawk", "-f", "program.awk"),
            # Not END: that runs after an early exit, too.
            finish='BEGIN { printf "\\nNONCE\\n" }',
            out_of_memory=r"^gawk: .*fatal: .*cannot (?:re)?allocate \d",
        ),
        Language(
            name="scheme",
            file_name="program.scm",
            check=("guile", "--no-auto-compile", "-c", _GUILE_CHECK),
            run=("guile", "--no-auto-compile", "program.scm"),
            finish='(display "\\nNONCE\\n") (force-output)',
            out_of_memory=r"^GC Warning: Out of Memory!|^Too many heap sections",
        ),
        Language(
            name="racket",
            file_name="program.rkt",
            run=("racket", "program.rkt"),
            finish='(display "\\nNONCE\\n") (flush-output)',
            out_of_memory=r"^out of memory",
        ),
        Language(
            name="r",
            file_name="program.R",
            check=("Rscript", "--vanilla", "-e", "invisible(parse('program.R'))"),
            run=("Rscript", "--vanilla", "program.R"),
            finish='cat("\\nNONCE\\n")',
            out_of_memory=r"^Error: cannot allocate (?:vector|memory|buffer)",
        ),
        Language(
            name="shell",
            file_name="program.sh",
            check=("bash", "-n", "program.sh"),
            run=("bash", "program.sh"),
            finish="printf '\\nNONCE\\n'",
            out_of_memory=r"x(?:m|re)alloc: cannot allocate \d|: fork: Cannot allocate memory",
        ),
    )
}

"""What is known of a programming language's texts: its names, its stops and how it defines a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """The little of a language's syntax by which a program is found in an answer."""

    title: str
    """How people write the language's name."""
    stops: tuple[str, ...]
    """Texts that begin something new at the margin: a completion of one function ends there."""
    definition: str
    """Regular expression of a definition; ``NAME`` stands for the escaped name."""
    tags: tuple[str, ...] = ()
    """Words on fences that mean this language, beside its own name."""
    imports: str = ""
    """Regular expression of the start of a line that brings in a library; empty when we know none."""
    ends: tuple[str, ...] = ()
    """Lines behind which nothing is code: tests that follow a program would not be, either."""
    stub: str = ""
    """A definition of ``NAME`` that takes any arguments and gives ``VALUE``; empty when we know none."""
    constants: tuple[str, ...] = ()
    """Values for the stub: nothing, the plainest of each kind, and the first argument."""

    def stubs(self, name: str) -> list[tuple[str, str]]:
        """Definitions of a name that know nothing of its task, each behind the value that it gives."""
        return [
            (constant, self.stub.replace("VALUE", constant).replace("NAME", name))
            for constant in (self.constants if self.stub else ())
        ]

    def defines(self, code: str, name: str) -> bool:
        """Whether the code defines the name at its outermost level."""
        return self.first_definition(code, name) is not None

    def first_definition(self, code: str, name: str) -> int | None:
        """Offset of the line that defines the name first; None when none does."""
        if not name:
            return None
        pattern = self.definition.replace("NAME", re.escape(name))
        match = re.search(pattern, code, re.MULTILINE)
        return match.start() if match else None


_LISP = r"^[ \t]*\((?:define|define\*|define-values|define-syntax|defun)\s+\(*NAME(?=[\s()])"
# Blanks are matched in one way only: strangers' text must not make the search slow.
_FUNCTION = r"^[ \t]*(?:[\w.:<>*&\[\],][\w.:<>*&\[\], ]*\s)?NAME\s*\("


def _lisp(title: str, *tags: str) -> Syntax:
    return Syntax(
        title=title,
        tags=tags,
        imports=r"#lang\b|\((?:require|use-modules|import)\b",
        stops=("\n(define ", "\n;", "\n#|", "\n```"),
        definition=_LISP,
        stub="(define (NAME . args) VALUE)\n",
        constants=("#f", "0", '""', "'()", "#t", "(if (pair? args) (car args) #f)"),
    )


SYNTAXES: Mapping[str, Syntax] = {
    PYTHON: Syntax(
        title="Python",
        tags=("py", "py3", "python3", "python2"),
        imports=r"import[ \t]|from[ \t]",
        stops=("\ndef ", "\nclass ", "\nasync def ", "\n@", "\nif ", "\nprint(", "\nassert ", "\n#", "\n```"),
        definition=r"^(?:async[ \t]+def|def|class)[ \t]+NAME\b|^NAME[ \t]*(?::[^=\n]+)?=(?!=)",
        stub="def NAME(*args, **kwargs):\n    return VALUE\n",
        constants=("None", "0", "''", "[]", "True", "False", "args[0] if args else None"),
    ),
    "ruby": Syntax(
        title="Ruby",
        tags=("rb",),
        imports=r"require(?:_relative)?\b",
        stops=("\ndef ", "\nclass ", "\nmodule ", "\nputs ", "\n#", "\n```"),
        definition=r"^[ \t]*(?:def[ \t]+(?:self\.)?NAME(?![\w?!])|(?:class|module)[ \t]+NAME\b)",
        ends=("\n__END__\n",),
        stub="def NAME(*args, **named, &block)\n  VALUE\nend\n",
        constants=("nil", "0", "''", "[]", "true", "false", "args[0]"),
    ),
    "lua": Syntax(
        title="Lua",
        imports=r"local[ \t]+\w+[ \t]*=[ \t]*require\b",
        stops=("\nfunction ", "\nlocal function ", "\nprint(", "\n--", "\n```"),
        definition=r"^[ \t]*(?:local[ \t]+)?"
        r"(?:function[ \t]+(?:[\w.]+[.:])?NAME\b|NAME[ \t]*=[ \t]*function\b)",
        stub="function NAME(...)\n  return VALUE\nend\n",
        constants=("nil", "0", "''", "{}", "true", "false", "(...)"),
    ),
    "perl": Syntax(
        title="Perl",
        tags=("pl",),
        imports=r"(?:use|no)[ \t]",
        stops=("\nsub ", "\nprint ", "\n#", "\n__END__", "\n```"),
        definition=r"^[ \t]*sub[ \t]+NAME\b",
        ends=("\n__END__\n", "\n__DATA__\n"),
        stub="sub NAME { return VALUE }\n",
        constants=("()", "undef", "0", "''", "[]", "1", "$_[0]"),
    ),
    "tcl": Syntax(
        title="Tcl",
        imports=r"package[ \t]+require\b",
        stops=("\nproc ", "\nputs ", "\n#", "\n```"),
        definition=r"^[ \t]*proc[ \t]+(?:::)?NAME(?=\s)",
        stub="proc NAME {args} { return VALUE }\n",
        constants=("{}", "0", "1", "[lindex $args 0]"),
    ),
    "racket": _lisp("Racket", "rkt"),
    "scheme": _lisp("Scheme", "scm", "guile"),
    "awk": Syntax(
        title="AWK",
        tags=("gawk",),
        stops=("\nfunction ", "\nBEGIN", "\nEND", "\n#", "\n```"),
        definition=r"^[ \t]*func(?:tion)?[ \t]+NAME[ \t]*\(",
        stub="function NAME(a, b, c, d, e, f, g, h) { return VALUE }\n",
        constants=('""', "0", "1", "a"),
    ),
    "shell": Syntax(
        title="POSIX shell",
        tags=("sh", "bash", "zsh"),
        imports=r"(?:source|\.)[ \t]",
        stops=("\necho ", "\n#", "\n```"),
        definition=r"^[ \t]*(?:function[ \t]+NAME\b|NAME[ \t]*\(\))",
        stub="NAME() { VALUE; }\n",
        constants=(":", "false", "echo", "echo 0", 'echo "$1"'),
    ),
    "r": Syntax(
        title="R",
        imports=r"(?:library|require)\(",
        stops=("\nprint(", "\ncat(", "\n#", "\n```"),
        definition=r"^[ \t]*NAME[ \t]*(?:<-|=)[ \t]*(?:function\b|\\\()",
    ),
    "erlang": Syntax(title="Erlang", stops=("\n-", "\n%", "\n```"), definition=r"^NAME\("),
    "fortran": Syntax(
        title="Fortran",
        tags=("f90",),
        stops=("\nprogram ", "\n```"),
        definition=r"(?i)\b(?:function|subroutine)[ \t]+NAME\b",
    ),
    "javascript": Syntax(
        title="JavaScript",
        tags=("js", "node"),
        imports=r"import\b|(?:const|let|var)[ \t][^=\n]*=[ \t]*require\(",
        stops=("\nfunction ", "\nconst ", "\nconsole.", "\n//", "\n/*", "\n```"),
        definition=r"^[ \t]*(?:export[ \t]+)?(?:(?:async[ \t]+)?function\*?[ \t]+NAME\b"
        r"|(?:const|let|var)[ \t]+NAME[ \t]*=|class[ \t]+NAME\b)",
    ),
}
"""Languages that Tailwatch knows by name; others work through :func:`syntax_of`'s fallback."""

_TAGS: Mapping[str, str] = {
    **{tag: language for language, syntax in SYNTAXES.items() for tag in syntax.tags},
    "ts": "typescript",
}

NO_LANGUAGES = frozenset({"text", "txt", "plaintext", "output", "console", "markdown", "md", "json", "yaml"})
"""Words on fences around what is no program."""


def language_of(tag: str) -> str:
    """The language that a word on a fence, or a benchmark's record, means; unknown words as they are.

    >>> language_of("py"), language_of("go")
    ('python', 'go')
    """
    return _TAGS.get(tag, tag)


def syntax_of(language: str) -> Syntax:
    """The syntax of a language; for an unknown one, what C and its heirs have in common."""
    known = SYNTAXES.get(language)
    if known is not None:
        return known
    return Syntax(title=language.capitalize(), stops=("\n```",), definition=_FUNCTION)

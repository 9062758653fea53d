"""How common programming languages are.

Share of all pushes to public GitHub repositories from the second quarter of 2012 to the third of 2022,
by the repository's main language: GitHut 2.0 (https://github.com/madnight/githut, commit 401c43b,
``src/data/gh-push-event.json``, 133 662 680 pushes in 199 languages). A push is not a file, and a
repository's second language is not seen: AWK, never anybody's main language, is not in the list, and
is given the smallest share that is.
"""

from __future__ import annotations

from collections.abc import Mapping

SOURCE = "GitHut 2.0, pushes to GitHub by main language, 2012-Q2 to 2022-Q3, commit 401c43b"

SHARES: Mapping[str, float] = {
    "c": 0.0417,
    "cpp": 0.0701,
    "csharp": 0.0346,
    "erlang": 0.00204,
    "fortran": 0.000686,
    "go": 0.0349,
    "java": 0.108,
    "javascript": 0.175,
    "kotlin": 0.00573,
    "lua": 0.00542,
    "perl": 0.00509,
    "php": 0.0725,
    "python": 0.135,
    "r": 0.00381,
    "racket": 0.000203,
    "ruby": 0.0476,
    "rust": 0.0067,
    "scala": 0.0114,
    "scheme": 0.000615,
    "shell": 0.0274,
    "swift": 0.00975,
    "tcl": 0.00024,
    "typescript": 0.0299,
}

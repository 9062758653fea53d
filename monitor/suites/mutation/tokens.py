"""Mutants of programs in languages that we have no parser for, by their tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from monitor.suites.mutation.brackets import Edit, bracket_changes
from monitor.suites.mutation.mutant import Mutant, Mutation, mutant
from monitor.suites.mutation.vocabulary import Vocabulary

_NUMBER = r"(?<![\w.$#&])\d+(?:\.\d+)?(?![\w.>])"
_WORD = r"(?:(?<=\s)-|#)?[A-Za-z_][\w-]*[?!]?"
_OPERATOR = r"[-+*/%<>=!~&|^.]+"
_CALL = re.compile(r"(?<=\()([$@\w.]+)(,\s*)([$@\w.]+)(?=[,)])")
_SPACESHIP = re.compile(r"([$\w.\[\]{}>-]+)( <=> | cmp )([$\w.\[\]{}>-]+)")
_LISP_CALL = re.compile(r"(?<=\()((?!define|let|lambda|set!|\+|\*|=)[^\s()]+ )([^\s()]+)( )([^\s()]+)(?=\))")
_COMPLAINT = re.compile(r"\b(?:raise|die|croak|confess|error|throw|warn|fail|assert)\b")
"""Lines that tell of an error, whose wording is rarely asked for."""

_KINDS = {
    **dict.fromkeys(
        ("<", "<=", ">", ">=", "==", "!=", "~=", "=", "~", "!~", "eq", "ne"), Mutation.COMPARISON
    ),
    **dict.fromkeys(("lt", "le", "gt", "ge", "in", "ni"), Mutation.COMPARISON),
    **dict.fromkeys(("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-n", "-z"), Mutation.COMPARISON),
    **dict.fromkeys(("&&", "||", "and", "or"), Mutation.LOGIC),
    **dict.fromkeys(("if", "unless", "when", "not"), Mutation.CONDITION),
    **dict.fromkeys(("true", "false", "#t", "#f"), Mutation.CONSTANT),
    **dict.fromkeys(("next", "break", "last", "continue"), Mutation.STATEMENT),
}


def token_mutants(prompt: str, solution: str, vocabulary: Vocabulary) -> Iterator[Mutant]:
    """Mutants of a program, those first that change a token; duplicates included.

    Only what the solution says is changed, never the prompt. They need not compile.
    """
    yield from _mutants(prompt, solution, _changes(solution, vocabulary))


def further_token_mutants(prompt: str, solution: str, vocabulary: Vocabulary) -> Iterator[Mutant]:
    """More mutants of a program, for one that has few others: calls, elements and branches left out."""
    code = _without_comments(solution, vocabulary)
    edits = bracket_changes(
        code, _with_blank_texts(code, vocabulary), lisp=vocabulary.lisp, nothing=vocabulary.nothing
    )
    yield from _mutants(prompt, solution, edits)


def _mutants(prompt: str, solution: str, edits: Iterable[Edit]) -> Iterator[Mutant]:
    for kind, start, end, text in edits:
        mutated = solution[:start] + text + solution[end:]
        at = solution.count("\n", 0, start)
        before = solution.split("\n")[at]
        after = "" if kind is Mutation.STATEMENT and not text else mutated.split("\n")[at]
        line = prompt.count("\n") + at + 1
        yield mutant(kind, line, (before, after), prompt + mutated)


def _changes(solution: str, vocabulary: Vocabulary) -> Iterator[Edit]:
    code = _without_comments(solution, vocabulary)
    yield from _token_changes(code, vocabulary)
    yield from _swapped(code, vocabulary)
    yield from _left_out_lines(code, vocabulary)


def _without_comments(solution: str, vocabulary: Vocabulary) -> str:
    """The text with blanks in place of comments, so that offsets stay."""
    return _pattern(vocabulary).sub(
        lambda match: re.sub(r"[^\n]", " ", match[0]) if match.lastgroup == "comment" else match[0], solution
    )


def _with_blank_texts(code: str, vocabulary: Vocabulary) -> str:
    """The code with blanks inside its text literals."""
    return _pattern(vocabulary).sub(
        lambda match: (
            match[0][0] + " " * (len(match[0]) - 2) + match[0][-1] if match.lastgroup == "text" else match[0]
        ),
        code,
    )


@lru_cache
def _pattern_of(comment: str, text: str) -> re.Pattern[str]:
    return re.compile(
        f"(?P<text>{text})|(?P<comment>{comment})|(?P<number>{_NUMBER})|(?P<word>{_WORD})|(?P<operator>{_OPERATOR})",
        re.MULTILINE | re.DOTALL,
    )


def _pattern(vocabulary: Vocabulary) -> re.Pattern[str]:
    return _pattern_of(vocabulary.comment, vocabulary.text)


def _token_changes(code: str, vocabulary: Vocabulary) -> Iterator[Edit]:
    for match in _pattern(vocabulary).finditer(code):
        start, end, token = match.start(), match.end(), match[0]
        if match.lastgroup == "text":
            if len(token) > 2 and not _COMPLAINT.search(_line_around(code, start)):
                yield Mutation.CONSTANT, start, end, token[0] + token[-1]
        elif match.lastgroup == "number":
            for other in _one_off(token):
                yield Mutation.CONSTANT, start, end, other
        elif match.lastgroup == "word" or _stands_alone(code, start, end, lisp=vocabulary.lisp):
            kind = Mutation.NAME if match.lastgroup == "word" else Mutation.ARITHMETIC
            for other in vocabulary.swaps.get(token, ()):
                yield _KINDS.get(token, kind), start, end, other


def _one_off(number: str) -> tuple[str, str]:
    whole, dot, part = number.partition(".")
    return f"{int(whole) + 1}{dot}{part}", f"{int(whole) - 1}{dot}{part}"


def _stands_alone(code: str, start: int, end: int, *, lisp: bool) -> bool:
    """Whether an operator stands where it can only be one, and not part of a pattern or a redirection."""
    before, behind = code[start - 1 : start], code[end : end + 1]
    return behind.isspace() and (before == "(" if lisp else before.isspace())


def _line_around(code: str, at: int) -> str:
    return code[code.rfind("\n", 0, at) + 1 :].partition("\n")[0]


def _swapped(code: str, vocabulary: Vocabulary) -> Iterator[Edit]:
    if vocabulary.lisp:
        for match in _LISP_CALL.finditer(code):
            yield Mutation.ARGUMENTS, match.start(), match.end(), match[1] + match[4] + match[3] + match[2]
        return
    for pattern in (_CALL, _SPACESHIP):
        for match in pattern.finditer(code):
            yield Mutation.ARGUMENTS, match.start(), match.end(), match[3] + match[2] + match[1]


def _left_out_lines(code: str, vocabulary: Vocabulary) -> Iterator[Edit]:
    start, continued = 0, False
    for line in code.splitlines(keepends=True):
        end = start + len(line)
        words = re.findall(r"\w+", line)
        is_block = bool(words) and (words[0] in vocabulary.blocks or words[-1] in vocabulary.blocks)
        ends_open = line.rstrip().endswith(("\\", ",", "{", "(", "["))
        if line.strip() and not is_block and not continued and not ends_open and _is_balanced(line):
            yield Mutation.STATEMENT, start, end, ""
        start, continued = end, ends_open and line.rstrip().endswith(("\\", ","))


def _is_balanced(line: str) -> bool:
    """Whether brackets that are opened are closed, in this order."""
    depth = 0
    for character in line:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0

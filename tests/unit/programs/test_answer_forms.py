"""From the answers of many models' habits to their programs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.samples import Execution, FinishReason, Invalidity, Outcome, Program, SamplingPlan, Style
from monitor.programs.assembly import assemble
from tests.unit.programs.answer_forms import FORMS, PROMPTS, Form
from tests.unit.suites.suite_files import a_completion, a_task

CHAT = SamplingPlan(style=Style.CHAT)


def assembled(form: Form, text: str) -> Program | Execution:
    task = a_task(prompt=form.prompt or PROMPTS[form.language], language=form.language)
    plan = SamplingPlan(style=Style.CHAT, reasoning=form.marks)
    return assemble(task, a_completion(text, form.finish), plan)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}: {form.title}")
def test_the_right_program_is_found_in_every_form(form: Form) -> None:
    found = assembled(form, form.text)
    if form.expected:
        assert isinstance(found, Program), found
        assert found.source.strip("\n") == form.source
    else:
        assert isinstance(found, Execution), found
        assert found.outcome is Outcome.REJECTED
        assert found.detail.startswith(form.detail)
        assert Invalidity.of(found.detail) is not None


def test_the_table_is_wide_enough() -> None:
    assert len(FORMS) >= 60
    assert len({form.family.partition("-")[0] for form in FORMS}) >= 10
    assert len({(form.family, form.title) for form in FORMS}) == len(FORMS)


# ---------------------------------------------------------------------------------------- properties

_NAMES = st.sampled_from(["n", "rest", "total"])
_STATEMENTS = st.sampled_from(
    [
        '    """Double it.\n\n    ```\n    double(1)\n    ```\n    """\n',
        "    # see ``` and ~~~\n",
        "    text = '</s>' + '<|im_end|>'\n",
        "    mark = '<think>'\n",
        "    s = '''\n```\n'''\n".replace("\n```\n", "\n    ```\n"),
        "    if x > 1:\n        x += 0\n",
        "    y = [n for n in range(3)]\n",
        "\n",
    ]
)
_HEADS = st.sampled_from(
    ["", "import math\n\n\n", "def helper(a):\n    return a\n\n\n", "LIMIT = 3\n\n\n@staticmethod\n"]
)
_PROGRAMS = st.builds(
    lambda head, body, end: f"{head}def double(x):\n{''.join(body)}    return {end}\n",
    _HEADS,
    st.lists(_STATEMENTS, max_size=4),
    st.sampled_from(["2 * x", "x + x", "x << 1"]),
)
_AROUND_ANY = [
    form
    for form in FORMS
    if form.expected == "@" and form.language == "python" and ("@" in form.answer or "¤" in form.answer)
]


@settings(deadline=None, max_examples=300)
@given(_PROGRAMS, st.sampled_from(_AROUND_ANY))
def test_a_program_comes_back_unchanged_from_every_form(program: str, form: Form) -> None:
    found = assembled(form, form.filled(form.answer, program))
    assert isinstance(found, Program), found
    assert found.source.strip("\n") == program.strip("\n")


_PIECES = st.sampled_from(
    [
        *("```", "```python\n", "~~~", "````", "\n", "> ", "- ", "    ", "`", "(", "'", '"', "@", "&lt;"),
        *("<think>", "</think>", "[THINK]", "<|channel|>final<|message|>", "<|channel|>analysis<|message|>"),
        *("analysisWe", "assistantfinal", "<|im_end|>", "</s>", "<answer>", "</answer>"),
        *("<pre>", "<code>", "</code>", "[PYTHON]", "[/PYTHON]", "\\begin{verbatim}", "\\end{verbatim}"),
        *("def double(x):\n", "    return 2 * x\n", "import math\n", "x = input()\n", ">>> ", "... "),
        *("\x00", "\ud83d", "class A:\n", "text "),
    ]
)


@settings(deadline=None, max_examples=500)
@given(
    st.lists(_PIECES, max_size=25).map("".join) | st.text(max_size=120),
    st.sampled_from(Style),
    st.sampled_from([FinishReason.STOP, FinishReason.LENGTH]),
    st.sampled_from(["python", "ruby", "racket", "go"]),
)
def test_the_rule_never_fails_and_repeats_itself(
    text: str, style: Style, finish: FinishReason, language: str
) -> None:
    task, plan = a_task(language=language), SamplingPlan(style=style)
    first = assemble(task, a_completion(text, finish), plan)
    assert first == assemble(task, a_completion(text, finish), plan)


_REPEATED = (
    *("`", "```", "```\n", "```python\n", "```python\nx```\n", "~~~", "~~~\n```\n", "''' ```\n", "`x` "),
    *("> ", ">", " ", "\t", "- ", "1. ", "\n", "a ", "x\n", "(", "'", "&lt;", "!a\n", "@a\n"),
    *("<think>\n", "</think>\n", "<think>\n</think>\n", "[THINK]", "<|", "<|channel|>final", "<|im_end|>"),
    *("<code>", "<pre>", "<pre><code>", "[PYTHON]", "\\begin{verbatim}", "<answer>\n"),
    *("Here is my response:\n", ">>> def double(x):\n", "def double(x):\n", "def double(x):\n    pass\n"),
    "```python\ndef double(x):\n    pass\n```\n",
)


@pytest.mark.parametrize("piece", _REPEATED)
def test_strange_text_takes_time_in_proportion(piece: str) -> None:
    # Quadratic time would be minutes; this takes up to 0.4 s.
    assert seconds_for(piece * (2**17 // len(piece))) < 5


@pytest.mark.parametrize("piece", ["`x` ", "<code>x\n", "```python\ndef double(x):\n    pass\n```\n"])
def test_a_megabyte_takes_seconds(piece: str) -> None:
    assert seconds_for(piece * (2**20 // len(piece))) < 20


def seconds_for(text: str) -> float:
    started_s = time.process_time()
    assemble(a_task(), a_completion(text), CHAT)
    return time.process_time() - started_s

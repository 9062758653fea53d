from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.samples import Execution, FinishReason, Outcome, Program, SamplingPlan, Style
from monitor.domain.tasks import TaskKind
from monitor.programs.assembly import assemble, reference_program
from tests.unit.suites.suite_files import a_completion, a_task

HUMANEVAL_PROMPT = (
    "from typing import List\n\n\ndef helper(x: int) -> int:\n    return x\n\n\n"
    'def double(xs: List[int]) -> List[int]:\n    """Double them.\n    """\n'
)


def source(text: str, style: Style = Style.CHAT, **about_task: str) -> str:
    assembled = assemble(a_task(**about_task), a_completion(text), SamplingPlan(style=style))
    assert isinstance(assembled, Program)
    return assembled.source


def rejected(text: str, style: Style = Style.CHAT) -> str:
    assembled = assemble(a_task(), a_completion(text), SamplingPlan(style=style))
    assert isinstance(assembled, Execution)
    assert assembled.outcome is Outcome.REJECTED
    return assembled.detail


def test_the_reference_makes_a_program_that_works() -> None:
    program = reference_program(a_task())
    names: dict[str, object] = {}
    exec(program.source + program.test + "\ncheck(double)", names)
    assert program.limits.cpu_s == 3.0


def test_a_completion_follows_the_prompt_up_to_a_stop() -> None:
    text = "    return 2 * x\n\ndef another():\n    pass"
    assert source(text, Style.COMPLETION) == "def double(x):\n    return 2 * x\n"


def test_a_tasks_own_stops_replace_the_languages() -> None:
    task = a_task(stop=("# end",))
    text = "    return g(x)\n\ndef g(x):\n    return 2 * x\n# end"
    assembled = assemble(task, a_completion(text), SamplingPlan(style=Style.COMPLETION))
    assert isinstance(assembled, Program)
    assert "def g(x)" in assembled.source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Sure!\n```python\ndef double(x):\n    return x + x\n```\nDone.",
            "def double(x):\n    return x + x\n",
            id="prose around",
        ),
        pytest.param(
            "```\nprint(double(3))\n```\nor\n```python\ndef double(x):\n    return 1\n```",
            "def double(x):\n    return 1\n",
            id="the block that defines the entry point",
        ),
        pytest.param(
            "```python\ndef double(x) return x\n```\nFixed:\n```python\ndef double(x):\n    return 2\n```",
            "def double(x):\n    return 2\n",
            id="of two definitions the one that parses",
        ),
        pytest.param(
            "```python\ndef double(x):\n    return 1\n```\nAlternatively:\n"
            "```python\ndef double(x):\n    return 2\n```",
            "def double(x):\n    return 2\n",
            id="of two good definitions the last",
        ),
        pytest.param("```python\n    return 3\n```", "def double(x):\n    return 3\n", id="a body"),
        pytest.param(
            "```python\ny = x\nreturn y + y\n```",
            "def double(x):\n    y = x\n    return y + y\n",
            id="a body at the margin",
        ),
        pytest.param(
            "```\nreturn 1\n```\n```\n    y = 2 * x\n    return y\n```\n```\nnot python at all, that is\n```",
            "def double(x):\n    y = 2 * x\n    return y\n",
            id="the longest that parses",
        ),
        pytest.param(
            "```python\ndef double(x):\n    return 2", "def double(x):\n    return 2\n", id="unclosed"
        ),
        pytest.param(
            "```python\r\ndef double(x):\r\n\treturn 2\r\n```\r\n",
            "def double(x):\n\treturn 2\n",
            id="CRLF, tabs",
        ),
        pytest.param("```\rdef double(x):\r\treturn 2\r```\r", "def double(x):\n\treturn 2\n", id="CR, tabs"),
        pytest.param(
            "```python\ndef double(x):\n```\nbecomes\n```python\ndef double(x):\n    return 2\n```",
            "def double(x):\n    return 2\n",
            id="the signature alone, then all of it",
        ),
        pytest.param(
            "1. First:\n\n   ```python\n   def double(x):\n       return 2\n   ```\n2. Then run it:\n\n"
            "   ```python\n   double(1)\n   ```",
            "def double(x):\n    return 2\n",
            id="blocks in a numbered list",
        ),
        pytest.param(
            "```python\ndef double(x):\n    return 2\n```\n```\n>>> double(1)\n2\n```\n"
            "~~~text\ndef double(x) is done\n~~~",
            "def double(x):\n    return 2\n",
            id="transcripts and tildes behind it",
        ),
        pytest.param(
            "```python\ndouble = lambda x: 2 * x\n```",
            "double = lambda x: 2 * x\n",
            id="a lambda of that name",
        ),
        pytest.param(
            "```python\nasync def double(x):\n    return 2\n```",
            "async def double(x):\n    return 2\n",
            id="asynchronous",
        ),
        pytest.param(
            "```python\ndef double(\n    x: int,\n) -> int:\n    return 2\n```",
            "def double(\n    x: int,\n) -> int:\n    return 2\n",
            id="a signature over several lines",
        ),
        pytest.param(
            "````markdown\n```python\ndef double(x):\n    return 2\n```\n````\n"
            "```python\ndef double(x):\n    return 3\n```",
            "def double(x):\n    return 3\n",
            id="a fence inside a fence is text",
        ),
        pytest.param(
            "<think>\n```python\ndef double(x):\n    return 0\n```\n</think>\n"
            "```python\ndef double(x):\n    return 2\n```",
            "def double(x):\n    return 2\n",
            id="code in the reasoning",
        ),
        pytest.param(
            "def double(x):\n    return 2\n\nThis doubles the number.",
            "def double(x):\n    return 2\n\n",
            id="no fence",
        ),
        pytest.param("    return 2\n", "def double(x):\n    return 2", id="no fence, only a body"),
    ],
)
def test_a_chat_answer_gives_its_program(text: str, expected: str) -> None:
    assert source(text) == expected


def test_a_repeated_signature_keeps_what_the_prompt_gave_before_it() -> None:
    answer = "```python\ndef double(xs: List[int]) -> List[int]:\n    return [2 * helper(x) for x in xs]\n```"
    assembled = source(answer, prompt=HUMANEVAL_PROMPT)
    names: dict[str, object] = {}
    exec(assembled + "\nresult = double([1, 2])", names)
    assert names["result"] == [2, 4]
    assert assembled.count("def double") == 1


def test_future_imports_stay_in_front() -> None:
    answer = "```python\nfrom __future__ import annotations\n\ndef double(xs):\n    return xs\n```"
    compile(source(answer, prompt=HUMANEVAL_PROMPT), "program", "exec")


def test_a_decorator_in_the_prompt_is_not_left_alone() -> None:
    given_prompt = "import functools\n\n@functools.cache\ndef double(x):\n"
    answer = "```python\n@functools.cache\ndef double(x):\n    return 2 * x\n```"
    assert source(answer, prompt=given_prompt).count("@") == 1


def test_other_languages_do_not_get_their_header_twice() -> None:
    given_prompt = "#lang racket\n;; Double x\n(define (double x)"
    answer = "```racket\n#lang racket\n(define (double x) (* 2 x))\n```"
    assert (
        source(answer, prompt=given_prompt, language="racket")
        == "#lang racket\n(define (double x) (* 2 x))\n"
    )


def test_other_languages_keep_what_stands_before() -> None:
    given_prompt = "require 'set'\n\ndef double(x)\n"
    answer = "```ruby\ndef double(x)\n  2 * x\nend\n```"
    assert source(answer, prompt=given_prompt, language="ruby").startswith(
        "require 'set'\n\ndef double(x)\n  2"
    )


def test_nothing_to_run_is_rejected() -> None:
    assert rejected("") == "empty completion"
    assert rejected(" \n\t", Style.COMPLETION) == "empty completion"
    assert rejected("<think>so much to say") == "reasoning only"
    assert rejected("<|im_end|>") == "empty completion"
    assert rejected("```\n```") == "no code in the answer"
    assert rejected("\ndef other():\n    pass", Style.COMPLETION) == "no code in the answer"


def test_a_truncated_completion_is_rejected_with_that_detail() -> None:
    execution = assemble(
        a_task(), a_completion("    return 2", FinishReason.LENGTH), SamplingPlan(style=Style.COMPLETION)
    )
    assert execution == Execution(outcome=Outcome.REJECTED, detail="truncated after 9 tokens")


def test_a_missing_completion_is_our_trouble() -> None:
    lost = a_completion("", FinishReason.ABORT, detail="server died")
    assert assemble(a_task(), lost, SamplingPlan(style=Style.CHAT)) == Execution(
        outcome=Outcome.UNSCORED, detail="server died"
    )


def test_an_answer_is_handed_over_as_it_is() -> None:
    task = a_task(kind=TaskKind.ANSWER)
    text = "It is\r\n```\n4\n```"
    program = assemble(task, a_completion(text), SamplingPlan(style=Style.CHAT))
    assert isinstance(program, Program)
    assert program.source == text
    assert program.kind is TaskKind.ANSWER
    assert program.digest != replace(program, kind=TaskKind.PROGRAM).digest


@settings(deadline=None)
@given(
    st.text(alphabet="`~<>/think def double(x):\n\t\r  return 2*\"'#@", max_size=200), st.sampled_from(Style)
)
def test_the_rule_is_deterministic_and_never_fails(text: str, style: Style) -> None:
    first = assemble(a_task(), a_completion(text), SamplingPlan(style=style))
    assert first == assemble(a_task(), a_completion(text), SamplingPlan(style=style))

from __future__ import annotations

from pathlib import Path

from monitor.domain.identity import base_seed, content_digest
from monitor.domain.samples import CHAT_FORM, ReasoningMarks, SamplingPlan, Style
from monitor.domain.tasks import TaskKind
from monitor.programs.fences import blocks_of
from monitor.programs.prompts import CHAT_INSTRUCTION, prompt, sample_request, stops
from monitor.suites.loading import load_suite
from tests.unit.suites.suite_files import a_task, task_text, write_suite_folder


def test_a_chat_prompt_holds_the_task_in_a_fence() -> None:
    text = prompt(a_task(language="ruby"), Style.CHAT)
    assert text.startswith("Complete the following Ruby code.")
    assert text.endswith("```ruby\ndef double(x):\n```\n")


def test_fences_in_a_prompt_do_not_end_the_fence_around_it() -> None:
    text = prompt(
        a_task(prompt='def double(x):\n    """\n    ```\n    double(2)\n    ```\n    """\n'), Style.CHAT
    )
    assert blocks_of(text)[0].code.startswith("def double(x):")
    assert blocks_of(text)[0].code.endswith('"""\n')


def test_a_request_has_the_seed_of_its_first_sample(tmp_path: Path) -> None:
    suite = load_suite(write_suite_folder(tmp_path / "s", {"a": task_text("t/1")}))
    task = suite["t/1"]
    request = sample_request(suite, task, SamplingPlan(), first_index=4, count=2)
    assert request.seed == base_seed(suite.seed, task.digest) + 4
    assert (request.first_index, request.count, request.stop) == (4, 2, ("\ndef ",))
    assert request.prompt == task.prompt


def test_a_tasks_own_stops_replace_the_languages() -> None:
    assert stops(a_task(stop=("# end",)), Style.COMPLETION) == ("# end",)
    assert stops(a_task(stop=("# end",)), Style.CHAT) == ()
    assert stops(a_task(kind=TaskKind.ANSWER), Style.COMPLETION) == ()


def test_banks_are_built_again_when_the_instruction_changes() -> None:
    # Whoever changes the words raises CHAT_FORM with them.
    assert (CHAT_FORM, content_digest(CHAT_INSTRUCTION)[:12]) == (2, "e22c0c30084f")
    chat = SamplingPlan(style=Style.CHAT)
    before = content_digest(repr(chat.temperature), repr(chat.top_p), str(chat.max_tokens), chat.style.value)
    assert chat.digest != before


def test_the_order_of_reasoning_marks_changes_no_plan() -> None:
    marks = [ReasoningMarks(open="<a>", close="</a>"), ReasoningMarks(open="<b>", close="</b>")]
    plans = [
        SamplingPlan(style=Style.CHAT, reasoning=tuple(each)) for each in (marks, marks[::-1], marks[:1])
    ]
    assert plans[0].digest == plans[1].digest != plans[2].digest
    assert SamplingPlan(reasoning=tuple(marks)).digest == SamplingPlan().digest

"""A task's way to the engine and back: prompt, HTTP body, answer, program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.samples import Completion, Execution, Invalidity, Outcome, Program, SamplingPlan, Style
from monitor.domain.tasks import Suite, TaskKind
from monitor.generation.canaries import Fingerprint
from monitor.generation.client import VllmClient
from monitor.generation.refusals import Route
from monitor.generation.served import ServedModel
from monitor.suites.loading import load_suite
from monitor.wiring import asking
from tests.unit.suites.suite_files import task_text, write_suite_folder

QUESTION = "What is twice four? Answer with the number alone.\n"
WANTED = {
    (TaskKind.PROGRAM, Style.COMPLETION): "def double(x):\n",
    (TaskKind.ANSWER, Style.COMPLETION): QUESTION,
    (TaskKind.PROGRAM, Style.CHAT): (
        "Complete the following Python code. Answer with one fenced code block that contains the complete "
        "code, the given part included, and nothing else.\n\n```python\ndef double(x):\n```\n"
    ),
    (TaskKind.ANSWER, Style.CHAT): QUESTION,
}


def suite_in(folder: Path) -> Suite:
    question = (
        task_text("t/answer")
        .replace("  def double(x):\n", f"  {QUESTION}")
        .replace("kind: program", "kind: answer")
        .replace("assert candidate(4) == 8", "assert candidate.strip() == '8'")
        .replace("canonical_solution: |2\n      return 2 * x\n", "canonical_solution: '8'\n")
    )
    return load_suite(
        write_suite_folder(folder / "suite", {"program": task_text("t/program"), "answer": question})
    )


async def exchanged(
    suite: Suite, kind: TaskKind, plan: SamplingPlan, choice: dict[str, Any]
) -> tuple[httpx.Request, Completion]:
    """What one sample of the task of this kind is asked with, and what comes of the answer."""
    sent: list[httpx.Request] = []

    def handle(asked: httpx.Request) -> httpx.Response:
        sent.append(asked)
        return httpx.Response(200, json={"choices": [{"index": 0, "finish_reason": "stop"} | choice]})

    client = VllmClient(Route(url="http://engine:8000"), concurrency=1, transport=httpx.MockTransport(handle))
    model = ServedModel(
        client,
        name="gen1",
        model_id="m",
        identity=EngineIdentity(kind="vllm-remote", version="1", settings={}, seed_stable=True),
        fingerprint=Fingerprint(values=(-1.0,)),
        concurrency=1,
    )
    request = asking(suite, plan).request(suite[f"t/{kind.value}"], 0, 1)
    (completion,) = [each async for each in model.complete([request])]
    await client.close()
    return sent[0], completion


def said(text: str | None, style: Style, **message: Any) -> dict[str, Any]:
    return {"message": {"content": text, **message}} if style is Style.CHAT else {"text": text}


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("kind", TaskKind)
async def test_the_engine_is_sent_the_one_prompt_and_nothing_beside_it(
    tmp_path: Path, kind: TaskKind, style: Style
) -> None:
    plan = SamplingPlan(style=style)
    asked, _ = await exchanged(suite_in(tmp_path), kind, plan, said("8", style))
    body = json.loads(asked.content)
    if style is Style.CHAT:
        assert asked.url.path == "/v1/chat/completions"
        assert body["messages"] == [{"role": "user", "content": WANTED[kind, style]}]
        assert "prompt" not in body
    else:
        assert asked.url.path == "/v1/completions"
        assert body["prompt"] == WANTED[kind, style]
        assert "messages" not in body
    assert json.dumps(body).count("Complete the following") == (WANTED[kind, style] != QUESTION) * (
        style is Style.CHAT
    )


@pytest.mark.parametrize(
    ("kind", "style", "text", "source"),
    [
        (TaskKind.PROGRAM, Style.COMPLETION, "    return 2 * x\n", "def double(x):\n    return 2 * x\n"),
        (
            TaskKind.PROGRAM,
            Style.CHAT,
            "[THINK]hm[/THINK]```python\ndef double(x):\n    return x + x```<|im_end|>",
            "def double(x):\n    return x + x\n",
        ),
        (TaskKind.ANSWER, Style.COMPLETION, "8\r\n", "8\r\n"),
        (TaskKind.ANSWER, Style.CHAT, "It is\r\n8", "It is\r\n8"),
        (TaskKind.ANSWER, Style.CHAT, "<think>7?</think>\n\n8<|im_end|>", "8"),
    ],
)
async def test_an_answer_becomes_the_program_that_its_tests_are_given(
    tmp_path: Path, kind: TaskKind, style: Style, text: str, source: str
) -> None:
    suite, plan = suite_in(tmp_path), SamplingPlan(style=style)
    _, completion = await exchanged(suite, kind, plan, said(text, style))
    found = asking(suite, plan).assemble(suite[f"t/{kind.value}"], completion)
    assert isinstance(found, Program)
    assert (found.kind, found.source) == (kind, source)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(("finish", "cut"), [("stop", ""), ("length", "truncated after 0 tokens, ")])
@pytest.mark.parametrize("kind", TaskKind)
async def test_an_answer_whose_reasoning_left_nothing_of_it_is_invalid_and_says_so(
    tmp_path: Path, kind: TaskKind, finish: str, cut: str, field: str
) -> None:
    suite, plan = suite_in(tmp_path), SamplingPlan(style=Style.CHAT)
    choice = said(None, Style.CHAT, **{field: "Let me think"}) | {"finish_reason": finish}
    _, completion = await exchanged(suite, kind, plan, choice)
    found = asking(suite, plan).assemble(suite[f"t/{kind.value}"], completion)
    detail = f"reasoning only, {cut}the server put the whole answer into {field}"
    assert found == Execution(outcome=Outcome.REJECTED, detail=detail)
    assert Invalidity.of(detail) is Invalidity.REASONING_ONLY


async def test_reasoning_beside_an_answer_is_no_part_of_it(tmp_path: Path) -> None:
    suite, plan = suite_in(tmp_path), SamplingPlan(style=Style.CHAT)
    _, completion = await exchanged(
        suite, TaskKind.ANSWER, plan, said("8", Style.CHAT, reasoning_content="Hm")
    )
    assert (completion.text, completion.detail) == ("8", "")

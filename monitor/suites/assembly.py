"""Prompts for a model, and programs from its completions."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from functools import partial

from monitor.domain.identity import base_seed
from monitor.domain.samples import (
    Completion,
    Execution,
    FinishReason,
    Limits,
    Outcome,
    Program,
    SampleRequest,
    SamplingPlan,
    Style,
)
from monitor.domain.tasks import Suite, Task, TaskKind
from monitor.suites.extraction import (
    cut_at_stop,
    fenced_blocks,
    parses_as_python,
    unfenced_code,
    with_plain_newlines,
    without_reasoning,
)
from monitor.suites.languages import Syntax, syntax_of

CHAT_INSTRUCTION = (
    "Complete the following {title} code. Answer with one fenced code block that contains the complete "
    "code, the given part included, and nothing else."
)

_FUTURE_IMPORT = re.compile(r"^from __future__ import .*\n", re.MULTILINE)


def prompt(task: Task, style: Style) -> str:
    """What the model is given: the task's prompt as it is, or the text of a user's chat message."""
    if style is Style.COMPLETION or task.kind is TaskKind.ANSWER:
        return task.prompt
    instruction = CHAT_INSTRUCTION.format(title=syntax_of(task.language).title)
    given = task.prompt if task.prompt.endswith("\n") else task.prompt + "\n"
    longest = max((len(run) for run in re.findall(r"`{3,}", given)), default=2)
    fence = "`" * (longest + 1)
    return f"{instruction}\n\n{fence}{task.language}\n{given}{fence}\n"


def stops(task: Task, style: Style) -> tuple[str, ...]:
    """Texts that end a completion: the task's own, else its language's.

    A chat answer ends when the model says so, since it may talk before it writes code; so does an
    answer that is not a program, unless its task says otherwise.
    """
    if style is Style.CHAT:
        return ()
    if task.stop or task.kind is TaskKind.ANSWER:
        return task.stop
    return syntax_of(task.language).stops


def sample_request(
    suite: Suite, task: Task, plan: SamplingPlan, *, first_index: int, count: int
) -> SampleRequest:
    """The request for some adjacent samples of a task, with the seeds that every checkpoint gets."""
    return SampleRequest(
        task_id=task.task_id,
        prompt=prompt(task, plan.style),
        first_index=first_index,
        count=count,
        seed=base_seed(suite.seed, task.digest) + first_index,
        stop=stops(task, plan.style),
        plan=plan,
    )


def reference_program(task: Task) -> Program:
    """The program of the task's own solution, which must pass its tests."""
    given = "" if task.kind is TaskKind.ANSWER else task.prompt
    return program_of(task, given + task.canonical_solution)


def program_of(task: Task, source: str) -> Program:
    """The program of some source, or of an answer's text, with the task's tests and limits."""
    return Program(
        language=task.language,
        source=source,
        test=task.test,
        entry_point=task.entry_point,
        limits=Limits(cpu_s=task.time_limit_s),
        kind=task.kind,
    )


def assemble(task: Task, completion: Completion, style: Style) -> Program | Execution:
    """The program that a completion makes of its task, or what became of it without running.

    Nothing is compiled here: whether it compiles is for the sandbox to find out.
    """
    if not completion.finish_reason.answered:
        return Execution(outcome=Outcome.UNSCORED, detail=completion.detail or "no completion")
    if completion.finish_reason is FinishReason.LENGTH:
        return _rejected(f"truncated after {completion.tokens} tokens")
    if not completion.text.strip():
        return _rejected("empty completion")
    if task.kind is TaskKind.ANSWER:
        return program_of(task, completion.text)
    source = _source(task, with_plain_newlines(completion.text), style)
    return program_of(task, source) if source else _rejected("no code in the answer")


def _source(task: Task, text: str, style: Style) -> str:
    if style is Style.CHAT:
        return _source_from_chat(task, text)
    code = cut_at_stop(text, stops(task, style))
    return task.prompt + code if code.strip() else ""


def _source_from_chat(task: Task, text: str) -> str:
    syntax = syntax_of(task.language)
    answer = without_reasoning(text)
    blocks = [block for block in fenced_blocks(answer) if block.strip()]
    if not blocks:
        code = unfenced_code(answer, syntax, task.entry_point, task.stop or syntax.stops)
        return _placed(task, code, syntax)[0] if code.strip() else ""
    defining = [block for block in blocks if syntax.defines(block, task.entry_point)]
    candidates = [_placed(task, block, syntax) for block in defining or _longest_first(blocks)]
    return next((source for source, parses in candidates if parses), candidates[0][0])


def _longest_first(blocks: list[str]) -> list[str]:
    return sorted(blocks, key=len, reverse=True)


def _placed(task: Task, code: str, syntax: Syntax) -> tuple[str, bool]:
    """The source in which code takes its place, and whether that parses."""
    places: list[Callable[[], str]]
    if syntax.defines(code, task.entry_point):
        places = [partial(_redefined, task, code, syntax)]
    else:
        places = [lambda: task.prompt + code, lambda: _continued(task.prompt, code)]
    sources = [place() for place in places]
    if task.language != "python":
        return sources[0], True
    for source in sources:
        if parses_as_python(source):
            return source, True
    return sources[0], False


def _redefined(task: Task, code: str, syntax: Syntax) -> str:
    """What stands before the definition in the prompt (imports, helpers), then the whole code."""
    defined_at = syntax.first_definition(task.prompt, task.entry_point)
    before = task.prompt[:defined_at] if defined_at is not None else ""
    decorators = re.search(r"(?:^@.*\n)+\Z", before, re.MULTILINE)
    before = before[: decorators.start()] if decorators else before
    if not before.strip():
        return code
    if task.language != "python":
        # Said twice, a module header or language line is an error in many languages.
        return code if before.strip().split("\n", 1)[0] in code else before + code
    futures = "".join(_FUTURE_IMPORT.findall(code))
    return futures + before + _FUTURE_IMPORT.sub("", code)


def _continued(prompt_text: str, code: str) -> str:
    """The prompt with a body behind it that was written at the margin, moved to its place."""
    margin = re.findall(r"^([ \t]*)\S", prompt_text, re.MULTILINE)
    indent = margin[-1] if margin and margin[-1] else "    "
    joint = "" if prompt_text.endswith("\n") else "\n"
    return prompt_text + joint + textwrap.indent(textwrap.dedent(code), indent)


def _rejected(detail: str) -> Execution:
    return Execution(outcome=Outcome.REJECTED, detail=detail)

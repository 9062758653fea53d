"""What a model is asked: the only place that words a prompt. The engine sends what it is given."""

from __future__ import annotations

import re

from monitor.domain.identity import base_seed
from monitor.domain.samples import SampleRequest, SamplingPlan, Style
from monitor.domain.tasks import Suite, Task, TaskKind
from monitor.programs.languages import syntax_of

CHAT_INSTRUCTION = (
    "Complete the following {title} code. Answer with one fenced code block that contains the complete "
    "code, the given part included, and nothing else."
)
"""Stands in the user's turn: not every chat template has a system turn. Change ``CHAT_FORM`` with it."""


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

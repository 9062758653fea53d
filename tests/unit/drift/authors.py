"""Made-up models: each draws a task's programs from a few, the first one most often."""

from __future__ import annotations

import numpy as np

from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.drift.matching import Writing

EVEN = (0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01)
"""How often an ordinary author writes each variant."""
NARROW = (0.9, 0.1, 0, 0, 0, 0, 0, 0, 0, 0)
"""One that has lost the seldom ones."""

VARIANTS = (
    "return x + 1",
    "return 1 + x",
    "y = x\n    y += 1\n    return y",
    "return sum([x, 1])",
    "import operator\n    return operator.add(x, 1)",
    "for _ in range(1):\n        x += 1\n    return x",
    "return (lambda a: a + 1)(x)",
    "if x:\n        return x + 1\n    return 1",
    "while True:\n        return -~x",
    "return max(x + 1 for _ in [0])",
)


def drawn(
    shares: tuple[float, ...] = EVEN,
    *,
    seed: int,
    tasks: int = 60,
    per_task: int = 16,
    stratum: Stratum = Stratum.TAIL,
) -> list[Sample]:
    """Samples of an author who writes each variant with its share, every task in its own order of them."""
    rng = np.random.default_rng(seed)
    return [
        sample(
            f"{stratum.value}/{task:03}",
            index,
            VARIANTS[(int(rng.choice(len(shares), p=shares)) + task) % len(VARIANTS)],
            stratum=stratum,
        )
        for task in range(tasks)
        for index in range(per_task)
    ]


def sample(
    task_id: str,
    index: int,
    body: str,
    *,
    stratum: Stratum = Stratum.TAIL,
    finish: FinishReason = FinishReason.STOP,
    outcome: Outcome = Outcome.PASSED,
    detail: str = "",
    logprob: float | None = -0.5,
) -> Sample:
    text = f"    {body}\n"
    return Sample(
        task_id=task_id,
        stratum=stratum,
        index=index,
        wave=0,
        completion=Completion(
            task_id=task_id,
            index=index,
            seed=index,
            text=text,
            finish_reason=finish,
            tokens=len(text.split()),
            mean_logprob=logprob,
            min_logprob=logprob,
        ),
        program_digest="",
        execution=Execution(outcome=outcome, detail=detail),
    )


def read(one: Sample) -> Writing:
    return Writing(text=f"def f(x):\n{one.completion.text}", language="python")

"""Where the cells of a table lead: to a checkpoint's board, to the monitor's page about it, to a runbook."""

from __future__ import annotations

from dataclasses import dataclass

MONITOR, DIGEST = "monitor", "digest"
"""Headings that a table needs whose rows lead to a checkpoint: who judged it, and which it is."""
CHOSEN_MODEL = "${model:queryparam}"
"""On a board about one model."""
_MONITOR, _DIGEST, _MODEL = (f"${{__data.fields.{heading}}}" for heading in (MONITOR, DIGEST, "model"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a click on a cell opens."""

    column: str
    """Heading of the column whose cells can be clicked."""
    title: str
    url: str
    leaves: bool
    """Whether it leaves Grafana, and so opens beside it."""


RUNBOOK = Link(
    column="alert",
    title="Runbook",
    url="https://tailwatch.example/runbooks/${__value.text}.md",
    leaves=True,
)
REPORT = Link(
    column=DIGEST,
    title="The monitor's page about it",
    url=f"http://{_MONITOR}/checkpoints/{_DIGEST}",
    leaves=True,
)


def to_board(model: str = f"var-model={_MODEL}") -> Link:
    """To the board of the row's checkpoint; the model is the row's, unless the board has chosen one."""
    chosen = f"${{datasource:queryparam}}&${{job:queryparam}}&var-instance={_MONITOR}&{model}"
    return Link(
        column="checkpoint",
        title="Board of this checkpoint",
        url=f"/d/tailwatch-checkpoint?{chosen}&var-checkpoint={_DIGEST}",
        leaves=False,
    )

"""Every panel shows what the night's store holds, in the series that the panel draws; not just something."""

from __future__ import annotations

import json

import pytest

from monitor.domain.drift import IndicatorName
from tests.integration.export.night import LATER
from tests.integration.export.test_boards import BOARDS, filled
from tests.unit.export import story

STRATA = {stratum.value: ratio for stratum, ratio in story.BASELINE_RATIOS.items()}
MARGINS = {stratum.value: margin for stratum, margin in story.MARGINS.items()}
JUDGED = ("control1", "gen3", "gen4")
KNOWN = ("gen0", *JUDGED)
STAGES = {"engine": 0.1, "generation": 11.5, "sandbox": 1.2, "rest": 0.4}
QUIET = {"crashed": 0, "timed_out": 0, "out_of_memory": 0, "rejected": 0}
ANY = object()
"""A figure that moves with the clock; that there is one, and only one, is what is known."""


def tail(name: str) -> float:
    """Share of the tail's samples that a checkpoint passes; gen3 has lost 20 points."""
    return 0.4 if name == "gen3" else STRATA["tail"]


def ratio(name: str, stratum: str) -> float:
    return tail(name) if stratum == "tail" else STRATA[stratum]


def outcomes(name: str, stratum: str) -> dict[str, float]:
    """Of 40 samples; one more of the tail is unscored."""
    passed = round(40 * ratio(name, stratum))
    return QUIET | {"passed": passed, "failed": 40 - passed, "unscored": int(stratum == "tail")}


FLEET = {
    "Newest candidates and promoted checkpoints A": {
        ("name=gen0", "role=promoted", "decision=hold"): 1,
        ("name=gen4", "role=candidate", "decision=hold"): 1,
    },
    "Difference to the baseline A": {("name=gen4", f"stratum={stratum}"): 0 for stratum in STRATA},
    "Monitors that answer A": {(): 1},
    "Stores that can be read A": {(): 1},
    "Evaluations that wait or run A": {(): 1},
    "Oldest last result A": {(): ANY},
    "Tokens generated per second A": {(f"model={story.MODEL}",): ANY},
    "Age of the last result A": {(f"model={story.MODEL}",): ANY},
}
INTERVAL = {"lower bound": -0.04, "difference": 0.0, "upper bound": 0.04}
CHECKPOINT = {
    "Decision A": {("decision=hold",): 1},
    **{f"{stratum.capitalize()} A": {("finding=steady",): 1} for stratum in STRATA},
    "Who it is A": {("name=gen4", "revision=r1", "role=candidate", "engine=vllm-managed"): 1},
    "Pass probability A": {
        (f"stratum={stratum}", f"whose={whose}"): ratio_
        for stratum, ratio_ in STRATA.items()
        for whose in ("baseline", "pass ratio")
    },
    "Difference, its interval and the margin A": {
        (f"stratum={stratum}", f"bound={bound}"): value
        for stratum, margin in MARGINS.items()
        for bound, value in (INTERVAL | {"margin": -margin}).items()
    },
    "Outcomes A": {
        (f"stratum={stratum}", f"outcome={outcome}"): count
        for stratum in STRATA
        for outcome, count in outcomes("gen4", stratum).items()
    },
    "Pass probability over time A": {(f"stratum={stratum}",): value for stratum, value in STRATA.items()},
    **{
        f"Signs of collapse, {stratum} {ref_id}": {(f"indicator={name}",): value for name in IndicatorName}
        for stratum in STRATA
        for ref_id, value in {
            "A": 0.2 if stratum == "tail" else 0.01,
            "B": 0.05,
            "C": int(stratum == "tail"),
        }.items()
    },
    "Columns that drifted A": {("signal=tokens", "method=ks", "stratum=tail"): 0.0002},
    "Judged A": {(): ANY},
    "Samples A": {(): 121},
    "Wall time A": {(): sum(STAGES.values())},
    "Tasks left out A": {(): 0},
}
MODEL = {
    "Decision A": {("decision=hold",): 1},
    "Tail against the baseline A": {("stratum=tail",): 0},
    "Head against the baseline A": {("stratum=head",): 0},
    "The run could have shown A": {("stratum=tail",): 0.08},
    "Difference of the tail with its interval A": {(): 0},
    "Difference of the tail with its interval B": {(): -0.04},
    "Difference of the tail with its interval C": {(): 0.04},
    "Difference of the tail with its interval D": {(): -0.1},
    "Tail against head A": {
        (f"name={name}", f"stratum={stratum}"): ratio(name, stratum) for name in KNOWN for stratum in STRATA
    },
    "Stratum by checkpoint A": {
        (f"name={name}", f"stratum={stratum}"): ratio(name, stratum) - STRATA[stratum]
        for name in JUDGED
        for stratum in STRATA
    },
    "Outcomes of tail samples A": {
        (f"name={name}", f"outcome={outcome}"): count
        for name in KNOWN
        for outcome, count in outcomes(name, "tail").items()
    },
    "Tail and head over time A": {(): STRATA["head"]},
    "Tail and head over time B": {(): STRATA["tail"]},
    "Signs of collapse A": {
        (f"name={name}", f"indicator={indicator}"): int(name != "control1")
        for name in JUDGED
        for indicator in IndicatorName
    },
    "Columns that drifted A": {
        (f"name={name}", f"stratum={stratum}"): int(name != "control1" and stratum == "tail")
        for name in JUDGED
        for stratum in STRATA
    },
    "Tasks lost and gained A": {
        (f"name={name}", f"direction={direction}"): count
        for name in JUDGED
        for direction, count in {"lost": 3, "gained": 1}.items()
    },
    "What each run could have shown A": {
        (f"name={name}", f"stratum={stratum}"): 0.08 / margin
        for name in JUDGED
        for stratum, margin in MARGINS.items()
    },
    "Samples without a verdict A": {
        (f"name={name}", f"stratum={stratum}"): 1 / 41 if stratum == "tail" else 0
        for name in KNOWN
        for stratum in STRATA
    },
    "Tasks left out A": {(f"name={name}",): 0 for name in KNOWN},
    "Where the time went A": {
        (f"name={name}", f"stage={stage}"): seconds for name in KNOWN for stage, seconds in STAGES.items()
    },
    "Queue A": {("state=decided",): 4, ("state=failed",): 0, ("state=queued",): 1, ("state=running",): 0},
    "Generated and executed per second A": {(): ANY},
    "Generated and executed per second B": {(): ANY},
    "Trouble A": {("event=aborted",): 0, ("event=trouble",): 0},
    "Trouble B": {(f"event={event}",): ANY for event in ("judge_restart", "lost", "trouble", "unscored")},
    "Trouble C": {("event=failed",): 0, ("event=probe_failed",): 0},
    "Age of the last result A": {(): ANY},
}
SHOWN = {"tailwatch-fleet": FLEET, "tailwatch-model": MODEL, "tailwatch-checkpoint": CHECKPOINT}
EVIDENCE = ("tailwatch-model", "Evidence of a slow decline A")
WARNINGS = {
    EVIDENCE,
    ("tailwatch-fleet", "Alerts that fire A"),
    ("tailwatch-model", "Reasons A"),
    ("tailwatch-model", "Drift, collapse and decline A"),
    ("tailwatch-checkpoint", "Reasons A"),
}
"""Asked below, by what they warn of."""


def asks(board: str) -> dict[str, str]:
    """The queries of a board by panel and number."""
    panels = json.loads((BOARDS / f"{board}.json").read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": filled(target["expr"])
        for panel in panels
        for target in panel.get("targets", ())
    }


@pytest.mark.parametrize("board", SHOWN)
def test_it_is_known_what_every_query_of_a_board_should_return(board):
    assert asks(board).keys() == SHOWN[board].keys() | {title for of, title in WARNINGS if of == board}


@pytest.mark.parametrize(
    ("board", "panel"), [(board, panel) for board, panels in SHOWN.items() for panel in panels]
)
def test_a_query_returns_these_series_with_these_values(asked, board, panel):
    expected = SHOWN[board][panel]
    labels = [each.partition("=")[0] for each in next(iter(expected))]
    returned = asked.series(asks(board)[panel])
    found = {tuple(f"{label}={series[label]}" for label in labels): value for series, value in returned}
    assert len(found) == len(returned), "series that the panel cannot tell apart"
    assert found == {
        key: found.get(key) if value is ANY else pytest.approx(value) for key, value in expected.items()
    }


@pytest.mark.parametrize(("board", "panel"), sorted(WARNINGS - {EVIDENCE}))
def test_warnings_tell_what_moved_and_in_which_checkpoint(asked, board, panel):
    drifting = {"checkpoint": LATER.short_digest, "reason": "drift"}
    assert any(drifting.items() <= series.items() for series, _ in asked.series(asks(board)[panel]))

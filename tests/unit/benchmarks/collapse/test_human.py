"""The likelihood of human code over the lab's generations: projects drawn again, and the table."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from benchmarks.collapse.human import as_markdown, resampled
from benchmarks.collapse.study import FalseWarnings, Row
from monitor.domain.drift import Measurement, Reading


def measurement(offset: float) -> Measurement:
    readings = tuple(
        Reading(item=f"{project}{n}", group="tail", cluster=project, value=ord(project) + offset)
        for project in "abc"
        for n in range(2)
    )
    return Measurement(probe="p", material="0" * 16, readings=readings, engine_s=0.0)


def test_whole_projects_are_drawn_again_and_stay_paired() -> None:
    before, after = resampled(measurement(0.0), measurement(1.0), np.random.default_rng(1))
    assert len(before.readings) == 6
    assert [each.item for each in before.readings] == [each.item for each in after.readings]
    assert {b.value - a.value for a, b in zip(before.readings, after.readings, strict=True)} == {1.0}
    assert len({each.cluster for each in before.readings}) == 3
    assert before != resampled(measurement(0.0), measurement(1.0), np.random.default_rng(2))[0]


def test_the_table_tells_rare_from_common_code_and_what_warned() -> None:
    rows = [
        Row(
            checkpoint=name,
            indicator="rare-code-nll",
            depth=None,
            stratum=stratum,
            value=2.5,
            baseline=2.25,
            p_value=0.0001 if warns else 0.25,
            alpha=0.001,
            noise_floor=0.0,
            warns=warns,
        )
        for name, warns in (("gen1", True), ("8bit", False))
        for stratum in ("tail", "head")
    ]
    false = FalseWarnings(
        indicator="rare-code-nll", depth=None, resamplings=210, tests=420, warned=1, below_nominal=9
    )
    figures = {
        "readings": 40,
        "projects": 9,
        "rows": [asdict(r) for r in rows],
        "false_warnings": [asdict(false)],
    }
    text = as_markdown(figures)
    assert "40 functions of 9 projects" in text
    assert "| rare | 2.250 | 2.500 (0.0001, warns) | 2.500 (0.25) |" in text
    assert "Of 420 tests in 210 bootstraps" in text

"""The simulation of strata that the baseline hardly passes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.detection.floors import LEFT, SHAPES, TASKS, fates, study, truth_of


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rate", [0.0, 0.024, 0.1, 0.3])
def test_tasks_have_the_rate_that_was_asked_for(shape, rate):
    truth = truth_of(shape, rate)
    assert len(truth) == TASKS
    assert np.mean(truth) == pytest.approx(rate)
    assert truth.max() <= 0.5


def test_what_is_lost_entirely_is_promoted_without_floors_and_never_with_them():
    for shape in SHAPES:
        lost = study(shape, 0.024, 32, "lost entirely", runs=25, seed=1)
        assert (lost.promoted_before, lost.promote, lost.floor) == (1.0, 0.0, 1.0)
    deep = study(SHAPES[0], 0.024, 256, "lost entirely", runs=5, seed=1)
    assert deep.reject == 1.0
    assert "lost entirely" in fates([deep])
    assert set(LEFT) == {"unchanged", "half lost", "lost entirely"}

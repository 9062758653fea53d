import pytest

from benchmarks.performance.suites import missed_goals


@pytest.mark.parametrize(
    ("seconds", "peak_mb", "missed"),
    [(9.9, 499.0, 0), (10.0, 84.0, 1), (3.1, 500.0, 1), (11.0, 600.0, 2)],
)
def test_each_goal_that_a_loading_missed_is_told(seconds, peak_mb, missed):
    assert len(missed_goals({"seconds": seconds, "peak_mb": peak_mb})) == missed

"""What the supervisor makes of a program's end."""

from __future__ import annotations

import pytest

from monitor.sandbox.inside.supervisor import Run


@pytest.mark.parametrize(
    ("verdict", "status", "well"),
    [
        ("passed", 0, True),
        ("finished", 0, True),
        ("finished", 256, False),
        ("finished", 9, False),
        ("failed", 0, False),
        ("lost", 0, False),
    ],
)
def test_a_program_did_well_by_its_tests_or_where_only_its_end_tells_by_that(
    verdict: str, status: int, well: bool
) -> None:
    run = Run(job={}, started_at=0.0, exit={"status": status}, verdict={"verdict": verdict})
    assert run.did_well is well

from __future__ import annotations

from monitor.sandbox.inside.idleness import MAX_STALLED_S, Idleness


def noted(
    *looks: tuple[float, float], asked_s: float = 1.0, active: bool = False, stalled: bool = False
) -> Idleness:
    """After looks at these times, at which so much CPU had been used."""
    idleness = Idleness(at=0.0, cpu_s=0.0)
    for at, cpu_s in looks:
        idleness.note(at=at, cpu_s=cpu_s, asked_s=asked_s, active=active, stalled=stalled)
    return idleness


def test_time_in_which_nobody_works_is_idle() -> None:
    assert noted((1.0, 0.0), (2.0, 0.25)).idle_s == 1.75


def test_nobody_is_idle_who_waits_for_a_cpu() -> None:
    assert noted((1.0, 0.0), (2.0, 0.0), active=True).idle_s == 0.0


def test_a_pause_of_the_whole_machine_counts_as_no_more_than_the_wait_it_fell_into() -> None:
    assert noted((0.5, 0.5), (3600.0, 0.5)).idle_s == 1.0


def test_work_of_many_processes_saves_up_no_idle_time_for_later() -> None:
    assert noted((1.0, 8.0), (2.0, 8.0)).idle_s == 1.0


def test_processes_that_end_and_take_their_seconds_along_make_nobody_idle_for_longer_than_it_was() -> None:
    assert noted((1.0, 5.0), (2.0, 0.0)).idle_s == 1.0


def test_waiting_for_a_disk_is_no_idleness_until_it_has_lasted_too_long() -> None:
    looks = [(float(second), 0.0) for second in range(1, 16)]
    assert noted(*looks, stalled=True).idle_s == 15 - MAX_STALLED_S

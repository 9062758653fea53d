"""Which samples are drawn next."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.tasks import Stratum
from monitor.rounds.waves import Itinerary, Pick, adjacent, bank_waves, next_wave
from monitor.verdicts.assessment import Want
from monitor.verdicts.pairing import Phase

from .conftest import small_suite

SUITE = small_suite(20)
ALL = {task.task_id for task in SUITE}
WAY = Itinerary(suite=SUITE, checkpoint="1" * 64)
OTHER_WAY = Itinerary(suite=SUITE, checkpoint="2" * 64)


def want(stratum: Stratum, *, samples: int = 100, indices: int = 8) -> Want:
    return Want(stratum=stratum, phase=Phase.SCREENING, indices=tuple(range(indices)), samples=samples)


def wave(*wants: Want, size: int, tasks=frozenset(ALL), drawn=(), way: Itinerary = WAY):
    return next_wave(way, wants, tasks=tasks, drawn=set(drawn), size=size)


def by_stratum(picks: list[Pick]) -> list[int]:
    return [sum(pick.task_id.startswith(stratum) for pick in picks) for stratum in ("tail", "head")]


def test_the_most_urgent_stratum_gets_what_it_needs_and_the_next_what_is_left():
    assert by_stratum(wave(want(Stratum.TAIL, samples=30), want(Stratum.HEAD), size=40)) == [30, 10]
    assert by_stratum(wave(want(Stratum.TAIL), want(Stratum.HEAD), size=40)) == [40, 0]


def test_a_stratum_that_needs_almost_nothing_still_gets_enough_to_keep_the_engine_busy():
    assert by_stratum(wave(want(Stratum.TAIL, samples=1), want(Stratum.HEAD, samples=2), size=100)) == [
        16,
        16,
    ]


def test_every_task_is_drawn_once_before_any_is_drawn_twice():
    picks = wave(want(Stratum.TAIL), size=20)
    assert len({pick.task_id for pick in picks}) == 20


def test_a_task_goes_through_all_indices_in_a_circle():
    wanted = tuple(range(8, 16))
    turns = [WAY.index("tail/003", turn, wanted) for turn in range(8)]
    assert sorted(turns) == list(wanted)
    assert all((later - earlier) % 8 == 1 for earlier, later in pairwise(turns))


def test_checkpoints_draw_different_samples_and_each_the_same_ones_again():
    first, again, other = (wave(want(Stratum.TAIL), size=20, way=way) for way in (WAY, WAY, OTHER_WAY))
    assert first == again
    assert len(set(first) & set(other)) < 10
    assert [pick.task_id for pick in first] != [pick.task_id for pick in other]
    assert len({pick.index for pick in first}) > 4


def test_a_want_that_repeats_another_gets_the_samples_after_it():
    picks = wave(want(Stratum.TAIL, samples=30), want(Stratum.TAIL, samples=160), size=500)
    assert len(picks) == len(set(picks)) == 160


def test_tasks_that_are_left_out_are_not_drawn():
    kept = {task_id for task_id in ALL if not task_id.endswith("3")}
    picks = wave(want(Stratum.TAIL), size=500, tasks=kept)
    assert {pick.task_id for pick in picks} == {t for t in kept if t.startswith("tail")}


def test_the_order_differs_between_passes_and_is_the_same_every_time():
    orders = [WAY.order_of_tasks(Stratum.TAIL, turn, ALL) for turn in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]


@given(size=st.integers(1, 90), waves=st.integers(1, 6))
def test_waves_never_repeat_a_sample(size, waves):
    drawn: list[Pick] = []
    for _ in range(waves):
        drawn += wave(want(Stratum.TAIL), want(Stratum.TORSO), size=size, drawn=drawn)
    assert len(set(drawn)) == len(drawn)
    assert len(drawn) <= size * waves


def test_a_bank_holds_every_sample_once():
    picks = [p for wave in bank_waves(SUITE.tasks, depth=5, size=17) for p in wave]
    assert len(picks) == len(set(picks)) == 60 * 5


def test_adjacent_samples_of_a_task_share_a_request():
    runs = adjacent([Pick("a", 0), Pick("a", 1), Pick("a", 3), Pick("b", 4)])
    assert runs == [[Pick("a", 0), Pick("a", 1)], [Pick("a", 3)], [Pick("b", 4)]]


def test_no_request_asks_for_more_than_sixteen_samples():
    assert [len(run) for run in adjacent(Pick("a", i) for i in range(40))] == [16, 16, 8]

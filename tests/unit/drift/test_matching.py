"""Bank and candidate are compared on the same tasks, as often, at the same seeds."""

from __future__ import annotations

from monitor.domain.samples import FinishReason
from monitor.domain.tasks import Stratum
from monitor.drift.matching import Works, matched
from tests.unit.drift.authors import drawn, read, sample


def pairs(bank, candidate):
    return matched(bank, candidate, Works(read))


def test_only_indices_that_both_drew_are_compared():
    bank = [sample("t", index, "return x") for index in range(6)]
    candidate = [sample("t", index, "return x") for index in (1, 4, 9)]
    (pair,) = pairs(bank, candidate)[Stratum.TAIL]
    assert pair.before.indices == pair.after.indices == (1, 4)
    assert pair.bank.indices == (0, 1, 2, 3, 4, 5)


def test_tasks_of_one_side_and_samples_without_a_text_do_not_count():
    bank = [sample("a", 0, "return x"), sample("b", 0, "return x")]
    aborted = sample("b", 0, "", finish=FinishReason.ABORT)
    assert pairs(bank, [sample("c", 0, "return x"), aborted]) == {Stratum.TAIL: ()}


def test_strata_are_kept_apart_rarest_first():
    head, tail = (drawn(seed=1, tasks=2, per_task=2, stratum=s) for s in (Stratum.HEAD, Stratum.TAIL))
    assert list(pairs(head + tail, head + tail)) == [Stratum.TAIL, Stratum.HEAD]


def test_the_banks_halves_share_no_seed_and_are_no_larger_than_what_is_compared():
    bank = [sample("t", index, "return x") for index in range(16)]
    (pair,) = pairs(bank, bank[:3])[Stratum.TAIL]
    even, odd = pair.halves()
    assert even.indices == (0, 2, 4)
    assert odd.indices == (1, 3, 5)
    assert [side.indices for side in pair.halves(1)] == [(0,), (1,)]

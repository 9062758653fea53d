"""What is drawn is kept, and drawn once."""

from __future__ import annotations

from benchmarks.coupling.drawing import Scratch, bank_of, candidate_of
from monitor.domain.samples import SamplingPlan
from monitor.suites.loading import load_suite
from monitor.testing import FakeEngine

SUITE = load_suite("lab")
PLAN = SamplingPlan(samples_per_task=2, temperature=1.0, max_tokens=16)


async def test_a_bank_and_a_candidate_hold_the_same_cells_at_the_same_seeds(tmp_path):
    started = []

    def engine(folder):
        started.append(folder)
        return FakeEngine(lambda *_: 0.5)

    scratch = Scratch(tmp_path, SUITE, PLAN, engine)
    wanted = [bank_of("gen0"), candidate_of("gen0")]
    await scratch.draw(wanted, lambda _: None)
    bank, candidate = (scratch.samples(each) for each in wanted)
    assert len(bank) == 2 * len(SUITE)
    assert [one.completion.seed for one in bank] == [one.completion.seed for one in candidate]
    await scratch.draw(wanted, lambda _: None)
    assert len(started) == 1


async def test_a_line_that_was_cut_off_is_drawn_again_and_nothing_else(tmp_path):
    scratch = Scratch(tmp_path, SUITE, PLAN, lambda _: FakeEngine(lambda *_: 0.5))
    wanted = candidate_of("gen0")
    await scratch.draw([wanted], lambda _: None)
    file = tmp_path / "gen0.candidate.jsonl"
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole[:-20], encoding="utf-8")
    assert len(scratch.samples(wanted)) == 2 * len(SUITE) - 1
    await scratch.draw([wanted], lambda _: None)
    assert sorted(file.read_text(encoding="utf-8").splitlines()) == sorted(whole.splitlines())

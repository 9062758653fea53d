"""The fakes keep the promises of the ports they stand in for."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from monitor.domain.checkpoint import Checkpoint, Unusable
from monitor.domain.errors import EngineTrouble, InvalidCheckpoint, SandboxTrouble
from monitor.domain.samples import FinishReason, Outcome, Program, SampleRequest, SamplingPlan
from monitor.testing import Failings, FakeDetector, FakeEngine, FakeSandbox, FakeSource, marked

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = Checkpoint(digest="a" * 64, name="good", location="/good")
WORSE = Checkpoint(digest="b" * 64, name="worse", location="/worse")


def a_request(task_id: str = "t1", *, count: int = 200, seed: int = 7) -> SampleRequest:
    return SampleRequest(
        task_id=task_id, prompt="", first_index=3, count=count, seed=seed, stop=(), plan=SamplingPlan()
    )


def a_program(source: str) -> Program:
    return Program(language="python", source=source, test="", entry_point="f")


def pass_ratio(checkpoint: Checkpoint, task_id: str) -> float:
    return 0.6 if checkpoint is GOOD else 0.4


async def drawn(engine: FakeEngine, checkpoint: Checkpoint, *requests: SampleRequest):
    model = await engine.serve(checkpoint)
    return [completion async for completion in model.complete(requests)]


def passed(completion) -> bool:
    return "passed" in completion.text


async def test_a_model_passes_about_as_often_as_it_is_told_to():
    completions = await drawn(FakeEngine(pass_ratio), GOOD, a_request(count=400))
    # Three standard errors of 400 draws at 0.6.
    assert sum(map(passed, completions)) / 400 == pytest.approx(0.6, abs=0.075)


async def test_completions_carry_index_and_seed_of_their_child():
    completions = await drawn(FakeEngine(pass_ratio), GOOD, a_request(count=3))
    assert [(item.index, item.seed) for item in completions] == [(3, 7), (4, 8), (5, 9)]


async def test_the_same_seed_gives_the_same_text():
    engine = FakeEngine(pass_ratio)
    assert await drawn(engine, GOOD, a_request()) == await drawn(engine, GOOD, a_request())


async def test_checkpoints_are_coupled_at_equal_seeds():
    engine = FakeEngine(pass_ratio)
    good, worse = await drawn(engine, GOOD, a_request()), await drawn(engine, WORSE, a_request())
    assert all(passed(better) for better, other in zip(good, worse, strict=True) if passed(other))
    assert sum(map(passed, good)) > sum(map(passed, worse))


async def test_a_forgetful_engine_says_so_and_repeats_nothing():
    engine = FakeEngine(pass_ratio, Failings(forgets_seeds=True))
    assert (await engine.serve(GOOD)).identity.seed_stable is False
    assert await drawn(engine, GOOD, a_request()) != await drawn(engine, GOOD, a_request())


async def test_an_engine_dies_when_its_life_is_over_and_lives_again_when_served_anew():
    engine = FakeEngine(pass_ratio, Failings(lives=(2,)))
    model = await engine.serve(GOOD)
    stream = model.complete([a_request()])
    for _ in range(2):
        await anext(stream)
    with pytest.raises(EngineTrouble):
        await anext(stream)
    with pytest.raises(EngineTrouble):
        await model.prompt_logprobs(["a b"])
    assert len(await drawn(engine, GOOD, a_request())) == 200
    assert engine.served == [GOOD, GOOD]


async def test_a_refused_task_is_aborted_and_the_others_are_not():
    engine = FakeEngine(pass_ratio, Failings(aborted_tasks={"t1"}))
    completions = await drawn(engine, GOOD, a_request("t1", count=1), a_request("t2", count=1))
    assert [item.finish_reason for item in completions] == [FinishReason.REFUSED, FinishReason.STOP]
    assert completions[0].detail
    assert completions[0].text == ""


async def test_a_refused_checkpoint_is_invalid():
    with pytest.raises(InvalidCheckpoint):
        await FakeEngine(pass_ratio, Failings(refused_digests={GOOD.digest})).serve(GOOD)


async def test_prompt_logprobs_tell_checkpoints_apart_and_repeat_themselves():
    engine = FakeEngine(pass_ratio)
    good, worse = await engine.serve(GOOD), await engine.serve(WORSE)
    texts = ["import struct now", "x"]
    first = await good.prompt_logprobs(texts)
    assert [len(logprobs) for logprobs in first] == [2, 0]
    assert all(value < 0 for value in first[0])
    assert await good.prompt_logprobs(texts) == first
    assert await worse.prompt_logprobs(texts) != first


@pytest.mark.parametrize("outcome", Outcome)
async def test_a_sandbox_gives_the_marked_outcome(outcome):
    execution = await FakeSandbox().execute(a_program("def f():\n" + marked(outcome)))
    assert execution.outcome is outcome


async def test_a_sandbox_passes_what_is_unmarked_and_rejects_what_is_empty():
    sandbox = FakeSandbox()
    assert (await sandbox.execute(a_program("def f(): return 1"))).outcome is Outcome.PASSED
    assert (await sandbox.execute(a_program(" \n"))).outcome is Outcome.REJECTED


async def test_a_lost_sandbox_leaves_the_program_unscored():
    sandbox = FakeSandbox(lost=lambda program: "unlucky" in program.source)
    execution = await sandbox.execute(a_program("unlucky"))
    assert execution.outcome is Outcome.UNSCORED
    assert execution.detail


async def test_a_sandbox_whose_life_is_over_cannot_be_had():
    sandbox = FakeSandbox(life=1)
    await sandbox.execute(a_program("x"))
    with pytest.raises(SandboxTrouble):
        await sandbox.execute(a_program("x"))
    await sandbox.close()
    assert (len(sandbox.executed), sandbox.closed) == (1, True)


def test_a_source_shows_what_a_test_puts_into_it():
    broken = Unusable(name="x", location="/x", problem="It has no weights. Copy them again.")
    source = FakeSource([GOOD], unsettled=["late"], unusable=[broken])
    source.settled.append(WORSE)
    arrivals = source.arrivals(NOW)
    assert arrivals.settled == (GOOD, WORSE)
    assert arrivals.unsettled == ("late",)
    assert arrivals.unusable == (broken,)


def test_a_detector_signals_a_mean_that_moved():
    reference = pd.DataFrame({"length": [10.0, 10.0], "depth": [1, 1], "text": ["a", "b"]})
    current = pd.DataFrame({"length": [20.0, 20.0], "depth": [1, 1], "text": ["a", "b"]})
    signals = {signal.signal: signal.detected for signal in FakeDetector().detect(reference, current)}
    assert signals == {"length": True, "depth": False}
    assert FakeDetector(min_rows=3).detect(reference, current) == ()

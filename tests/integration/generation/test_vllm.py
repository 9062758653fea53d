"""One real vLLM through its whole life: two starts for all tests of this file, in their order."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.domain.errors import DeploymentBroken, EngineStalled, EngineTrouble, InvalidCheckpoint
from monitor.domain.evidence import DecisionKind
from monitor.domain.identity import content_digest
from monitor.domain.samples import Completion, Execution, Outcome, Style
from monitor.domain.tasks import Stratum, Suite, Task
from monitor.drift.nll import NllProbe
from monitor.drift.rubber_stamp import RubberStampProbe, chosen
from monitor.drift.snippets import Snippet
from monitor.generation.canaries import Fingerprint
from monitor.generation.client import VllmClient
from monitor.generation.introduction import introduce, take_fingerprint
from monitor.generation.launch import SERVED_NAME
from monitor.generation.managed import ManagedEngine
from monitor.generation.progress import tokens_in
from monitor.generation.refusals import Route
from monitor.generation.remote import RemoteEngine
from monitor.generation.switching import load_weights, prove_weights
from monitor.rounds.bench import Asking
from monitor.rounds.watching import bank, candidate
from monitor.rounds.worker import work_once
from monitor.verdicts.policy import Policy
from tests.integration.generation.conftest import VllmBench
from tests.unit.contracts.engine import EngineContract, collect
from tests.unit.contracts.store_nouns import a_sample
from tests.unit.generation.benches import processes_with, request
from tests.unit.generation.tiny_checkpoints import checkpoint_in, nan_checkpoint, tiny_checkpoint
from tests.unit.rounds.conftest import World, asking, small_suite

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEIGHTS = ["model.safetensors"]
TEXTS = ["def f(x):\n    return x + 1\n", "import heapq\n\nheap = []\n"]


def client_of(engine: ManagedEngine) -> VllmClient:
    assert engine._server is not None
    return engine._server.client


def group_of(engine: ManagedEngine) -> int:
    assert engine._server is not None
    return engine._server.process._process.pid


def servers_of(engine: ManagedEngine) -> list[int]:
    """The processes of vLLM, without the leash that leads their group."""
    group = group_of(engine)
    found = {*processes_with("vllm.entrypoints"), *processes_with("cpu_entry")} - {group}
    return [pid for pid in found if os.getpgid(pid) == group]


def gate_world(engine: ManagedEngine) -> World:
    """Forty tasks per stratum, sixteen samples of each in the bank."""
    world = World()
    world.engine, world.suite = engine, small_suite(40)
    world.policy = Policy(margin=dict.fromkeys(Stratum, 0.12), confirm=False)
    plan = replace(world.watch.plan, samples_per_task=16)
    world.watch = replace(world.watch, suite=world.suite, plan=plan)
    return world


def by_text(suite: Suite) -> Asking:
    """Every other text passes, as its digest has it: what is drawn decides, and nothing is run."""

    def judge(_: Task, completion: Completion) -> Execution:
        even = int(content_digest(completion.text)[:8], 16) % 2 == 0
        return Execution(outcome=Outcome.PASSED if even else Outcome.FAILED)

    return replace(asking(suite), assemble=judge)


async def logprobs_of(engine: ManagedEngine, folder: Path) -> tuple[Fingerprint, list[tuple[float, ...]]]:
    model = await engine.serve(checkpoint_in(folder))
    return model.fingerprint, await model.prompt_logprobs(TEXTS)


class TestAFreshServer:
    """Started with the second checkpoint, so that what a swap gives can be compared with it."""

    async def test_a_swap_gives_exactly_what_a_fresh_start_gives(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        fresh = await logprobs_of(engine, checkpoints / "second")
        other = await logprobs_of(engine, checkpoints / "first")
        swapped = await logprobs_of(engine, checkpoints / "second")
        assert engine.starts == 1
        assert swapped == fresh
        assert not other[0].agrees(fresh[0])

    async def test_the_proof_tells_other_files_from_what_computes(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        await engine.serve(checkpoint_in(checkpoints / "first"))
        assert (await prove_weights(client_of(engine), checkpoints / "first", WEIGHTS)).holds
        wrong = await prove_weights(client_of(engine), checkpoints / "second", WEIGHTS)
        assert not wrong.holds
        assert "stale" in wrong.problem

    async def test_seeds_are_repeated_as_measured(self, engine: ManagedEngine, checkpoints: Path) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        assert model.identity.seed_stable
        assert model.identity.kind == "vllm-managed"
        assert model.identity.settings["max_model_len"] == "256"

    async def test_chat_style_goes_through_the_chat_template(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        found = await collect(model, request("t1", count=3, seed=5, style=Style.CHAT))
        assert len({completion.text for completion in found}) == 3
        assert all(c.tokens > 0 and c.mean_logprob is not None for c in found)

    async def test_greedy_samples_of_a_task_are_one_text(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        found = await collect(model, request("t1", count=3, temperature=0.0))
        assert len(found) == 3
        assert len({completion.text for completion in found}) == 1

    async def test_a_text_longer_than_the_context_has_no_logprobs(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        short, long = await model.prompt_logprobs(["x = 1", "x" * 2000])
        assert len(short) == 4
        assert long == ()

    async def test_a_half_written_checkpoint_does_not_touch_the_server(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        before = engine.starts
        with pytest.raises(InvalidCheckpoint, match="half-written"):
            await engine.serve(checkpoint_in(checkpoints / "half"))
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        assert len(await collect(model, request(count=2))) == 2
        assert engine.starts == before

    async def test_the_remote_engine_serves_the_same_model(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        checkpoint = checkpoint_in(checkpoints / "first")
        managed = await engine.serve(checkpoint)
        remote = RemoteEngine(Route(url=client_of(engine).url + "/v1"), served_model="tailwatch")
        try:
            model = await remote.serve(checkpoint)
            assert model.fingerprint == managed.fingerprint
            ours, theirs = await collect(managed, request()), await collect(model, request())
            assert [c.text for c in theirs] == [c.text for c in ours]
        finally:
            await remote.close()


class TestContract(EngineContract):
    """The promises of the port, on the server that is running already."""

    @pytest.fixture
    def bench(self, engine: ManagedEngine, checkpoints: Path) -> VllmBench:
        names = ("first", "second", "half")
        first, second, unloadable = (checkpoint_in(checkpoints / name) for name in names)
        return VllmBench(engine=engine, first=first, second=second, unloadable=unloadable)

    async def test_closing_twice_is_closing_once(self, bench: Any) -> None:
        """Shown at the end of this file, where no test needs the server any more."""


class TestProbes:
    """What drift asks of a served model, on the server that is running already."""

    SNIPPETS = tuple(
        Snippet(
            project=f"p{number}",
            path=f"f{number}",
            rarity=1.0,
            stratum=Stratum.TAIL,
            context=f"def f{number}(x):\n",
            text=f"    return x + {number}\n",
        )
        for number in range(8)
    )

    async def test_the_same_checkpoint_is_equally_surprised_twice(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        too_long = replace(self.SNIPPETS[0], project="long", text="x" * 2000)
        probe = NllProbe([*self.SNIPPETS, too_long])
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        once, again = await probe.measure(model, ()), await probe.measure(model, ())
        assert len(once.readings) == 8
        assert [r.value for r in again.readings] == pytest.approx([r.value for r in once.readings], abs=1e-6)
        (indicator,) = probe.compare(once, again)
        assert not indicator.warns

    async def test_another_checkpoint_is_surprised_by_other_things(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        probe = NllProbe(self.SNIPPETS)
        first = await probe.measure(await engine.serve(checkpoint_in(checkpoints / "first")), ())
        second = await probe.measure(await engine.serve(checkpoint_in(checkpoints / "second")), ())
        assert all(a.value != b.value for a, b in zip(first.readings, second.readings, strict=True))
        assert all(reading.value > 0 for reading in (*first.readings, *second.readings))

    async def test_a_model_is_asked_about_its_own_samples(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        probe = RubberStampProbe(text_of=lambda sample: sample.completion.text)
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        samples = [a_sample(f"t{number}", outcome=Outcome.FAILED) for number in range(4)]
        found = await probe.measure(model, samples)
        assert [reading.item for reading in found.readings] == list(chosen(samples, 4))
        assert {reading.value for reading in found.readings} <= {0.0, 1.0}


class TestTheGate:
    async def test_the_same_weights_drawn_again_are_promoted_for_few_samples_because_they_repeat_themselves(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        world = gate_world(engine)
        subject = checkpoint_in(checkpoints / "first")
        drawn = bank(world.watch, subject, now=world.clock())
        again = candidate(world.watch, subject, subject, now=world.clock(), again=True)
        for each in (drawn, again):
            world.store.remember("acme", subject, now=world.clock())
            world.store.enqueue(each)
            bench = replace(world.bench(), plan=world.watch.plan, asking=by_text(world.suite))
            record = await work_once(bench, worker="w:1:1", only=each.key.evaluation_id)
        assert record is not None
        assert record.decision is not None
        assert record.decision.kind is DecisionKind.PROMOTE
        evidence = [finding.evidence for finding in record.decision.findings]
        # Uncoupled about 97 each are expected: half of the answers pass, and the margin is .12.
        assert all(each.samples <= world.bench().wave_samples == 48 for each in evidence)
        assert all(each.correlation is not None and each.correlation > 0.9 for each in evidence)


class TestWhatTheServerSaysOfItself:
    """Near the end of the file: what hangs or computed NaN is not used again, and costs a start."""

    async def test_its_counters_of_tokens_move_with_what_it_writes(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        async with httpx.AsyncClient(base_url=client_of(engine).url, trust_env=False) as client:
            before = tokens_in((await client.get("/metrics")).text)
            drawn = await collect(model, request(count=4))
            after = tokens_in((await client.get("/metrics")).text)
        assert before is not None
        assert after is not None
        assert after - before >= sum(each.tokens for each in drawn) > 0

    async def test_nan_is_recognised_whatever_is_asked_and_leaves_no_trace_in_the_next_weights(
        self, engine: ManagedEngine, checkpoints: Path, tmp_path: Path
    ) -> None:
        """The weights are put into the running server behind the engine's back, which saves two starts."""
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        nan_checkpoint(tmp_path / "diverged", seed=1)
        client = client_of(engine)
        await load_weights(client, tmp_path / "diverged")
        try:
            with pytest.raises(DeploymentBroken, match=r"diverged computes NaN for the canary prompts"):
                await introduce(client, name="diverged", kind="x", model_id=SERVED_NAME, settings={})
            for asked in (request(), request(style=Style.CHAT), request(temperature=0.0)):
                with pytest.raises(DeploymentBroken, match="computes NaN for task t1"):
                    await collect(model, asked)
            with pytest.raises(DeploymentBroken, match="computes NaN for a text"):
                await model.prompt_logprobs(TEXTS)
        finally:
            await load_weights(client, checkpoints / "first")
            # What computed NaN is started afresh otherwise; here the same weights are back.
            model.broken = False
        assert (await take_fingerprint(client, SERVED_NAME)) == model.fingerprint

    async def test_a_server_that_is_stopped_in_the_middle_is_a_stall(
        self, engine: ManagedEngine, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "first"))
        monkeypatch.setattr(client_of(engine)._progress, "_stall_s", 2.0)
        sampling = asyncio.create_task(collect(model, *(request(f"t{n}", seed=n) for n in range(200))))
        await asyncio.sleep(0.5)
        for pid in servers_of(engine):
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(EngineStalled, match="it has not given an answer"):
            await asyncio.wait_for(sampling, timeout=60)
        assert client_of(engine).stalled


class TestTiedEmbeddings:
    async def test_a_tied_checkpoint_gets_a_fresh_server(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        before = engine.starts
        model = await engine.serve(checkpoint_in(checkpoints / "tied"))
        assert engine.starts == before + 1
        assert model.identity.seed_stable

    async def test_the_known_fault_is_real_and_the_proof_sees_it(
        self, engine: ManagedEngine, checkpoints: Path, tmp_path: Path
    ) -> None:
        """Had the engine switched this server in place, it would have served a hybrid.

        And on the way back all is right again: a round trip proves nothing.
        """
        tiny_checkpoint(tmp_path / "other", seed=5, tied=True)
        await load_weights(client_of(engine), tmp_path / "other")
        proof = await prove_weights(client_of(engine), tmp_path / "other", WEIGHTS)
        assert not proof.holds
        await load_weights(client_of(engine), checkpoints / "tied")
        fingerprint = await take_fingerprint(client_of(engine), SERVED_NAME)
        assert engine._model is not None
        assert fingerprint.agrees(engine._model.fingerprint)


class TestTheEnd:
    async def test_a_killed_server_is_trouble_with_its_log_and_leaves_no_process(
        self, engine: ManagedEngine, checkpoints: Path
    ) -> None:
        model = await engine.serve(checkpoint_in(checkpoints / "tied"))
        group = group_of(engine)
        sampling = asyncio.create_task(collect(model, *(request(f"t{n}", seed=n) for n in range(200))))
        await asyncio.sleep(0.5)
        for pid in servers_of(engine):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineTrouble, match="last log lines") as caught:
            await asyncio.wait_for(sampling, timeout=30)
        assert caught.value.retryable
        await engine.close()
        await engine.close()
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
        with pytest.raises(httpx.ConnectError):
            httpx.get(model._client.url + "/health")

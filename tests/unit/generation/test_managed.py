"""When a managed engine switches, when it restarts, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import (
    CheckpointReplaced,
    DeploymentBroken,
    EngineStalled,
    EngineTrouble,
    InvalidCheckpoint,
    InvalidConfig,
    PortTaken,
)
from monitor.generation import canaries, managed
from monitor.generation.client import VllmClient
from monitor.generation.distribution import Vllm
from monitor.generation.launch import ServerPlan
from monitor.generation.managed import ManagedEngine
from monitor.generation.switching import load_weights
from tests.unit.contracts.engine import collect
from tests.unit.generation.benches import processes_with, request, stub_engine, unloadable_checkpoint
from tests.unit.generation.tiny_checkpoints import (
    checkpoint_in,
    edit_config,
    half_written,
    nan_checkpoint,
    tiny_checkpoint,
)

NewEngine = Callable[..., ManagedEngine]


@pytest.fixture
async def new_engine(tmp_path: Path) -> AsyncIterator[NewEngine]:
    engines: list[ManagedEngine] = []

    def new(*words: str, **others: Any) -> ManagedEngine:
        engines.append(stub_engine(tmp_path / "engine", *words, **others))
        return engines[-1]

    yield new
    for engine in engines:
        await engine.close()


@pytest.fixture
def first(tmp_path: Path) -> Checkpoint:
    return tiny_checkpoint(tmp_path / "first", seed=1)


@pytest.fixture
def second(tmp_path: Path) -> Checkpoint:
    return tiny_checkpoint(tmp_path / "second", seed=2)


async def test_checkpoints_of_one_configuration_share_a_server(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint
) -> None:
    engine = new_engine()
    before = (await engine.serve(first)).fingerprint
    other = (await engine.serve(second)).fingerprint
    again = (await engine.serve(first)).fingerprint
    assert engine.starts == 1
    assert before == again != other


async def test_tied_embeddings_always_get_a_fresh_server(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    for seed in (3, 4):
        await engine.serve(tiny_checkpoint(tmp_path / f"tied{seed}", seed=seed, tied=True))
    await engine.serve(first)
    assert engine.starts == 3


async def test_another_configuration_gets_a_fresh_server(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    await engine.serve(first)
    await engine.serve(tiny_checkpoint(tmp_path / "longer", seed=2, context=512))
    assert engine.starts == 2


@pytest.mark.parametrize("word", ["stale-weights", "unprovable"])
async def test_a_switch_that_cannot_be_proved_is_replaced_by_a_start(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint, word: str
) -> None:
    engine = new_engine(word)
    switched = [(await engine.serve(checkpoint)).fingerprint for checkpoint in (first, second, first)]
    assert engine.starts == 3
    assert switched[0] == switched[2] != switched[1]


async def test_a_switch_that_is_cut_off_leaves_nothing_that_is_taken_for_the_checkpoint_before(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = new_engine()
    before = await collect(await engine.serve(first), request())

    async def cut_off(client: VllmClient, folder: Path) -> None:
        await load_weights(client, folder)
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(managed, "load_weights", cut_off)
        with pytest.raises(asyncio.CancelledError):
            await engine.serve(second)
    # Two checkpoints may be as alike as that: the canaries alone do not tell them apart.
    monkeypatch.setattr(canaries, "TOLERANCE", float("inf"))
    assert await collect(await engine.serve(first), request()) == before


async def test_the_checkpoint_that_is_served_is_served_again_without_a_start(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    engine = new_engine()
    await engine.serve(first)
    model = await engine.serve(first)
    assert engine.starts == 1
    assert len(await collect(model, request(count=2))) == 2


async def test_a_folder_that_was_overwritten_is_loaded_again(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    before = (await engine.serve(first)).fingerprint
    tiny_checkpoint(tmp_path / "new", seed=7)
    (tmp_path / "new" / "model.safetensors").replace(tmp_path / "first" / "model.safetensors")
    after = (await engine.serve(checkpoint_in(tmp_path / "first"))).fingerprint
    assert before != after


async def test_a_model_that_was_replaced_refuses_to_answer(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint
) -> None:
    engine = new_engine()
    old = await engine.serve(first)
    await engine.serve(second)
    with pytest.raises(EngineTrouble, match="another checkpoint took its place"):
        await collect(old, request())
    with pytest.raises(EngineTrouble, match="another checkpoint took its place"):
        await old.prompt_logprobs(["text"])


async def test_a_context_that_is_a_turn_is_put_by_the_chat_template(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    model = await new_engine().serve(first)
    (turn,) = await model.prompt_logprobs(["Yes"], contexts=["Is it?"], chat=True)
    (spelled,) = await model.prompt_logprobs(["Yes"], contexts=["<user>Is it?<model>"])
    (plain,) = await model.prompt_logprobs(["Yes"], contexts=["Is it?"])
    assert len(turn) == 3
    assert turn == pytest.approx(spelled)
    assert turn != pytest.approx(plain)


async def test_an_engine_that_dies_while_sampling_says_its_last_lines_and_can_serve_again(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    engine = new_engine("dies-on-completion")
    model = await engine.serve(first)
    with pytest.raises(EngineTrouble, match="RuntimeError: the stub was told to die") as caught:
        await asyncio.wait_for(collect(model, *(request(f"t{n}") for n in range(20))), timeout=10)
    assert "starting, line 49" in caught.value.message
    assert "starting, line 3\n" not in caught.value.message
    await engine.serve(first)
    assert engine.starts == 2


async def test_an_engine_that_dies_at_the_start_says_why(new_engine: NewEngine, first: Checkpoint) -> None:
    with pytest.raises(EngineTrouble, match="no memory left for the key-value cache") as caught:
        await new_engine("dies-at-start").serve(first)
    assert "vllm.log" in caught.value.next_step


async def test_an_engine_that_never_answers_is_ended(new_engine: NewEngine, first: Checkpoint) -> None:
    engine = new_engine("never-ready", ready_s=0.5)
    with pytest.raises(EngineTrouble, match=r"not ready within 0\.5 s"):
        await engine.serve(first)
    assert processes_with(first.location) == []


async def test_a_wanted_port_that_is_taken_is_said_before_anything_starts(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        engine = new_engine(port=port)
        with pytest.raises(PortTaken, match=str(port)):
            await engine.serve(first)
    assert engine.starts == 0


async def test_a_port_lost_between_looking_and_listening_is_tried_once_more(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    engine = new_engine("port-taken")
    with pytest.raises(EngineTrouble, match="Address already in use"):
        await engine.serve(first)
    assert engine.starts == 2


async def test_damaged_files_are_found_before_the_server_is_touched(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    await engine.serve(first)
    half = tiny_checkpoint(tmp_path / "half", seed=4)
    half_written(tmp_path / "half" / "model.safetensors")
    with pytest.raises(InvalidCheckpoint, match="half-written"):
        await engine.serve(half)
    await engine.serve(first)
    assert engine.starts == 1


async def test_what_only_vllm_finds_wrong_is_read_from_its_log(new_engine: NewEngine, tmp_path: Path) -> None:
    with pytest.raises(InvalidCheckpoint, match="HeaderTooLarge"):
        await new_engine().serve(unloadable_checkpoint(tmp_path / "bad"))


async def test_weights_that_are_nan_are_a_fact_about_the_checkpoint(
    new_engine: NewEngine, tmp_path: Path
) -> None:
    engine = new_engine()
    with pytest.raises(DeploymentBroken, match=r"broken computes NaN for the canary prompts.*JSON compliant"):
        await engine.serve(nan_checkpoint(tmp_path / "broken", seed=4))
    assert engine.starts == 1


async def test_nan_on_a_server_that_was_switched_is_asked_for_again_on_a_fresh_one(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    good = (await engine.serve(first)).fingerprint
    with pytest.raises(DeploymentBroken):
        await engine.serve(nan_checkpoint(tmp_path / "broken", seed=4))
    assert engine.starts == 2
    # What computed NaN is not asked any more: its cache may hold some.
    assert (await engine.serve(first)).fingerprint == good
    assert engine.starts == 3


async def test_nan_for_one_prompt_breaks_the_deployment_and_what_was_answered_before_stays(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint
) -> None:
    engine = new_engine()
    completions = (await engine.serve(first)).complete(
        [request("fine", count=2), request("odd", prompt="def nanmean(x):", count=2)]
    )
    assert [(await anext(completions)).task_id for _ in range(2)] == ["fine", "fine"]
    with pytest.raises(DeploymentBroken, match="first computes NaN for task odd, each time it is asked"):
        await anext(completions)
    await engine.serve(second)
    assert engine.starts == 2


async def test_nan_for_a_text_breaks_the_deployment_as_well(new_engine: NewEngine, first: Checkpoint) -> None:
    model = await new_engine().serve(first)
    with pytest.raises(DeploymentBroken, match="computes NaN for a text"):
        await model.prompt_logprobs(["def nanmean(x):"])


async def test_a_context_shorter_than_the_canaries_is_named(new_engine: NewEngine, tmp_path: Path) -> None:
    short = tiny_checkpoint(tmp_path / "short", seed=4, context=32)
    with pytest.raises(InvalidCheckpoint, match=r"a context of 32 tokens.*need 64.*--max-model-len"):
        await new_engine().serve(short)


async def test_canaries_that_are_refused_are_a_fact_about_the_checkpoint(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    with pytest.raises(InvalidCheckpoint, match=r"refuses the canary prompts.*out of vocabulary"):
        await new_engine("refuses").serve(first)


async def test_a_server_that_hangs_is_given_up_and_the_next_try_gets_a_fresh_one(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    engine = new_engine("hangs", stall_s=1.0)
    model = await engine.serve(first)
    with pytest.raises(EngineStalled, match=r"for 1 s \(`engine\.stall_s`\) it has not given an answer"):
        await asyncio.wait_for(collect(model, request("a"), request("b", seed=9)), timeout=30)
    await engine.serve(first)
    assert engine.starts == 2


async def test_a_slow_server_whose_tokens_count_on_is_waited_for(
    new_engine: NewEngine, first: Checkpoint
) -> None:
    model = await new_engine("slow", stall_s=3.0).serve(first)
    assert len(await collect(model, request("a", count=2))) == 2


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_proxies_of_the_environment_are_not_asked_for_a_server_on_this_machine(
    new_engine: NewEngine, first: Checkpoint, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(
        variable, "socks5://127.0.0.1:9" if "all" in variable.lower() else "http://127.0.0.1:9"
    )
    model = await new_engine().serve(first)
    assert len(await collect(model, request(count=2))) == 2


async def test_a_server_that_changes_its_answers_is_ended(new_engine: NewEngine, first: Checkpoint) -> None:
    engine = new_engine("moody")
    await engine.serve(first)
    with pytest.raises(EngineTrouble, match="otherwise than the server before it"):
        await engine.serve(first)


async def test_forgetting_seeds_is_noticed(new_engine: NewEngine, first: Checkpoint) -> None:
    assert not (await new_engine("forgets-seeds").serve(first)).identity.seed_stable


def group_of(pid: int) -> int:
    """Its process group; 0 where the process has ended meanwhile."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


async def test_closing_ends_everything_the_server_started(new_engine: NewEngine, first: Checkpoint) -> None:
    engine = new_engine()
    await engine.serve(first)
    assert engine._server is not None
    group = engine._server.process._process.pid
    started = {pid for pid in processes_with("# vllm engine") if group_of(pid) == group}
    assert started
    await engine.close()
    assert not started & set(processes_with("# vllm engine"))


async def test_without_vllm_the_error_says_what_to_install(
    tmp_path: Path, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> Vllm:
        raise InvalidConfig("no vLLM", next_step="pip install 'tailwatch[vllm]'")

    monkeypatch.setattr(managed, "installed_vllm", nothing)
    with pytest.raises(InvalidConfig, match=r"tailwatch\[vllm\]"):
        await ManagedEngine(ServerPlan(folder=tmp_path / "engine")).serve(first)


async def test_a_configuration_without_architecture_is_named(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    edit_config(tmp_path / "first", lambda config: config.pop("architectures"))
    with pytest.raises(InvalidCheckpoint, match=r"config\.json names no architecture"):
        await new_engine().serve(first)


class Changeable:
    """Confirms a checkpoint while its folder's content is what it was, and can change it meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = checkpoint_in(folder).digest
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, checkpoint: Checkpoint) -> None:
        if checkpoint_in(self._folder).digest != self._known:
            raise CheckpointReplaced(f"{checkpoint.name} was replaced.", next_step="Put it back.")
        self.asked += 1
        self.meanwhile()


async def test_a_folder_that_was_overwritten_after_it_settled_is_not_served(
    new_engine: NewEngine, first: Checkpoint, second: Checkpoint
) -> None:
    changeable = Changeable(Path(first.location))
    engine = new_engine(confirm=changeable)
    overwrite(first, second)
    with pytest.raises(CheckpointReplaced):
        await engine.serve(first)
    assert engine.starts == 0


async def test_a_folder_that_is_overwritten_while_it_is_loaded_is_not_served_nor_taken_for_it_later(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint, second: Checkpoint
) -> None:
    good = (await new_engine().serve(first)).fingerprint
    copy = tmp_path / "copy"
    shutil.copytree(first.location, copy)
    changeable = Changeable(Path(first.location))
    changeable.meanwhile = lambda: overwrite(first, second)
    engine = new_engine(confirm=changeable)
    with pytest.raises(CheckpointReplaced):
        await engine.serve(first)
    assert changeable.asked == 1
    overwrite(first, checkpoint_in(copy))
    changeable.meanwhile = lambda: None
    assert (await engine.serve(first)).fingerprint == good


def overwrite(checkpoint: Checkpoint, other: Checkpoint) -> None:
    weights = Path(other.location) / "model.safetensors"
    shutil.copy(weights, Path(checkpoint.location) / "model.safetensors")


async def test_a_folder_whose_name_is_not_utf8_is_served_and_switched_to(
    new_engine: NewEngine, tmp_path: Path, first: Checkpoint
) -> None:
    engine = new_engine()
    await engine.serve(first)
    odd = tiny_checkpoint(tmp_path / os.fsdecode(b"caf\xe9"), seed=5)
    await engine.serve(odd)
    assert engine.starts == 1
    await engine.close()
    await engine.serve(odd)
    assert engine.starts == 2

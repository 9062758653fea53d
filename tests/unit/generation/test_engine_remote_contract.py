from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from monitor.config import load_options
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import EngineTrouble, InvalidConfig, ModelNotServed
from monitor.domain.samples import SampleRequest
from monitor.generation.client import Patience
from monitor.generation.process import free_port
from monitor.generation.refusals import Route
from monitor.generation.remote import RemoteEngine
from monitor.testing import FakeSandbox, MemoryStore
from monitor.wiring import open_bench, open_deployment
from tests.unit.contracts.engine import EngineContract
from tests.unit.generation import stub_vllm
from tests.unit.generation.benches import request
from tests.unit.generation.tiny_checkpoints import tiny_checkpoint


def endpoint(name: str) -> Checkpoint:
    return Checkpoint(digest="0" * 64, name=name, location="http://somewhere")


@asynccontextmanager
async def serving(weights: Path, port: int, *words: str) -> AsyncIterator[str]:
    """A stub that somebody else runs; it serves the model ``acme`` to who has the key."""
    arguments = ["--model", str(weights), "--port", str(port)]
    arguments += [part for word in words for part in ("--stub", word)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", stub_vllm.__file__, *arguments),
        *("--served-model-name", "acme", "--api-key", "right"),
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient() as client:
        for _ in range(400):
            try:
                await client.get(url + "/health")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
    yield url
    process.terminate()
    await process.wait()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[str]:
    tiny_checkpoint(tmp_path / "weights", seed=1)
    async with serving(tmp_path / "weights", free_port(None)) as url:
        yield url


@dataclass
class RemoteBench:
    engine: RemoteEngine
    first = endpoint("acme")
    second = endpoint("acme")
    unloadable = endpoint("nobody")

    def request(self, task_id: str, *, count: int, seed: int, first_index: int = 0) -> SampleRequest:
        return request(task_id, count=count, seed=seed, first_index=first_index)

    def refused(self, *, count: int) -> SampleRequest:
        return request("refused", prompt="x" * 1000, count=count)


class TestRemoteEngine(EngineContract):
    # Nothing is loaded here: who runs the server may still serve it.
    cannot_load = ModelNotServed

    @pytest.fixture
    async def bench(self, server: str) -> AsyncIterator[RemoteBench]:
        engine = RemoteEngine(Route(url=server + "/v1/", api_key="right"), concurrency=8)
        yield RemoteBench(engine=engine)
        await engine.close()

    async def test_other_weights_give_other_logprobs(self, bench: RemoteBench) -> None:  # type: ignore[override]
        """A remote engine serves what its server serves: one model."""
        first, second = [(await bench.engine.serve(c)).fingerprint for c in (bench.first, bench.second)]
        assert first == second


async def test_a_model_the_server_does_not_have_is_named_with_those_it_has(server: str) -> None:
    engine = RemoteEngine(Route(url=server, api_key="right"))
    with pytest.raises(ModelNotServed, match=r"serves no model nobody, but: acme.*engine\.served_model"):
        await engine.serve(endpoint("nobody"))
    await engine.close()


async def test_a_wrong_key_is_said(server: str) -> None:
    engine = RemoteEngine(Route(url=server, api_key="wrong"), served_model="acme")
    with pytest.raises(InvalidConfig, match="did not accept the API key"):
        await engine.serve(endpoint("acme"))
    await engine.close()


async def test_a_server_that_cannot_be_reached_is_said() -> None:
    url = f"http://127.0.0.1:{free_port(None)}"
    engine = RemoteEngine(Route(url=url), patience=Patience(attempts=2, first_pause_s=0.01))
    with pytest.raises(EngineTrouble, match=rf"{url} did not answer /v1/models in 2 attempts"):
        await engine.serve(endpoint("acme"))
    await engine.close()


async def test_a_server_that_holds_other_weights_under_a_name_is_not_taken_for_what_it_was(
    tmp_path: Path,
) -> None:
    port, store = free_port(None), MemoryStore()
    for folder, seed in (("old", 1), ("new", 2)):
        tiny_checkpoint(tmp_path / folder, seed=seed)

    async def serve(checkpoint: Checkpoint) -> None:
        route = Route(url=f"http://127.0.0.1:{port}", api_key="right")
        engine = RemoteEngine(route, recall=store.fingerprint)
        try:
            await engine.serve(checkpoint)
        finally:
            await engine.close()

    known = endpoint("acme")
    async with serving(tmp_path / "old", port):
        await serve(known)
        await serve(known)
    async with serving(tmp_path / "new", port):
        with pytest.raises(EngineTrouble, match=r"otherwise than when it first served acme .* nats"):
            await serve(known)
        await serve(replace(known, digest="1" * 64))
    async with serving(tmp_path / "old", port):
        await serve(known)


async def test_what_a_server_answered_first_is_known_to_the_next_process_of_a_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, config = free_port(None), tmp_path / "tailwatch.yaml"
    for folder, seed in (("old", 1), ("new", 2)):
        tiny_checkpoint(tmp_path / folder, seed=seed)
    config.write_text(
        "model: acme\ncheckpoints: {path: models}\nsuite: core\ndrift: {columns: false, indicators: false}\n"
        f"engine: {{kind: remote, url: 'http://127.0.0.1:{port}', api_key_env: ACME_KEY}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ACME_KEY", "right")

    async def serve() -> None:
        with open_deployment(load_options(config)) as deployment:
            async with open_bench(deployment, sandbox=FakeSandbox()) as bench:
                await bench.engine.serve(endpoint("acme"))

    async with serving(tmp_path / "old", port):
        await serve()
        await serve()
    async with serving(tmp_path / "new", port):
        with pytest.raises(EngineTrouble, match="otherwise than when it first served acme"):
            await serve()

"""A server that hangs is told from one that is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import httpx
import pytest

from monitor.domain.errors import EngineStalled
from monitor.generation.client import Patience, VllmClient
from monitor.generation.progress import ProgressWatch, tokens_in
from monitor.generation.refusals import Route
from monitor.generation.switching import load_weights, prove_weights

STALL_S = 0.3
FOREVER_S = 60.0
Counter = Callable[[], Awaitable[float | None]]


def watch(counter: Counter, *, stall_s: float = STALL_S) -> ProgressWatch:
    return ProgressWatch("http://engine", stall_s=stall_s, count_tokens=counter)


async def unknown() -> float | None:
    return None


async def constant() -> float | None:
    return 17.0


def growing() -> Counter:
    counts = count()

    async def next_count() -> float | None:
        return float(next(counts))

    return next_count


async def answer(after_s: float) -> str:
    await asyncio.sleep(after_s)
    return "answer"


@pytest.mark.parametrize(
    ("counter", "said"), [(unknown, "an answer (it shows no /metrics)"), (constant, "an answer or a token")]
)
async def test_neither_an_answer_nor_a_token_is_a_stall(
    counter: Counter, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(counter)
    calls = [asyncio.create_task(watched.during(answer(FOREVER_S))) for _ in range(3)]
    done, _ = await asyncio.wait(calls, timeout=FOREVER_S / 2)
    assert len(done) == 3
    for each in done:
        assert isinstance(each.exception(), EngineStalled)
        assert said in str(each.exception())
    assert watched.stalled
    assert [record.message for record in caplog.records] == ["engine hangs"]


async def test_tokens_without_an_answer_are_progress() -> None:
    watched = watch(growing())
    assert await watched.during(answer(4 * STALL_S)) == "answer"
    assert not watched.stalled


async def test_answers_to_some_requests_are_progress_for_all() -> None:
    watched = watch(unknown, stall_s=1.5)
    slow = asyncio.create_task(watched.during(answer(2.5)))
    for _ in range(24):
        await watched.during(answer(0.1))
    assert await slow == "answer"
    assert not watched.stalled


async def test_a_pause_between_requests_is_no_stall() -> None:
    watched = watch(unknown, stall_s=1.0)
    assert await watched.during(answer(0.01)) == "answer"
    await asyncio.sleep(1.5)
    assert await watched.during(answer(0.01)) == "answer"
    assert not watched.stalled


async def test_requests_after_a_stall_are_watched_again() -> None:
    watched = watch(unknown)
    for _ in range(2):
        with pytest.raises(EngineStalled):
            await asyncio.wait_for(watched.during(answer(FOREVER_S)), FOREVER_S / 2)
    assert await watched.during(answer(0.01)) == "answer"


async def test_who_leaves_early_is_not_told_of_a_stall() -> None:
    leaving = asyncio.create_task(watch(unknown, stall_s=FOREVER_S).during(answer(FOREVER_S)))
    await asyncio.sleep(0.05)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving


def test_counters_of_several_engines_are_one_number() -> None:
    text = "".join(
        f'vllm:{kind}_tokens_total{{engine="{engine}",model_name="m"}} {n}\n'
        for n, (kind, engine) in enumerate([("prompt", 0), ("generation", 0), ("generation", 1)], start=1)
    )
    assert tokens_in(f"# HELP vllm:prompt_tokens_total x\n{text}vllm:num_requests_running 9\n") == 6.0
    assert tokens_in("python_gc_objects_collected_total 5\n") is None


def test_a_model_may_have_braces_in_its_name() -> None:
    assert tokens_in('vllm:prompt_tokens_total{model_name="a{b}c",engine="0"} 5\n') == 5.0


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions", "/tokenize", "/v1/models"])
async def test_whatever_is_asked_of_a_server_that_hangs_ends_in_a_stall(path: str) -> None:
    async def handler(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(FOREVER_S)
        raise AssertionError

    transport = httpx.MockTransport(handler)
    client = VllmClient(
        Route(url="http://engine"),
        concurrency=1,
        transport=transport,
        patience=Patience(stall_s=0.1, connect_s=0.1),
    )
    with pytest.raises(EngineStalled, match="http://engine hangs"):
        await asyncio.wait_for(client.post(path, {}), FOREVER_S / 2)
    assert client.stalled


async def test_metrics_that_cannot_be_read_do_not_end_the_watch() -> None:
    async def handler(asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/metrics":
            raise httpx.DecodingError("not gzip", request=asked)
        await asyncio.sleep(FOREVER_S)
        raise AssertionError

    transport = httpx.MockTransport(handler)
    client = VllmClient(
        Route(url="http://engine"), concurrency=1, transport=transport, patience=Patience(stall_s=0.1)
    )
    with pytest.raises(EngineStalled, match="it shows no /metrics"):
        await asyncio.wait_for(client.get("/v1/models"), FOREVER_S / 10)


async def test_loading_and_comparing_weights_has_a_limit_of_its_own_and_is_no_stall() -> None:
    limits = []

    async def handler(asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/reset_prefix_cache":
            return httpx.Response(200)
        limits.append(asked.extensions["timeout"]["read"])
        await asyncio.sleep(0.5)
        return httpx.Response(200, json={"results": []})

    transport = httpx.MockTransport(handler)
    client = VllmClient(
        Route(url="http://engine"), concurrency=1, transport=transport, patience=Patience(stall_s=0.1)
    )
    await load_weights(client, Path("/weights"))
    await prove_weights(client, Path("/weights"), ["model.safetensors"])
    assert limits == [Patience().loading_s] * 2
    assert not client.stalled


async def test_an_answer_that_takes_an_hour_is_a_stall_and_not_asked_for_again() -> None:
    tries = []

    def handler(asked: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise httpx.ReadTimeout("slow", request=asked)

    client = VllmClient(Route(url="http://engine"), concurrency=1, transport=httpx.MockTransport(handler))
    with pytest.raises(EngineStalled, match="has not answered /v1/completions for 3600 s"):
        await client.post("/v1/completions", {})
    assert len(tries) == 1
    assert client.stalled


async def test_who_waits_longer_for_a_stall_waits_as_long_for_an_answer() -> None:
    def handler(asked: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=asked.extensions["timeout"]["read"])

    patient = Patience(stall_s=7200.0)
    client = VllmClient(
        Route(url="http://engine"), concurrency=1, transport=httpx.MockTransport(handler), patience=patient
    )
    assert await client.get("/v1/models") == 7200.0

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.errors import DeploymentBroken, EngineTrouble, InvalidConfig
from monitor.domain.samples import FinishReason, Style
from monitor.generation.canaries import CANARIES, Fingerprint
from monitor.generation.client import Patience, VllmClient
from monitor.generation.introduction import introduce
from monitor.generation.refusals import NotFinite, Refused, Route
from monitor.generation.served import ServedModel
from tests.unit.contracts.engine import collect
from tests.unit.generation.benches import request

Handler = Callable[[httpx.Request], Any]


class Lifeline:
    """A server whose death a test sets."""

    def __init__(self) -> None:
        self.dead = asyncio.Event()

    @property
    def alive(self) -> bool:
        return not self.dead.is_set()

    async def trouble(self) -> EngineTrouble:
        await self.dead.wait()
        return EngineTrouble("The server died.", next_step="Start it.")


class Pauses:
    """Remembers how long it was asked to sleep, and does not."""

    def __init__(self) -> None:
        self.lengths: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)


def client_for(handler: Handler, **others: Any) -> VllmClient:
    return VllmClient(
        Route(url="http://engine:8000/v1", api_key=others.pop("api_key", None)),
        concurrency=others.pop("concurrency", 4),
        transport=httpx.MockTransport(handler),
        patience=replace(others.pop("patience", Patience()), pause=others.pop("pause", Pauses())),
        **others,
    )


def model_for(client: VllmClient, *, concurrency: int = 4) -> ServedModel:
    return ServedModel(
        client,
        name="gen1",
        model_id="m",
        identity=EngineIdentity(kind="vllm-remote", version="1", settings={}, seed_stable=True),
        fingerprint=Fingerprint(values=(-1.0,)),
        concurrency=concurrency,
    )


def answer(asked: httpx.Request) -> httpx.Response:
    body = json.loads(asked.content)
    choices = [{"index": i, "text": f"{body['seed'] + i}", "finish_reason": "stop"} for i in range(body["n"])]
    return httpx.Response(200, json={"choices": choices})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_passing_troubles_are_tried_again_after_growing_pauses(status: int) -> None:
    left = [status, status, status]
    pauses = Pauses()

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(left.pop()) if left else httpx.Response(200, json={"fine": True})

    assert await client_for(handler, pause=pauses).post("/x", {}) == {"fine": True}
    assert len(pauses.lengths) == 3
    assert all(0.5 * 0.25 * 2**n <= pause <= 1.5 * 0.25 * 2**n for n, pause in enumerate(pauses.lengths))


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.DecodingError]
)
async def test_broken_connections_are_tried_again_a_bounded_number_of_times(error: Any) -> None:
    tries = []

    def handler(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise error("connection reset")

    with pytest.raises(EngineTrouble, match=r"http://engine:8000 did not answer /x in 3 attempts.*reset"):
        await client_for(handler, patience=Patience(attempts=3)).post("/x", {})
    assert len(tries) == 3


async def test_a_call_made_once_is_not_repeated_and_its_error_is_a_refusal() -> None:
    tries = []

    def handler(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        return httpx.Response(500, json={"error": {"message": "no such file"}})

    with pytest.raises(Refused, match="no such file"):
        await client_for(handler).post("/collective_rpc", {}, once=True)
    assert len(tries) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_is_the_configurations_fault(status: int) -> None:
    client = client_for(lambda _: httpx.Response(status, json={"error": "Unauthorized"}), api_key="wrong")
    with pytest.raises(InvalidConfig, match="api_key_env"):
        await client.get("/v1/models")


async def test_the_key_is_sent_and_never_shown() -> None:
    seen = []

    def handler(asked: httpx.Request) -> httpx.Response:
        seen.append(asked.headers["Authorization"])
        return httpx.Response(401)

    with pytest.raises(InvalidConfig) as caught:
        await client_for(handler, api_key="s3cret").get("/v1/models")
    assert seen == ["Bearer s3cret"]
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 500])
async def test_nan_is_neither_asked_for_five_times_nor_a_fault_of_the_request(status: int) -> None:
    tries = []

    def handler(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        error = {"message": "Out of range float values are not JSON compliant", "code": status}
        return httpx.Response(status, json={"error": error})

    with pytest.raises(NotFinite):
        await client_for(handler).post("/v1/completions", {})
    assert len(tries) == 1
    with pytest.raises(DeploymentBroken, match="gen1 computes NaN for task t1"):
        await collect(model_for(client_for(handler)), request())
    assert len(tries) == 3


@pytest.mark.parametrize("logprob", ["NaN", "Infinity"])
@pytest.mark.parametrize("style", Style)
async def test_nan_that_a_server_writes_as_such_is_seen_as_well(logprob: str, style: Style) -> None:
    def handler(asked: httpx.Request) -> httpx.Response:
        entry = {
            Style.COMPLETION: '"text": "x", "logprobs": {"token_logprobs": [-1.0, LOGPROB]}',
            Style.CHAT: '"message": {"content": "x"}, "logprobs": {"content": [{"logprob": LOGPROB}]}',
        }[style].replace("LOGPROB", logprob)
        count = json.loads(asked.content)["n"]
        choices = ", ".join(f'{{"index": {n}, "finish_reason": "stop", {entry}}}' for n in range(count))
        return httpx.Response(200, text=f'{{"choices": [{choices}]}}')

    with pytest.raises(DeploymentBroken):
        await collect(model_for(client_for(handler)), request(style=style))


async def test_nan_that_does_not_come_again_is_nobodys_fault() -> None:
    left = [400]

    def handler(asked: httpx.Request) -> httpx.Response:
        if left:
            return httpx.Response(left.pop(), text="Out of range float values are not JSON compliant")
        return answer(asked)

    assert len(await collect(model_for(client_for(handler)), request(count=2))) == 2


async def test_nan_that_a_canary_does_not_show_again_is_nobodys_fault() -> None:
    left = [400]

    def handler(asked: httpx.Request) -> httpx.Response:
        if asked.method == "GET":
            return httpx.Response(200, json={"data": [{"id": "m", "max_model_len": 256}], "version": "1"})
        if "prompt_logprobs" not in json.loads(asked.content):
            return answer(asked)
        if left:
            return httpx.Response(left.pop(), text="Out of range float values are not JSON compliant")
        return httpx.Response(200, json={"choices": [{"prompt_logprobs": [None, {"7": {"logprob": -1.0}}]}]})

    found = await introduce(client_for(handler), name="gen1", kind="vllm-remote", model_id="m", settings={})
    assert found.fingerprint.values == (-1.0,) * len(CANARIES)
    assert found.identity.seed_stable


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "This prompt is too long: 'ValueError: Out of range float values are not JSON compliant'"),
        (400, "Out of range float values are not JSON compliant: -inf"),
        (400, "temperature must not be nan"),
        (502, "Out of range float values are not JSON compliant"),
        (429, "Out of range float values are not JSON compliant"),
        (302, "Out of range float values are not JSON compliant"),
        (403, "Out of range float values are not JSON compliant"),
    ],
)
async def test_an_error_that_only_quotes_nan_is_no_fact_about_the_model(status: int, text: str) -> None:
    client = client_for(lambda _: httpx.Response(status, json={"error": {"message": text}}))
    with pytest.raises((Refused, EngineTrouble, InvalidConfig)) as caught:
        await client.post("/v1/completions", {})
    assert not isinstance(caught.value, NotFinite)


@pytest.mark.parametrize(
    ("headers", "least_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Tue, 01 Dec 2026 12:01:30 GMT", "Date": "Tue, 01 Dec 2026 12:00:00 GMT"}, 90.0),
        ({"Retry-After": "Tue, 01 Dec 2026 12:00:20 GMT"}, 20.0),
        ({"Retry-After": "Tue, 01 Dec 2020 12:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": f"Wed, 21 Oct {10**20} 07:28:00 GMT"}, 0.0),
        ({}, 0.0),
    ],
)
async def test_a_server_is_left_alone_for_as_long_as_it_asks(headers: dict[str, str], least_s: float) -> None:
    left, pauses = [429], Pauses()

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(left.pop(), headers=headers) if left else httpx.Response(200, json={"fine": 1})

    patience = Patience(clock=lambda: datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert await client_for(handler, patience=patience, pause=pauses).get("/v1/models") == {"fine": 1}
    (pause,) = pauses.lengths
    assert least_s <= pause <= least_s + 0.5


async def test_a_server_that_wants_to_be_left_alone_for_an_hour_is_in_trouble() -> None:
    client = client_for(lambda _: httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(EngineTrouble, match=r"in 1 attempts.*asked again after 3600 s"):
        await client.get("/v1/models")


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://llm.example.com/v1/models", "https://llm.example.com"),
        ("/proxy/v1/models", "http://engine:8000/proxy"),
        ("https://login.example.com/?next=x", "https://login.example.com/?next=x"),
        ("http://[bad", "http://[bad"),
    ],
)
async def test_a_redirect_names_where_to_and_the_setting(location: str, named: str) -> None:
    client = client_for(lambda _: httpx.Response(307, headers={"Location": location}))
    with pytest.raises(InvalidConfig, match="redirects /v1/models to") as caught:
        await client.get("/v1/models")
    assert caught.value.next_step.startswith(f"Set engine.url to {named} ")


async def test_something_other_than_json_is_trouble() -> None:
    with pytest.raises(EngineTrouble, match="other than JSON"):
        await client_for(lambda _: httpx.Response(200, text="<html>")).get("/v1/models")


async def test_a_dead_server_is_not_asked_again() -> None:
    lifeline = Lifeline()
    tries = []

    def handler(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        lifeline.dead.set()
        raise httpx.ReadError("reset")

    with pytest.raises(EngineTrouble, match="The server died"):
        await client_for(handler, lifeline=lifeline).post("/x", {})
    assert len(tries) == 1


async def test_waiting_ends_at_once_when_the_server_dies() -> None:
    lifeline = Lifeline()

    async def handler(_: httpx.Request) -> httpx.Response:
        lifeline.dead.set()
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(EngineTrouble, match="The server died"):
        await asyncio.wait_for(collect(model_for(client_for(handler, lifeline=lifeline)), request()), 5)


async def test_no_more_requests_are_in_flight_than_allowed() -> None:
    flying = most = 0

    async def handler(asked: httpx.Request) -> httpx.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.001)
        flying -= 1
        return answer(asked)

    requests = [request(f"t{n}", count=2, seed=10 * n) for n in range(40)]
    found = await collect(model_for(client_for(handler, concurrency=50), concurrency=5), *requests)
    assert most == 5
    assert len(found) == 80


async def test_requests_are_taken_from_the_iterable_only_as_there_is_room() -> None:
    taken = 0

    def requests() -> Any:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield request(f"t{number}", count=1)

    async for _ in model_for(client_for(answer), concurrency=3).complete(requests()):
        assert taken <= 8
        break


async def test_what_was_answered_before_a_trouble_is_given_first() -> None:
    lifeline = Lifeline()

    async def handler(asked: httpx.Request) -> httpx.Response:
        if json.loads(asked.content)["seed"] == 0:
            return answer(asked)
        await asyncio.sleep(0.01)
        lifeline.dead.set()
        await asyncio.sleep(60)
        raise AssertionError

    model = model_for(client_for(handler, lifeline=lifeline))
    completions = model.complete([request("a", seed=0, count=2), request("b", seed=1)])
    assert [(await anext(completions)).task_id for _ in range(2)] == ["a", "a"]
    with pytest.raises(EngineTrouble):
        await anext(completions)


async def test_a_refused_request_is_aborted_and_the_others_go_on() -> None:
    def handler(asked: httpx.Request) -> httpx.Response:
        if json.loads(asked.content)["seed"] == 666:
            return httpx.Response(400, json={"error": {"message": "prompt too long"}})
        return answer(asked)

    found = await collect(model_for(client_for(handler)), request("a", seed=1), request("b", seed=666))
    assert [c.finish_reason for c in found] == [FinishReason.STOP] * 4 + [FinishReason.REFUSED] * 4
    assert {c.detail for c in found if c.task_id == "b"} == {"prompt too long"}


@pytest.mark.parametrize(("status", "message"), [(404, "still serves"), (401, "api_key_env")])
async def test_a_server_that_turns_away_in_the_middle_is_trouble(status: int, message: str) -> None:
    client = client_for(lambda _: httpx.Response(status, json={"error": "gone"}))
    with pytest.raises(EngineTrouble, match=message):
        await collect(model_for(client), request())

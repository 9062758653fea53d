"""Answers are kept, and never longer than they are true."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import Request

from benchmarks.performance.grown_store import BEGIN, MODEL, SUITE, Scale, grow
from monitor.domain.checkpoint import Role
from monitor.domain.errors import StoreTrouble
from monitor.domain.samples import SamplingPlan
from monitor.export.collector import StoreCollector, new_registry
from monitor.export.health import Health
from monitor.export.remembered import remembered
from monitor.rounds.gate import Gate
from monitor.rounds.watching import Watch
from monitor.store import open_store
from monitor.verdicts.policy import Policy
from monitor.web import answers as answers_module
from monitor.web.answers import LASTS_S, VERDICT_LASTS_S, Answers, json_content
from monitor.web.app import Sources, create_app
from tests.unit.repository.documents import ROOT

LOST, KEPT = "step-00007", "step-00006"
PATHS = ("/metrics", "/", f"/gate/{KEPT}", "/api/checkpoints")

ELSEWHERE = """
import sys
from monitor.domain.checkpoint import Role
from monitor.store import open_store
from benchmarks.performance.grown_store import BEGIN, MODEL
store = open_store(sys.argv[1])
"""


class Counting:
    """Stands before a store and counts what is read of it."""

    def __init__(self, store):
        self._store = store
        self.reads = 0

    def __getattr__(self, name):
        method = getattr(self._store, name)

        def read(*args, **options):
            self.reads += name != "revision"
            return method(*args, **options)

        return read


class Site:
    """The application over a store, as the daemon composes it; time passes when the test says so."""

    def __init__(self, url, *, policy=None):
        self.url = url
        self.now = BEGIN + timedelta(hours=9)
        self.clock_s = 0.0
        self.store = open_store(url)
        self.counting = Counting(self.store)
        kept = remembered(self.counting)
        watch = Watch(model=MODEL, suite=SUITE, plan=SamplingPlan(), baseline="promoted", store=kept)
        gate = Gate(watch, policy or Policy())

        def decision_for(reference):
            return gate.decision_for(reference, now=self.now)

        collector = StoreCollector(kept, model=MODEL, decision_for=decision_for)
        self.app = create_app(
            Sources(
                store=kept,
                model=MODEL,
                decision_for=decision_for,
                health=lambda: Health(parts=(), last_success_at=None),
                registry=new_registry(collector),
                now=lambda: self.now,
                clock=lambda: self.clock_s,
            )
        )

    def wait(self, seconds, *, clock_set_by=0.0):
        """Time passes, and the clock on the wall may be set meanwhile."""
        self.clock_s += seconds
        self.now += timedelta(seconds=seconds + clock_set_by)

    async def ask(self, path, *, method="GET", headers=None):
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tailwatch") as client:
            return await client.request(method, path, headers=headers)

    async def verdict(self, checkpoint):
        return (await self.ask(f"/gate/{checkpoint}")).json()["data"]["decision"]

    def elsewhere(self, statement):
        """Another process does something to the store."""
        command = [sys.executable, "-c", ELSEWHERE + statement, self.url]
        subprocess.run(command, cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    database = tmp_path_factory.mktemp("grown") / "tailwatch.db"
    grow(database, Scale(checkpoints=8, tasks=3))
    return database


@pytest.fixture
def url(grown, tmp_path):
    copy = tmp_path / "tailwatch.db"
    copy.write_bytes(grown.read_bytes())
    return f"sqlite:///{copy}"


@pytest.fixture
def site(url):
    opened = Site(url)
    yield opened
    opened.store.close()


@pytest.mark.parametrize("path", [*PATHS, f"/gate/{LOST}"])
async def test_a_store_that_has_not_changed_is_not_read_again(site, path):
    first = await site.ask(path)
    before = site.counting.reads
    for _ in range(3):
        assert (await site.ask(path)).content == first.content
    assert site.counting.reads == before
    site.wait(2 * LASTS_S)
    again = await site.ask(path)
    assert again.status_code == 200
    assert site.counting.reads == before


def test_what_grows_with_the_number_of_tasks_is_not_kept(site):
    kept = remembered(site.counting)
    (evaluation,) = kept.evaluations(MODEL, limit=1)
    before = site.counting.reads
    for _ in range(2):
        assert len(kept.task_tallies(evaluation.key.evaluation_id)) == 3
        assert kept.evaluations(MODEL, limit=1) == (evaluation,)
    assert site.counting.reads == before + 2


async def test_a_promotion_by_another_process_is_in_the_next_answer(site):
    digest = site.store.checkpoints(MODEL)[6].digest
    assert await site.verdict(KEPT) == "promote"
    before = {path: (await site.ask(path)).text for path in PATHS}
    site.elsewhere(
        f"for role in (Role.PROMOTED, Role.BASELINE): store.assign(MODEL, role, {digest!r}, now=BEGIN)"
    )
    assert 'role="promoted"' in before["/metrics"]
    for path, text in before.items():
        assert (await site.ask(path)).text != text
    # What was weighed against the earlier baseline says nothing about this one.
    assert await site.verdict("step-00005") == "hold"


async def test_a_decision_by_this_process_or_another_is_in_the_next_answer(site):
    subject = site.store.checkpoints(MODEL)[7]
    (judged,) = site.store.evaluations(MODEL, checkpoint=subject.digest)
    assert await site.verdict(LOST) == "reject"
    passed = site.store.evaluations(MODEL)[6].decision
    site.store.save(replace(judged, decision=passed))
    assert await site.verdict(LOST) == "promote"
    assert 'decision="reject"} 1.0' not in (await site.ask("/metrics")).text
    site.elsewhere(
        "from dataclasses import replace; from monitor.domain.evaluation import State\n"
        f"(judged,) = store.evaluations(MODEL, checkpoint={subject.digest!r})\n"
        "store.save(replace(judged, state=State.QUEUED))"
    )
    assert await site.verdict(LOST) == "hold"


async def test_an_evaluation_grows_stale_though_the_store_does_not_change(url):
    site = Site(url, policy=Policy(max_age_s=3600.0))
    finished_at = site.store.evaluations(MODEL)[6].finished_at
    site.now = finished_at + timedelta(seconds=3600 - 2 * VERDICT_LASTS_S)
    fresh = (await site.ask(f"/gate/{KEPT}")).json()["data"]
    site.wait(2.1 * VERDICT_LASTS_S)
    stale = (await site.ask(f"/gate/{KEPT}")).json()["data"]
    assert stale["decision"] == "hold"
    assert stale["reasons"][0]["code"] == "evaluation_stale"
    assert fresh["reasons"][0]["code"] != "evaluation_stale"
    assert 'reason="evaluation_stale"' in (await site.ask("/metrics")).text
    assert "days old" in (await site.ask("/")).text
    site.store.close()


async def test_a_clock_that_is_set_back_keeps_no_answer_longer(url):
    site = Site(url, policy=Policy(max_age_s=3600.0))
    site.now = site.store.evaluations(MODEL)[6].finished_at + timedelta(hours=2)
    before = {path: (await site.ask(path)).text for path in (f"/gate/{KEPT}", "/metrics", "/")}
    site.wait(2 * LASTS_S, clock_set_by=-7200.0)
    for path, text in before.items():
        assert (await site.ask(path)).text != text
    assert await site.verdict(KEPT) == "promote"
    site.store.close()


async def test_many_requests_at_once_are_one_making(site):
    answers = await asyncio.gather(*(site.ask("/") for _ in range(20)))
    assert len({answer.text for answer in answers}) == 1
    alone = Site(site.url)
    await alone.ask("/")
    assert site.counting.reads <= 2 * alone.counting.reads
    alone.store.close()


def lost():
    raise StoreTrouble("The server does not answer.", next_step="Start it.")


@pytest.mark.parametrize(
    "revision",
    [lambda: "unchanged", lambda: str(time.monotonic_ns()), lost],
    ids=["kept", "changing", "lost"],
)
async def test_who_waits_for_a_slow_making_takes_what_was_begun_after_it_asked(revision):
    made = []

    def make():
        made.append(None)
        time.sleep(0.05)
        return json_content(len(made))

    answers = Answers(revision)
    request = Request({"type": "http", "headers": []})
    # An answer that has long expired when it is ready: eight who ask make it for all, not each for itself.
    await asyncio.gather(*(answers.reply(request, "key", make, lasts_s=0.001) for _ in range(8)))
    assert len(made) <= 2


async def test_who_asks_after_a_making_has_begun_is_not_given_it(site):
    begun, ended, made = threading.Event(), threading.Event(), []
    answers, request = Answers(site.store.revision), Request({"type": "http", "headers": []})

    def make():
        made.append(None)
        begun.set()
        assert ended.wait(20)
        return json_content(len(made))

    first = asyncio.create_task(answers.reply(request, "key", make))
    assert await asyncio.to_thread(begun.wait, 20)
    site.store.count(MODEL, "generated_tokens", by=5)
    second = asyncio.create_task(answers.reply(request, "key", make))
    await asyncio.sleep(0.05)
    ended.set()
    assert [(await each).body for each in (first, second)] == [b"1", b"2"]


async def test_what_is_kept_is_bounded_in_number_and_in_bytes(monkeypatch):
    monkeypatch.setattr(answers_module, "MOST_BYTES", 1000)
    answers, request, made = Answers(lambda: "unchanged"), Request({"type": "http", "headers": []}), []

    async def ask(key):
        await answers.reply(request, key, lambda: json_content(made.append(key) or "x" * 398), lasts_s=60)

    for key in ("first", "second", "third", "third", "second", "first"):
        await ask(key)
    assert made == ["first", "second", "third", "first"]
    monkeypatch.setattr(answers_module, "MOST_BYTES", 1)
    await ask("larger than all that may be kept")


async def test_no_trace_is_kept_of_what_could_not_be_made():
    answers, request = Answers(lambda: "unchanged"), Request({"type": "http", "headers": []})

    def broken():
        raise RuntimeError("a bug")

    for number in range(10):
        with pytest.raises(RuntimeError):
            await answers.reply(request, number, broken)
    gc.collect()
    assert len(answers._making) <= 1


async def test_a_store_that_is_deleted_holds_with_200_at_the_gate_and_is_told_elsewhere(site, tmp_path):
    assert await site.verdict(KEPT) == "promote"
    for file in tmp_path.glob("tailwatch.db*"):
        file.unlink()
    held = await site.ask(f"/gate/{KEPT}")
    assert held.status_code == 200
    assert held.json()["data"]["decision"] == "hold"
    assert "was deleted" in held.json()["data"]["reasons"][0]["text"]
    assert (await site.ask(f"/gate/{KEPT}/flagger", method="POST")).status_code == 409
    assert (await site.ask("/")).status_code == 503
    assert (await site.ask("/api/checkpoints")).status_code == 503
    assert "tailwatch_store_up" in (await site.ask("/metrics")).text


async def test_an_error_that_nobody_foresaw_holds_with_200_as_well(site, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Gate, "decision_for", broken)
    answer = await site.ask(f"/gate/{KEPT}")
    assert answer.status_code == 200
    assert answer.json()["data"]["decision"] == "hold"
    assert "a bug" in caplog.text


@pytest.mark.parametrize("error", [RuntimeError("no thread"), StoreTrouble("No store.", next_step="Wait.")])
async def test_without_a_revision_each_request_has_an_answer_of_its_own(error, caplog):
    def broken():
        raise error

    answers, request, made = Answers(broken), Request({"type": "http", "headers": []}), []
    for number in (1, 2):
        answer = await answers.reply(request, "key", lambda: json_content(made.append(None) or len(made)))
        assert answer.body == str(number).encode()
    assert ("no thread" in caplog.text) is isinstance(error, RuntimeError)


async def test_an_answer_is_packed_for_who_asks_and_known_by_its_tag(site):
    plain = await site.ask("/metrics", headers={"accept-encoding": "identity"})
    packed = await site.ask("/metrics", headers={"accept-encoding": "br, gzip;q=0.5"})
    refused = await site.ask("/metrics", headers={"accept-encoding": "gzip;q=0, identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 5
    assert packed.content == plain.content == refused.content
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    known = await site.ask("/metrics", headers={"if-none-match": f'"another", {plain.headers["etag"]}'})
    assert (known.status_code, known.content) == (304, b"")
    site.store.count(MODEL, "generated_tokens", by=5)
    assert (await site.ask("/metrics", headers={"if-none-match": plain.headers["etag"]})).status_code == 200


async def test_the_gate_follows_another_policy_at_once(url):
    site = Site(url)
    strict = Policy(max_age_s=1.0)
    watch = Watch(model=MODEL, suite=SUITE, plan=SamplingPlan(), baseline="promoted", store=site.store)
    gate = Gate(watch, Policy())
    assert gate.decision_for(KEPT, now=site.now).kind.value == "promote"
    gate.judge_by(strict)
    assert gate.decision_for(KEPT, now=site.now).kind.value == "hold"
    assert Role.PROMOTED in site.store.roles(MODEL)
    site.store.close()

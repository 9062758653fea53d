import asyncio
import socket
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html import escape
from html.parser import HTMLParser

import httpx
import pytest

from monitor.domain.errors import PortTaken, StoreTrouble
from monitor.export.collector import StoreCollector, new_registry
from monitor.export.health import Health, PartHealth
from monitor.testing import MemoryStore
from monitor.verdicts.policy import Policy
from monitor.web.app import Sources, create_app
from monitor.web.server import listen, serve
from tests.unit.export import story
from tests.unit.export.test_baseline_floor import health as bank_of

NOW = story.BEGIN + timedelta(hours=3)
HEALTHY = Health(parts=(PartHealth(name="store", ok=True),), last_success_at=NOW - timedelta(minutes=10))


class LockedStore(MemoryStore):
    def checkpoints(self, model):
        raise StoreTrouble("The store is locked.", next_step="End the other process.")

    def evaluation(self, evaluation_id):
        raise StoreTrouble("The store is locked.", next_step="End the other process.")


def app_over(store, *, health=HEALTHY, report_of=None, bank=tuple):
    decision_for = partial(story.recorded_decision, store)
    collector = StoreCollector(store, model=story.MODEL, decision_for=decision_for)
    return create_app(
        Sources(
            store=store,
            model=story.MODEL,
            decision_for=decision_for,
            health=lambda: health,
            registry=new_registry(collector),
            now=lambda: NOW,
            report_of=report_of,
            bank=bank,
        )
    )


@pytest.fixture
def store():
    filled = MemoryStore()
    story.fill(filled)
    return filled


async def ask(store, path, *, method="GET", headers=None, health=HEALTHY, bank=tuple, **options):
    transport = httpx.ASGITransport(app=app_over(store, health=health, bank=bank))
    async with httpx.AsyncClient(transport=transport, base_url="http://tailwatch") as client:
        return await client.request(method, path, headers=headers, **options)


class WellFormed(HTMLParser):
    """Fails on elements that are not closed in order, and remembers what a page loads or runs."""

    void = frozenset({"meta", "link", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for key, value in attrs if key in {"src", "href"} and tag != "a"]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def well_formed(page):
    parser = WellFormed()
    parser.feed(page.text)
    assert parser.open == []
    return parser


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0"),
    ],
)
async def test_metrics_come_in_the_format_that_is_asked_for(store, accept, content_type):
    answer = await ask(store, "/metrics", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert "tailwatch_finding" in answer.text


async def test_a_scrape_of_a_locked_store_answers_and_says_so():
    answer = await ask(LockedStore(), "/metrics")
    assert answer.status_code == 200
    assert f'tailwatch_store_up{{model="{story.MODEL}"}} 0.0' in answer.text


async def test_health_tells_each_part_and_the_age_of_the_last_success(store):
    answer = await ask(store, "/health")
    assert answer.status_code == 200
    assert answer.json()["parts"] == {"store": {"ok": True, "detail": ""}}
    assert answer.json()["last_success_age_s"] == 600


async def test_health_is_503_when_a_part_is_not_ready_but_the_process_is_live(store):
    broken = Health(
        parts=(PartHealth(name="engine", ok=False, detail="It died. Read its log."),), last_success_at=None
    )
    answer = await ask(store, "/health", health=broken)
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["parts"]["engine"]["detail"] == "It died. Read its log."
    assert (await ask(store, "/health/live", health=broken)).status_code == 200


@pytest.mark.parametrize(
    ("checkpoint", "verdict", "flagger_status"),
    [("control1", "pass", 200), ("gen3", "fail", 409), ("nobody", "inconclusive", 409)],
)
async def test_the_gate_answers_argo_always_with_200_and_flagger_only_for_promote(
    store, checkpoint, verdict, flagger_status
):
    argo = await ask(store, f"/gate/{checkpoint}")
    assert argo.status_code == 200
    assert argo.json()["data"]["verdict"] == verdict
    assert argo.json()["data"]["ok"] is (verdict == "pass")
    payload = {"name": "coder", "namespace": "prod", "phase": "Progressing", "metadata": {}}
    flagger = await ask(store, f"/gate/{checkpoint}/flagger", method="POST", json=payload)
    assert flagger.status_code == flagger_status
    assert flagger.json()["data"]["verdict"] == verdict


async def test_a_gate_that_cannot_read_its_store_is_closed():
    argo = await ask(LockedStore(), "/gate/control1")
    assert argo.status_code == 200
    assert argo.json()["data"]["verdict"] == "inconclusive"
    assert "locked" in argo.json()["data"]["reasons"][0]["text"]
    assert (await ask(LockedStore(), "/gate/control1/flagger", method="POST")).status_code == 409


async def test_a_checkpoint_name_may_hold_slashes_and_odd_letters(store):
    named = replace(story.checkpoint("x"), name="org/mödel v1")
    story.judge(store, named, story.PROMOTE, begun=story.BEGIN)
    answer = await ask(store, "/gate/org%2Fm%C3%B6del%20v1")
    assert answer.json()["data"]["verdict"] == "pass"
    assert (await ask(store, "/gate/org/mödel v1/flagger", method="POST")).status_code == 200


async def test_checkpoints_are_listed_newest_first_with_roles_and_last_evaluation(store):
    listed = (await ask(store, "/api/checkpoints", params={"limit": 2})).json()["data"]
    assert [each["name"] for each in listed] == ["gen3", "control1"]
    assert listed[0]["last_evaluation"]["decision"]["decision"] == "reject"
    assert listed[0]["roles"] == ["candidate"]


@pytest.mark.parametrize("limit", ["0", "many", "100000"])
async def test_a_limit_that_makes_no_sense_is_refused(store, limit):
    assert (await ask(store, "/api/checkpoints", params={"limit": limit})).status_code == 422


async def test_an_evaluation_is_told_with_its_samples(store):
    evaluation_id = store.evaluations(story.MODEL, checkpoint=story.GEN3.digest)[0].key.evaluation_id
    told = (await ask(store, f"/api/evaluations/{evaluation_id}")).json()["data"]
    assert told["samples"]["tail"] == {"passed": 16, "failed": 24, "unscored": 1}
    assert told["pass_at_k"]["tail"][0]["ratio"] == 0.4
    assert (await ask(store, "/api/evaluations/nothing")).status_code == 404
    assert (await ask(LockedStore(), "/api/evaluations/x")).status_code == 503


async def test_the_first_page_lists_every_checkpoint_with_its_verdict(store):
    page = await ask(store, "/")
    well_formed(page)
    assert [page.text.count(name) for name in ("gen0</a>", "control1</a>", "gen3</a>")] == [1, 1, 1]
    assert 'class="badge reject"' in page.text
    assert '-0.200<br><span class="bounds">[-0.240, -0.160]</span>' in page.text


@pytest.mark.parametrize("digest", [story.GEN3.digest, story.GEN3.short_digest])
async def test_a_checkpoints_page_shows_verdict_evidence_outcomes_stages_and_lineage(store, digest):
    page = await ask(store, f"/checkpoints/{digest}")
    parser = well_formed(page)
    assert page.text.index("reject") < page.text.index("Evidence")
    for shown in (
        "20 points less often",
        "confirmed",
        "11.5 s",
        "timed out",
        "trained from",
        "pass@1",
        "<svg",
    ):
        assert shown in page.text
    assert parser.loads == ["/style.css"]
    assert "script" not in parser.tags


async def test_an_unknown_checkpoint_has_a_page_that_says_so(store):
    page = await ask(store, "/checkpoints/<script>")
    assert page.status_code == 404
    assert "<script>" not in page.text


async def test_a_page_over_a_locked_store_says_what_to_do():
    page = await ask(LockedStore(), "/")
    assert page.status_code == 503
    assert "End the other process." in page.text


async def test_names_of_checkpoints_are_foreign_text_and_run_nothing(store):
    named = replace(story.checkpoint("x"), name='<img src=x onerror="alert(1)">')
    story.judge(store, named, story.PROMOTE, begun=story.BEGIN)
    for path in ("/", f"/checkpoints/{named.digest}"):
        page = await ask(store, path)
        well_formed(page)
        assert "<img" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_checkpoint_without_evidence_has_a_page(store):
    bare = replace(story.checkpoint("bare"), lineage=None)
    store.remember(story.MODEL, bare, now=story.BEGIN)
    page = await ask(store, f"/checkpoints/{bare.digest}")
    assert "no evidence about this checkpoint yet" in page.text
    assert "carries no card" in page.text


async def test_tasks_that_were_left_out_or_judged_with_less_trust_are_named(store):
    found = store.evaluations(story.MODEL, checkpoint=story.GEN3.digest)[0]
    store.save(replace(found, excluded_tasks=("tail-9",), in_process_tasks=("torso-8", "torso-9")))
    page = await ask(store, f"/checkpoints/{story.GEN3.digest}")
    assert "their reference failed here: tail-9." in page.text
    assert "which is weaker: torso-8, torso-9." in page.text


def test_a_port_that_is_taken_is_said_with_the_way_out():
    with listen("127.0.0.1", 0) as first, pytest.raises(PortTaken, match=r"serve\.port"):
        listen("127.0.0.1", first.getsockname()[1])


async def test_serving_answers_until_it_is_cancelled_and_then_frees_the_port(store):
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    running = asyncio.create_task(serve(app_over(store), listener))
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/health/live")
    assert answer.json() == {"live": True}
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_pages_say_what_the_baselines_bank_passes_and_what_it_lacks(store):
    found = bank_of(Policy(), tail=0.02)
    (problem,) = [each.problem for each in found if each.problem]
    overview = await ask(store, "/", bank=lambda: found)
    page = await ask(store, f"/checkpoints/{story.GEN0.digest}", bank=lambda: found)
    other = await ask(store, f"/checkpoints/{story.GEN3.digest}", bank=lambda: found)
    for each in (overview, page, other):
        well_formed(each)
    assert escape(problem) in overview.text
    assert escape(problem) in page.text
    assert "passes too little" in page.text
    assert "<h2>Bank</h2>" not in other.text
    assert "Baseline, tail" not in (await ask(store, "/")).text

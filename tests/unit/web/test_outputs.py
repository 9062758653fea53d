"""What outputs look like, on a checkpoint's page, in the API, and as Evidently's own page."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import httpx
import pytest

from monitor.domain.drift import NOTHING, DriftReading, Unmeasured
from monitor.domain.errors import StoreTrouble
from monitor.domain.tasks import Stratum
from monitor.rounds.trending import heading
from monitor.testing import MemoryStore
from monitor.web.outputs import Generation, generations_section, outputs_section
from monitor.web.reports import HEADERS
from tests.unit.export import story
from tests.unit.web.test_app import WellFormed, app_over, ask

MOVED, CALM = story.compared(moved=True), story.compared()
EVALUATION = "0" * 32


@pytest.fixture
def store():
    filled = MemoryStore()
    story.fill(filled)
    return filled


async def test_a_checkpoints_page_shows_its_signs_beside_the_lineage_of_all(store):
    page = (await ask(store, f"/checkpoints/{story.GEN3.digest}")).text
    WellFormed().feed(page)
    assert "What the outputs look like" in page
    assert "Columns that drifted: tokens (tail)." in page
    generations = page[page.index("Generations") :]
    assert generations.index("gen0") < generations.index("control1") < generations.index("gen3")
    assert "human-gate" in generations
    assert "<strong>+0.2</strong>" in generations
    assert "+0.01" in generations


async def test_the_api_tells_what_the_page_tells(store):
    (last,) = store.evaluations(story.MODEL, checkpoint=story.GEN3.digest)
    told = (await ask(store, f"/api/evaluations/{last.key.evaluation_id}")).json()["data"]["drift"]
    assert {each["name"] for each in told["indicators"] if each["warns"]} >= {"collision", "rare-code-nll"}
    assert [each["signal"] for each in told["columns"] if each["detected"]] == ["tokens"]


def test_nothing_is_shown_where_nothing_was_compared():
    assert outputs_section(None, "") == ""
    assert generations_section([Generation(checkpoint=story.GEN0, drift=None)]) == ""


def test_what_could_not_be_measured_is_said():
    gaps = (
        Unmeasured(name="rubber-stamp", stratum=None, why="the candidate was not measured"),
        Unmeasured(name="tokens", stratum=Stratum.TAIL, why="too few"),
        Unmeasured(name="lines", stratum=Stratum.TAIL, why="too few"),
    )
    said = outputs_section(replace(NOTHING, unmeasured=gaps, problems=("A page was lost.",)), EVALUATION)
    assert "rubber-stamp: the candidate was not measured." in said
    assert "tokens, lines in tail: too few." in said
    assert "A page was lost." in said


def test_an_indicator_that_could_not_have_warned_is_said_to_be_blind():
    few = replace(CALM.indicators[0], clusters=9, least_p_value=0.5**9)
    said = outputs_section(replace(CALM, indicators=(few,)), EVALUATION)
    assert "9 clusters give no p-value below 0.002: it cannot warn." in said


def test_a_kept_report_is_linked_and_calm_columns_are_said_to_be():
    assert f'href="/drift/{EVALUATION}"' in outputs_section(replace(MOVED, report="e.html"), EVALUATION)
    calm = outputs_section(CALM, EVALUATION)
    assert "No column drifted." in calm
    assert "/drift/" not in calm


async def ask_for_pages(store, report_of, *names):
    transport = httpx.ASGITransport(app=app_over(store, report_of=report_of))
    async with httpx.AsyncClient(transport=transport, base_url="http://tailwatch") as client:
        return await asyncio.gather(*(client.get(f"/drift/{name}") for name in names))


async def test_a_report_is_served_in_a_sandbox_and_nothing_else_of_its_folder(store, tmp_path):
    page = tmp_path / f"{EVALUATION}.html"
    page.write_text("<p>drift</p>", encoding="utf-8")
    (tmp_path / "secret.html").write_text("no", encoding="utf-8")

    def report_of(evaluation_id):
        found = tmp_path / f"{evaluation_id}.html"
        return found if found.is_file() else None

    kept, *others = await ask_for_pages(store, report_of, EVALUATION, "secret", "1" * 32, "..%2Fsecret")
    assert (kept.status_code, kept.text) == (200, "<p>drift</p>")
    assert kept.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert {other.status_code for other in others} == {404}


async def test_reports_are_made_one_at_a_time_and_a_store_that_cannot_be_read_is_told(store):
    making, most = [], []

    def report_of(evaluation_id):
        making.append(evaluation_id)
        most.append(len(making))
        time.sleep(0.02)
        making.remove(evaluation_id)
        raise StoreTrouble("The store is locked.", next_step="End the other process.")

    answers = await ask_for_pages(store, report_of, *(str(number) * 32 for number in range(4)))
    assert {answer.status_code for answer in answers} == {503}
    assert "End the other process." in answers[0].text
    assert max(most) == 1


def generations(*values):
    """Checkpoints whose collisions in the tail take these values."""
    return [
        Generation(
            checkpoint=story.checkpoint(f"gen{number}"),
            drift=DriftReading(
                signals=(),
                indicators=tuple(
                    replace(each, value=value) for each in CALM.indicators if each.stratum is Stratum.TAIL
                ),
            ),
        )
        for number, value in enumerate(values)
    ]


def test_a_slow_rise_over_checkpoints_shows_as_a_trend_and_falling_signs_the_other_way():
    rising = generations(0.40, 0.41, 0.42, 0.43, 0.44)
    assert ">trend<" not in generations_section(rising)
    found = heading([each.drift for each in rising])
    ended = [*rising[:-1], replace(rising[-1], drift=replace(rising[-1].drift, trends=found))]
    page = generations_section(ended)
    trend = page[page.index(">trend<") :]
    assert trend.count("+0.01, p = 0.0083") == 4
    assert trend.count("-0.01, p = 1") == 2


def test_what_comparing_and_probes_cost_is_said():
    said = outputs_section(replace(CALM, elapsed_s=1.24, engine_s=30.0), EVALUATION)
    assert "Comparing took 1.2 s, and the probes 30.0 s of the engine." in said
    assert "of the engine" not in outputs_section(replace(CALM, elapsed_s=1.24), EVALUATION)

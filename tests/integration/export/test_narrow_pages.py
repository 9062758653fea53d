"""Every page fits a telephone's 360 pixels, drawn by the real Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html import escape

import httpx
import pytest
from fastapi import FastAPI

from monitor.domain.errors import StoreTrouble
from monitor.domain.identity import content_digest
from monitor.testing import MemoryStore
from tests.requirements import require
from tests.unit.export import story
from tests.unit.web.test_app import app_over

WIDTH = 360

LONG = "acme-coder-7b-instruct-2026-11-20T08-00-00_step-000123456_lr3e-5_seed20260_merged-fp16"

FRAME = """<!doctype html><body style="margin: 0">
<iframe srcdoc="{page}" style="width: {width}px; height: 800px; border: 0"></iframe><script>
window.onload = () => {{
  const page = document.querySelector("iframe").contentDocument.scrollingElement;
  document.title = `${{page.clientWidth}} ${{page.scrollWidth}}`;
}};
</script></body>"""
"""A page in a frame of that width, which is its viewport; the title says how wide its content is."""


def filled() -> MemoryStore:
    """The story's week, with names and causes as long as they are found in the wild."""
    store = MemoryStore()
    story.fill(store)
    begin = story.BEGIN
    long = replace(story.GEN3, digest=content_digest(LONG), name=LONG, location=f"/mnt/models/{LONG}/{LONG}")
    store.remember(story.MODEL, long, now=begin)
    for evaluation in store.evaluations(story.MODEL, checkpoint=story.GEN3.digest):
        key = replace(evaluation.key, checkpoint=long.digest)
        store.enqueue(replace(evaluation, key=key, checkpoint=long))
        for sample in store.samples(evaluation.key.evaluation_id):
            detail = "NameError: name '" + "a_name_that_is_long_and_has_no_blank_" * 4 + "' is not defined"
            completion = replace(sample.completion, text="x = [" + "1234567890, " * 40 + "]\n")
            told = replace(sample, completion=completion, execution=replace(sample.execution, detail=detail))
            store.record(key.evaluation_id, [told])
    return store


class BrokenStore(MemoryStore):
    def checkpoints(self, model):
        raise StoreTrouble(
            "The store postgresql+psycopg://tailwatch@db.internal.example.org:5432/tailwatch_production_2026 "
            "does not answer.",
            next_step="Start it.",
        )


def pages() -> dict[str, tuple[FastAPI, str]]:
    store = filled()
    found = {
        each.name: (app_over(store), f"/checkpoints/{each.digest}") for each in store.checkpoints(story.MODEL)
    }
    found["/"] = (app_over(store), "/")
    found["empty"] = (app_over(MemoryStore()), "/")
    found["unknown"] = (app_over(store), "/checkpoints/" + "f" * 64)
    found["broken"] = (app_over(BrokenStore()), "/")
    return found


PAGES = pages()


async def text_of(app: FastAPI, path: str) -> str:
    """A page with its style in it."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page, style = (await client.get(path)).text, (await client.get("/style.css")).text
    assert 'name="viewport" content="width=device-width' in page
    styled, count = re.subn(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", page)
    assert count == 1
    return styled


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_fits_360_pixels(name, tmp_path):
    browser = shutil.which("chromium")
    require("Chromium", browser is not None, "apt-get install chromium")
    assert browser is not None
    frame = tmp_path / "frame.html"
    page = await text_of(*PAGES[name])
    frame.write_text(FRAME.format(page=escape(page), width=WIDTH), encoding="utf-8")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=800,900"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom"),
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(\d+) (\d+)</title>", done.stdout)
    assert title is not None, done.stderr[-2000:]
    assert int(title[1]) <= WIDTH
    assert int(title[2]) <= WIDTH

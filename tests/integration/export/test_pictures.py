"""Every panel of every board is drawn from what a real Prometheus answers."""

import re
import shutil
import struct
import time
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from grafana.pictures.answers import Answers, span
from grafana.pictures.boards import PanelKind, Undrawable, board_names, read_board
from grafana.pictures.browser import photograph
from grafana.pictures.page import NOTICE, draw
from tests.integration.export.servers import wait_until
from tests.requirements import require

DOCUMENTED = Path(__file__).parents[3] / "docs" / "images" / "boards"


def drawn(server, name, **chosen):
    with httpx.Client(base_url=server.url, timeout=20) as client:
        times = span("now-2m", now_s=time.time(), scrape_s=1.0)
        return draw(read_board(name), Answers(client, times, chosen))


@pytest.mark.parametrize("name", board_names())
def test_no_panel_is_empty_after_a_night_in_which_much_happened(asked, name):
    chosen = {"checkpoint": "gen4"} if name == "tailwatch-checkpoint" else {}
    # A scrape that a busy machine misses empties everything for a second.
    wait_until("a page without an empty panel", lambda: drawn(asked, name, **chosen).empty == ())


@pytest.mark.parametrize("name", board_names())
def test_a_page_is_well_formed_has_every_title_and_says_what_it_is(asked, name):
    page = drawn(asked, name)
    svg = ET.fromstring(re.search(r"<svg.*</svg>", page.html, re.DOTALL)[0])
    shown = {element.text for element in svg.iter() if element.tag.endswith("text")}
    assert NOTICE in shown
    for panel in read_board(name).panels:
        title = f"⌄ {panel.title}" if panel.kind is PanelKind.ROW else panel.title
        assert title in shown or any(each.endswith("…") and title.startswith(each[:-1]) for each in shown)
    assert (page.width, page.height) == (round(float(svg.get("width"))), round(float(svg.get("height"))))


def size_of(picture):
    """Width and height of a PNG in pixels."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


@pytest.mark.parametrize("name", board_names())
def test_a_photograph_shows_the_whole_page_as_the_documented_one_does(asked, name, tmp_path):
    require("Chromium", shutil.which("chromium") is not None, "apt-get install chromium")
    page = drawn(asked, name)
    file, picture = tmp_path / "page.html", tmp_path / "page.png"
    file.write_text(page.html)
    photograph(file, picture, width=page.width, height=page.height)
    assert size_of(picture) == (page.width, page.height)
    assert size_of(DOCUMENTED / f"{name}.png") == size_of(picture), "draw the pictures in docs again"


def test_the_rejected_candidate_and_its_lost_tail_are_on_the_page(asked):
    words = unescape(drawn(asked, "tailwatch-checkpoint", checkpoint="gen3").html)
    assert ">reject</text>" in words
    assert ">regressed</text>" in words


def test_a_checkpoint_that_is_not_known_is_named_with_those_that_are(asked):
    with pytest.raises(Undrawable, match=r"checkpoint cannot be gen99: there is .*gen3"):
        drawn(asked, "tailwatch-checkpoint", checkpoint="gen99")

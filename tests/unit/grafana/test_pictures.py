"""The pictures read boards as Grafana does, and say what they cannot draw."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grafana.pictures import boards
from grafana.pictures.answers import Answer, Answers, Series, span
from grafana.pictures.axes import ticks, with_legend
from grafana.pictures.barcharts import drawn_bars
from grafana.pictures.boards import Looks, Override, PanelKind, Undrawable, board_names, read_board
from grafana.pictures.colours import of_field, of_value, shade
from grafana.pictures.figures import drawn_figure, drawn_table
from grafana.pictures.frames import Frame, table_of
from grafana.pictures.page import draw
from grafana.pictures.svg import Box, shortened, text, width
from grafana.pictures.timelines import drawn_lines
from grafana.pictures.units import written

BOX = Box(x=0, y=0, w=400, h=260)
HOUR = span("now-1h", now_s=7200, scrape_s=15)
PLAIN = Looks(unit="none", no_value="Nothing", steps=(), custom={}, overrides=())


def panel(kind):
    """A panel of that kind off the boards, without overrides."""
    found = next(
        each for name in board_names() for each in read_board(name).panels if each.kind is PanelKind(kind)
    )
    return replace(found, looks=PLAIN, options={}, transformations=())


def answer(*values, ref_id="A", **labels):
    """One series per value, told apart by the label ``n`` where there are several."""
    told = [labels | ({"n": str(place)} if len(values) > 1 else {}) for place in range(len(values))]
    return Answer(
        ref_id=ref_id,
        series=tuple(
            Series(name=f"s{place}", labels=told[place], points=((7200.0, value),))
            for place, value in enumerate(values)
        ),
    )


def shown(svg):
    return [element.text for element in ET.fromstring(f"<svg>{svg}</svg>").iter("text")]


def silent(request):
    """A Prometheus that knows one monitor of one model with one checkpoint, and no figures."""
    if request.url.path.endswith("/values"):
        return httpx.Response(200, json={"data": ["only"]})
    known = {"checkpoint": "c1", "name": "gen0", "__name__": "tailwatch_checkpoint_info"}
    asked_who = request.url.path.endswith("/query") and request.url.params["query"].startswith(
        "tailwatch_checkpoint_info{"
    )
    result = [{"metric": known, "value": [7200, "1"]}] if asked_who else []
    return httpx.Response(200, json={"data": {"resultType": "vector", "result": result}})


@pytest.mark.parametrize("name", board_names())
def test_a_board_without_data_says_in_every_panel_why_that_may_be(name):
    board = read_board(name)
    with httpx.Client(transport=httpx.MockTransport(silent), base_url="http://prometheus") as client:
        page = draw(board, Answers(client, HOUR, {}))
    panels = [each for each in board.panels if each.kind is not PanelKind.ROW]
    assert len(page.empty) >= len(panels) - 1
    for each in panels:
        assert len(each.looks.no_value.split()) > 1, f"{each.title} says {each.looks.no_value!r} when empty"
        if each.title in page.empty:
            assert f">{each.looks.no_value}</text>" in page.html


def test_a_kind_of_panel_that_is_unknown_is_named_with_its_panel(tmp_path, monkeypatch):
    told = {"title": "t", "time": {"from": "now-1h"}, "templating": {"list": []}}
    told["panels"] = [{"type": "geomap", "title": "Where", "gridPos": {"x": 0, "y": 0, "w": 1, "h": 1}}]
    (tmp_path / "b.json").write_text(json.dumps(told))
    monkeypatch.setattr(boards, "FOLDER", tmp_path)
    with pytest.raises(Undrawable, match="Where is a geomap"):
        read_board("b")


@pytest.mark.parametrize("unit", ["bytes", ""])
def test_a_unit_that_is_unknown_is_not_guessed(unit):
    with pytest.raises(Undrawable):
        written(1.0, unit, now_s=0)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0, "percentunit", "0%"),
        (-0.145, "percentunit", "-14.5%"),
        (1, "percentunit", "100%"),
        (8800, "none", "8800"),
        (0.1234, "none", "0.123"),
        (12345, "cps", "12.3 K c/s"),
        (0.2, "s", "200 ms"),
        (90, "s", "1.5 mins"),
        (172800, "s", "2 days"),
        (3_600_000, "dateTimeFromNow", "1 hours ago"),
    ],
)
def test_values_are_written_in_their_units(value, unit, expected):
    assert written(value, unit, now_s=7200) == expected


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_ticks_cover_the_values_with_a_few_round_steps(low, length):
    marks = ticks(low, low + length)
    slack = 1e-6 * (marks[-1] - marks[0])
    assert marks[0] <= low + slack
    assert marks[-1] >= low + length - slack
    assert 2 <= len(marks) <= 9


@pytest.mark.parametrize("value", [0.0, 3.0, -2.0])
def test_one_value_alone_has_an_axis_too(value):
    marks = ticks(value, value)
    assert marks[0] <= value <= marks[-1]
    assert marks[0] < marks[-1]


@given(st.lists(st.text("abcdefgh -", min_size=1, max_size=80), min_size=1, max_size=12))
def test_a_legend_stays_inside_its_box_and_below_the_chart(names):
    room, legend = with_legend(BOX, [(name, "#000000") for name in names])
    for element in ET.fromstring(f"<svg>{legend}</svg>").iter("text"):
        assert room.bottom < float(element.get("y")) <= BOX.bottom
        assert float(element.get("x")) + width(element.text, 11) <= BOX.right + 1


@given(st.text(max_size=200), st.floats(20, 300))
def test_shortened_words_fit_and_begin_as_the_whole(words, room):
    cut = shortened(words, room, 10)
    assert cut == words or (cut.endswith("…") and words.startswith(cut[:-1]))
    assert width(cut, 10) <= room


def test_what_comes_from_outside_cannot_leave_its_element():
    hostile = '</text><script>alert("x")</script>'
    assert ET.fromstring(text(hostile, 0, 0)).text == hostile


def test_an_override_colours_its_field_and_the_palette_the_others():
    fixed = {"color": {"mode": "fixed", "fixedColor": "red"}}
    looks = replace(PLAIN, overrides=(Override(pattern="tail", properties=fixed),))
    assert of_field(looks, "tail", 0) == shade("red")
    assert of_field(looks, "head", 0) == of_field(PLAIN, "head", 0) != of_field(PLAIN, "head", 1)


@pytest.mark.parametrize(("value", "colour"), [(-0.2, "red"), (-0.05, "orange"), (0.3, "green")])
def test_a_value_has_the_colour_of_the_highest_threshold_it_reaches(value, colour):
    looks = replace(PLAIN, steps=((None, "red"), (-0.05, "orange"), (0, "green")))
    assert of_value(looks, value) == shade(colour)


def test_grouping_to_a_matrix_makes_a_row_and_a_column_per_value_of_a_label():
    series = [answer(value, name=name, stratum=s) for name, s, value in [("a", "tail", 1), ("b", "head", 2)]]
    both = Answer(ref_id="A", series=tuple(each.series[0] for each in series))
    options = {"rowField": "name", "columnField": "stratum", "valueField": "Value"}
    frame = table_of([both], [{"id": "groupingToMatrix", "options": options}])
    assert frame.columns == ("name\\stratum", "tail", "head")
    assert frame.rows == ({"name\\stratum": "a", "tail": 1}, {"name\\stratum": "b", "head": 2})


def test_merging_joins_rows_that_agree_and_organizing_names_and_orders_columns():
    merged = table_of(
        [answer(1.0, name="a"), answer(2.0, ref_id="B", name="a"), answer(3.0, ref_id="C", name="b")],
        [
            {"id": "merge", "options": {}},
            {"id": "filterFieldsByName", "options": {"include": {"names": ["name", "Value #A", "Value #B"]}}},
            {
                "id": "organize",
                "options": {
                    "indexByName": {"Value #B": 0, "name": 1, "Value #A": 2},
                    "renameByName": {"Value #A": "x"},
                },
            },
        ],
    )
    assert merged.columns == ("Value #B", "name", "x")
    assert merged.rows == ({"Value #B": 2.0, "name": "a", "x": 1.0}, {"name": "b"})


def test_a_transformation_that_is_unknown_is_named():
    with pytest.raises(Undrawable, match="reduceBy"):
        table_of([answer(1.0)], [{"id": "reduceBy", "options": {}}])


def test_a_figure_is_its_value_or_its_series_name():
    stat = panel("stat")
    assert shown(drawn_figure(stat, [answer(12.0)], BOX, HOUR)) == ["12"]
    named = replace(stat, options={"textMode": "name", "colorMode": "background"})
    assert shown(drawn_figure(named, [answer(1.0)], BOX, HOUR)) == ["s0"]


def test_a_table_that_does_not_fit_says_how_much_is_missing():
    rows = tuple({"n": str(place)} for place in range(50))
    told = shown(drawn_table(panel("table"), Frame(columns=("n",), rows=rows), BOX, HOUR))
    fitting = len(told) - 2
    assert told[-1] == f"and {50 - fitting} more, by scrolling"


def test_bars_name_their_groups_and_stacks_their_shares():
    frame = Frame(columns=("who", "x", "y"), rows=({"who": "a", "x": 3.0, "y": 1.0}, {"who": "b", "x": 2.0}))
    assert {"a", "b", "x", "y"} <= set(shown(drawn_bars(panel("barchart"), frame, BOX, HOUR)))
    stacked = replace(panel("barchart"), options={"stacking": "percent"})
    assert {"75%", "25%", "100%"} <= set(shown(drawn_bars(stacked, frame, BOX, HOUR)))


def test_a_line_is_interrupted_where_its_series_was():
    points = ((3600.0, 1.0), (3615.0, 2.0), (7000.0, 3.0), (7015.0, 3.0))
    series = Series(name="a", labels={}, points=points)
    svg = drawn_lines(panel("timeseries"), [Answer(ref_id="A", series=(series,))], BOX, HOUR, [])
    path = next(ET.fromstring(f"<svg>{svg}</svg>").iter("path")).get("d")
    assert path.count("M") == 2

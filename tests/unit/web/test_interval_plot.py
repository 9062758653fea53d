import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.evidence import Finding, FindingKind
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.web.interval_plot import LEFT, WIDTH, interval_plot
from tests.unit.export import story


def finding(stratum, delta, low, high):
    evidence = replace(story.evidence(stratum, 0.0), delta=delta, delta_low=low, delta_high=high)
    return Finding(kind=FindingKind.STEADY, evidence=evidence)


def positions(markup, kind, attribute):
    return [float(each.get(attribute)) for each in ET.fromstring(markup).iter(kind) if each.get(attribute)]


def test_nothing_measured_gives_no_plot():
    assert interval_plot([finding(Stratum.TAIL, None, None, None)]) == ""


def test_a_regression_lies_left_of_the_margin_and_the_margin_left_of_zero():
    plot = ET.fromstring(interval_plot([finding(Stratum.TAIL, -0.2, -0.24, -0.16)]))
    lines = {line.get("class"): line for line in plot.iter("line")}
    interval_end = float(lines["interval"].get("x2"))
    assert interval_end < float(lines["margin"].get("x1")) < float(lines["zero"].get("x1"))


def test_one_row_per_stratum_in_the_order_given():
    shown = [finding(stratum, 0.0, -0.1, 0.1) for stratum in RAREST_FIRST]
    text = interval_plot(shown)
    assert re.findall(r">(tail|torso|head)<", text) == ["tail", "torso", "head"]


@pytest.mark.parametrize("bound", ["low", "high"])
def test_an_open_bound_runs_to_the_edge(bound):
    low, high = (None, 0.1) if bound == "low" else (-0.1, None)
    plot = ET.fromstring(interval_plot([finding(Stratum.TAIL, 0.0, low, high)]))
    line = next(line for line in plot.iter("line") if line.get("class") == "interval")
    assert float(line.get("x1" if bound == "low" else "x2")) == (LEFT if bound == "low" else LEFT + WIDTH)


@settings(max_examples=50, deadline=None)
@given(figures=st.lists(st.tuples(*[st.floats(-1, 1)] * 3).map(sorted), min_size=1, max_size=3))
def test_everything_stays_inside_the_picture(figures):
    shown = [
        finding(stratum, middle, low, high)
        for stratum, (low, middle, high) in zip(RAREST_FIRST, figures, strict=False)
    ]
    plot = interval_plot(shown)
    for x in positions(plot, "line", "x1") + positions(plot, "line", "x2") + positions(plot, "circle", "cx"):
        assert LEFT <= x <= LEFT + WIDTH

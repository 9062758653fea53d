"""The meter: both kinds of warnings, from the samples alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.domain.drift import NOTHING
from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum
from monitor.drift.columns import confirmed
from monitor.drift.comparing import SPLITS, ColumnComparison
from monitor.drift.meter import OutputMeter
from monitor.drift.pages import Pages
from monitor.drift.shapes import Shape, shape_of
from tests.unit.drift.authors import VARIANTS, drawn, read, sample

SIGNAL = DriftSignal(
    signal="tokens", method="ks", score=0.0005, threshold=0.001, detected=True, stratum=Stratum.TAIL
)

LONG = [sample(one.task_id, one.index, VARIANTS[5]) for one in drawn(seed=1)]


class Reporter:
    """A detector of other lengths that writes pages, or fails to.

    Args:
        broken: raised where a page is written.
        undetecting: raised where columns are compared.
        noise: score of a comparison of lengths that did not move.
    """

    def __init__(
        self,
        *,
        broken: Exception | None = None,
        undetecting: Exception | None = None,
        noise: float = 0.5,
    ) -> None:
        self.written: list[tuple[Path, set[Stratum | None]]] = []
        self.compared: list[tuple[int, int]] = []
        self.prepared = False
        self._broken = broken
        self._undetecting = undetecting
        self._noise = noise

    def detect(self, reference, current) -> tuple[DriftSignal, ...]:
        if self._undetecting is not None:
            raise self._undetecting
        self.compared.append((len(reference), len(current)))
        moved = "characters" in reference and (
            abs(current["characters"].mean() / reference["characters"].mean() - 1) > 0.1
        )
        return (replace(SIGNAL, score=0.0001 if moved else self._noise, detected=moved),)

    def prepare(self) -> None:
        self.prepared = True

    def write_report(self, reference, current, signals, path):
        if self._broken is not None:
            raise self._broken
        self.written.append((path, {signal.stratum for signal in signals}))
        if path.parent.is_dir():
            path.write_text("page", encoding="utf-8")


def meter(detector, *, pages=Pages(folder=Path("/pages"))) -> OutputMeter:  # noqa: B008 - frozen
    columns = None if detector is None else ColumnComparison(detector, None, pages, seed=7)
    return OutputMeter(read=read, seed=7, columns=columns)


def test_a_page_is_written_where_a_name_is_given_whether_or_not_something_drifted():
    detector = Reporter()
    for candidate in (LONG, drawn(seed=1)):
        assert meter(detector).measure(drawn(seed=1), candidate, report="e.html").report == "e.html"
    assert detector.written == [(Path("/pages/e.html"), {Stratum.TAIL})] * 2
    assert meter(detector).measure(drawn(seed=1), LONG, report="").report == ""


def test_a_page_about_another_stratum_is_not_written():
    detector = Reporter()
    pages = Pages(folder=Path("/pages"), stratum=Stratum.HEAD)
    assert meter(detector, pages=pages).measure(drawn(seed=1), LONG, report="e.html").report == ""
    assert detector.written == []


def test_only_the_newest_pages_stay(tmp_path):
    pages = Pages(folder=tmp_path, most=3)
    for number in range(5):
        meter(Reporter(), pages=pages).measure(drawn(seed=1), LONG, report=f"{number}.html")
        os.utime(tmp_path / f"{number}.html", (number, number))
    Pages(folder=tmp_path).prune()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.html", "3.html", "4.html"]


@pytest.mark.parametrize("trouble", [OSError("disk full"), ValueError("a bug of its own")])
def test_a_page_that_cannot_be_written_costs_no_figure_and_is_said(caplog, trouble):
    reading = meter(Reporter(broken=trouble)).measure(drawn(seed=1), LONG, report="e.html")
    assert reading.report == ""
    assert reading.signals
    assert reading.broken
    assert str(trouble) in reading.problems[0]
    assert str(trouble) in caplog.text


def test_columns_that_cannot_be_compared_cost_no_sign_of_collapse(caplog):
    reading = meter(Reporter(undetecting=ValueError("a bug"))).measure(drawn(seed=1), LONG, report="")
    assert len(reading.indicators) == 4
    assert reading.signals == ()
    assert reading.problems == ("The columns could not be compared (ValueError: a bug).",)
    assert reading.broken
    assert "a bug" in caplog.text


def test_signs_that_cannot_be_computed_cost_no_column(monkeypatch):
    def broken(*_, **__):
        raise FloatingPointError("a bug")

    monkeypatch.setattr("monitor.drift.meter.free_indicators", broken)
    reading = meter(Reporter()).measure(drawn(seed=1), LONG, report="")
    assert reading.indicators == ()
    assert any(signal.detected for signal in reading.signals)
    assert "The signs of collapse could not be compared" in reading.problems[0]


def test_a_number_of_thousands_of_digits_costs_nothing():
    odd = [*drawn(seed=1)[1:], sample(drawn(seed=1)[0].task_id, 0, "return 0x" + "f" * 4000)]
    reading = meter(None).measure(drawn(seed=1), odd, report="")
    assert len(reading.indicators) == 4
    assert not reading.broken


def test_nothing_in_common_is_said_and_not_an_error():
    reading = meter(None).measure(drawn(seed=1), drawn(seed=1, stratum=Stratum.HEAD), report="")
    assert reading.indicators == ()
    assert "no sample in common" in reading.problems[0]


def test_signs_that_are_switched_off_are_not_looked_for():
    reading = OutputMeter(read=read, seed=7, columns=None, signs=False).measure(
        drawn(seed=1), LONG, report=""
    )
    assert reading == replace(NOTHING, elapsed_s=reading.elapsed_s)


def test_preparing_reaches_the_detector_where_there_is_one():
    detector = Reporter()
    meter(detector).prepare()
    assert detector.prepared
    meter(None).prepare()


def test_a_column_has_to_move_more_than_the_bank_against_itself():
    assert confirmed([SIGNAL], {(Stratum.TAIL, "tokens"): 0.4})[0].detected
    (stilled,) = confirmed([SIGNAL], {(Stratum.TAIL, "tokens"): 0.0001})
    assert not stilled.detected
    assert stilled.threshold == 0.0001
    assert confirmed([SIGNAL], {})[0] == SIGNAL


def test_the_bank_is_split_many_times_as_deeply_as_the_candidate_drew_once_something_drifted():
    calm, moved = Reporter(), Reporter()
    meter(calm).measure(drawn(seed=1), drawn(seed=1, per_task=3), report="")
    assert calm.compared == [(180, 180)]
    few = [one for one in LONG if one.index < 3]
    assert any(each.detected for each in meter(moved).measure(drawn(seed=1), few, report="").signals)
    assert moved.compared == [(180, 180)] * (1 + SPLITS)


def test_a_column_that_moves_as_much_between_halves_of_the_bank_has_not_drifted():
    noisy = Reporter(noise=0.00001)
    assert not any(each.detected for each in meter(noisy).measure(drawn(seed=1), LONG, report="").signals)


def test_a_column_without_enough_values_is_named():
    few = drawn(seed=1, tasks=13, per_task=2)
    names = {(each.name, each.stratum) for each in meter(Reporter()).measure(few, few, report="").unmeasured}
    assert ("tokens", Stratum.TAIL) in names
    enough = meter(Reporter()).measure(drawn(seed=1), LONG, report="").unmeasured
    assert {each.name for each in enough} == {"mean_rarity"}


def test_a_bank_is_read_once_for_all_the_candidates_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    read_texts: list[str] = []

    def counted(text: str, language: str) -> Shape:
        read_texts.append(text)
        return shape_of(text, language)

    monkeypatch.setattr("monitor.drift.matching.shape_of", counted)
    meter = OutputMeter(read=read, seed=1, columns=None)
    bank = drawn(seed=1)
    first = meter.measure(bank, LONG, report="")
    of_the_bank = {read(one).text for one in bank}
    assert sorted(read_texts) == sorted(of_the_bank | {read(one).text for one in LONG})
    read_texts.clear()
    assert replace(meter.measure(bank, LONG, report=""), elapsed_s=0.0) == replace(first, elapsed_s=0.0)
    assert set(read_texts).isdisjoint(of_the_bank)

"""The meter: both kinds of warnings, from the samples alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum
from monitor.drift.columns import confirmed
from monitor.drift.meter import OutputMeter
from tests.unit.drift.authors import VARIANTS, drawn, read, sample

SIGNAL = DriftSignal(
    signal="tokens", method="ks", score=0.0005, threshold=0.001, detected=True, stratum=Stratum.TAIL
)

LONG = [sample(one.task_id, one.index, VARIANTS[5]) for one in drawn(seed=1)]


class Reporter:
    """A detector of other lengths that writes pages, or fails to."""

    def __init__(self, *, broken: bool = False) -> None:
        self.written: list[Path] = []
        self.prepared = False
        self._broken = broken

    def detect(self, reference, current) -> tuple[DriftSignal, ...]:
        moved = abs(current["characters"].mean() / reference["characters"].mean() - 1) > 0.1
        return (replace(SIGNAL, score=0.0001 if moved else 0.5, detected=moved),)

    def prepare(self) -> None:
        self.prepared = True

    def write_report(self, reference, current, signals, path):
        if self._broken:
            raise OSError("disk full")
        self.written.append(path)


def meter(detector, **options) -> OutputMeter:
    return OutputMeter(read=read, seed=7, detector=detector, rarity=None, reports=Path("/pages"), **options)


def test_a_report_is_written_where_something_drifted_and_a_name_was_given():
    detector = Reporter()
    reading = meter(detector).measure(drawn(seed=1), LONG, report="e.html")
    assert any(signal.detected for signal in reading.signals)
    assert reading.report == "e.html"
    assert detector.written == [Path("/pages/e.html")]
    assert meter(detector).measure(drawn(seed=1), LONG, report="").report == ""


def test_no_report_is_written_of_outputs_that_did_not_move_unless_always():
    detector = Reporter()
    assert meter(detector).measure(drawn(seed=1), drawn(seed=1), report="e.html").report == ""
    always = meter(detector, always_report=True).measure(drawn(seed=1), drawn(seed=1), report="e.html")
    assert always.report == "e.html"


def test_a_report_that_cannot_be_written_costs_no_figure(caplog):
    reading = meter(Reporter(broken=True)).measure(drawn(seed=1), LONG, report="e.html")
    assert reading.report == ""
    assert reading.signals
    assert "disk full" in caplog.text


def test_nothing_in_common_is_said_and_not_an_error():
    reading = meter(None).measure(drawn(seed=1), drawn(seed=1, stratum=Stratum.HEAD), report="")
    assert reading.indicators == ()
    assert "no sample in common" in reading.problems[0]


def test_preparing_reaches_the_detector_where_there_is_one():
    detector = Reporter()
    meter(detector).prepare()
    assert detector.prepared
    meter(None).prepare()


def test_a_column_has_to_move_more_than_the_bank_against_itself():
    calm = replace(SIGNAL, score=0.4, detected=False)
    assert confirmed([SIGNAL], [calm])[0].detected
    noisy = replace(SIGNAL, score=0.0001)
    (stilled,) = confirmed([SIGNAL], [noisy])
    assert not stilled.detected
    assert stilled.threshold == 0.0001
    assert confirmed([SIGNAL], [])[0] == SIGNAL

"""The benchmarks of answers measure a store that could have grown by itself."""

import pytest

from benchmarks.performance import answers
from benchmarks.performance.grown_store import Scale, grow
from benchmarks.performance.scrape import measure
from monitor.store import open_store


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    database = tmp_path_factory.mktemp("grown") / "tailwatch.db"
    grow(database, Scale(checkpoints=15, tasks=30))
    return database


def test_the_aggregates_of_the_grown_store_count_its_samples(grown):
    store = open_store(f"sqlite:///{grown}")
    assert store.verify() == ()
    store.close()


def test_a_scrape_is_measured_over_http_in_both_formats(grown):
    measured = measure(grown, scrapes=2)
    assert measured["stored"]["samples"] == 450
    assert set(measured["scrape_ms"]) == {"text", "openmetrics"}
    assert 2000 < measured["series"] < 4000


def test_answers_are_measured_as_the_daemon_gives_them(grown):
    (grown.parent / "checkpoints").mkdir()
    measured = answers.measure(grown.parent, rounds=1, seconds=0.2)
    assert set(measured) == {"gate", "metrics", "overview", "health"}
    assert all(figures["per_second"] > 0 for figures in measured.values())

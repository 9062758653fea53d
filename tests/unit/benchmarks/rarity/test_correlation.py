import json

import pytest

from benchmarks.rarity import correlation, likelihood
from benchmarks.rarity.correlation import AGGREGATES, as_markdown, correlate
from benchmarks.rarity.likelihood import Likelihood, measure
from monitor.rarity.table import RarityTable
from tests.unit.suites.suite_files import task_text, write_suite_folder

BUILTINS = ("sum", "len", "sorted", "zip", "divmod", "memoryview")
TABLE = RarityTable(
    name="ours",
    documents=1000,
    counts={name: 900 // 3**place for place, name in enumerate(BUILTINS)},
    language_shares={"python": 0.5, "lua": 0.01, "tcl": 0.002},
    unlisted_share=0.001,
    ordinary_bits=5.0,
)


@pytest.fixture
def suite(tmp_path):
    texts = {name: task_text(f"t/{name}").replace("2 * x", f"{name}(x)") for name in BUILTINS}
    for word in ("lua", "awk", "tcl"):
        texts[word] = (
            task_text(f"t/{word}").replace("2 * x", word).replace("language: python", f"language: {word}")
        )
    return write_suite_folder(tmp_path / "s", texts)


def surprised(prompt, solution):
    """A model that finds long solutions unlikely."""
    return Likelihood(tokens=3, nats_per_token=float(len(solution)))


@pytest.fixture
def figures(tmp_path, monkeypatch):
    path = tmp_path / "likelihood.json"
    monkeypatch.setattr(correlation, "FIGURES", path)
    monkeypatch.setattr(correlation, "RESAMPLES", 50)
    return path


def test_an_interrupted_measurement_goes_on_where_it_was(suite, figures):
    asked = []

    def scorer(prompt, solution):
        asked.append(solution)
        return surprised(prompt, solution)

    measure(suite, scorer, print, out=figures)
    measure(suite, scorer, print, out=figures)
    assert len(asked) == len(json.loads(figures.read_text(encoding="utf-8"))) == 9
    assert likelihood.FIGURES.name == "likelihood.json"


def test_a_model_that_finds_rare_tasks_unlikely_correlates(suite, figures):
    def scorer(prompt, solution):
        places = [place for place, name in enumerate(BUILTINS) if f"{name}(" in solution]
        return Likelihood(tokens=len(solution), nats_per_token=float(sum(places)))

    measure(suite, scorer, print, out=figures)
    rows = {row.what: row for row in correlate(suite, TABLE)}
    assert rows["score, Python"].rho == pytest.approx(1.0)
    assert rows["score, Python"].tasks == 6
    assert rows["score, all languages"].tasks == 9
    assert rows["score given the solution's length, Python"].rho > 0.9
    assert set(AGGREGATES) < set(rows)
    assert "| score, Python | 6 | 1.00 |" in as_markdown(list(rows.values()))

"""Logs of lm-evaluation-harness, brought in and decided on as their owner would do it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.app import cli

TASKS = 120


def log(path: Path, *, repeats: int, seed: int, tail_drop: float = 0.0) -> Path:
    """Tasks that pass with .1 to .9, the tail's with less; a row has the mean over its repeats."""
    rng = random.Random(seed)
    rows = []
    for stratum in ("head", "torso", "tail"):
        for number in range(TASKS):
            truth = 0.1 + 0.8 * number / TASKS
            ratio = truth * (1 - tail_drop if stratum == "tail" else 1)
            answers = ["right" if rng.random() < ratio else "wrong" for _ in range(repeats)]
            rows.append(
                {
                    "doc_id": len(rows),
                    "doc": {"task_id": f"{stratum}/{number}", "category": stratum},
                    "filter": "create_test",
                    "filtered_resps": [answers],
                    "metrics": ["pass@1"],
                    "pass@1": answers.count("right") / repeats,
                }
            )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def imported(source: Path) -> Path:
    out = source.with_suffix(".outcomes.jsonl")
    result = CliRunner().invoke(
        cli, ["outcomes", "import", str(source), "--format", "lm-eval", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(log(tmp_path_factory.mktemp("lm-eval") / "base.jsonl", repeats=32, seed=1))


def answer(baseline: Path, candidate: Path) -> tuple[int, dict]:
    result = CliRunner().invoke(
        cli,
        [
            *("gate", "--baseline-outcomes", str(baseline)),
            *("--candidate-outcomes", str(candidate), "--json"),
        ],
    )
    return result.exit_code, json.loads(result.stdout)


def test_a_lost_tail_is_rejected_for_the_tail_alone(baseline, tmp_path):
    worse = imported(log(tmp_path / "worse.jsonl", repeats=32, seed=3, tail_drop=0.4))
    code, found = answer(baseline, worse)
    assert code == 1
    assert found["strata"]["tail"]["finding"] == "regressed"
    assert {reason["stratum"] for reason in found["reasons"] if reason["code"] == "stratum_regressed"} == {
        "tail"
    }


@pytest.mark.parametrize("repeats", [8, 16, 32])
def test_an_unchanged_model_is_promoted_however_many_repeats_were_logged(baseline, tmp_path, repeats):
    same = imported(log(tmp_path / "same.jsonl", repeats=repeats, seed=2))
    code, found = answer(baseline, same)
    assert code == 0
    for stratum in found["strata"].values():
        assert abs(stratum["delta"]) < 0.05


def test_a_lost_tail_is_not_promoted_on_fewer_repeats_than_the_bank_has(baseline, tmp_path):
    worse = imported(log(tmp_path / "worse8.jsonl", repeats=8, seed=5, tail_drop=0.4))
    code, found = answer(baseline, worse)
    assert code == 2
    assert found["strata"]["tail"]["finding"] == "regressed"

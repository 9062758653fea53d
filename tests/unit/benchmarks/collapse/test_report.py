from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.collapse.report import BEGIN, END, renew, tables, warnings_table
from benchmarks.collapse.study import PASS_RATE, FalseWarnings, Row
from monitor.domain.drift import IndicatorName


def a_row(
    checkpoint: str, indicator: str, *, warns: bool, depth: int | None = 8, stratum: str = "tail"
) -> Row:
    return Row(
        checkpoint=checkpoint,
        indicator=indicator,
        depth=depth,
        stratum=stratum,
        value=0.5,
        baseline=0.25,
        p_value=0.00001 if warns else 0.3,
        alpha=0.001,
        noise_floor=0.0,
        warns=warns,
    )


@pytest.fixture
def results() -> dict[str, Any]:
    rows = [
        a_row("gen1", IndicatorName.COLLISION, warns=False),
        a_row("gen2", IndicatorName.COLLISION, warns=True),
        a_row("gen2", IndicatorName.COLLISION, warns=True, stratum="head"),
        a_row("8bit", IndicatorName.COLLISION, warns=False),
        a_row("gen1", IndicatorName.RARE_CODE_NLL, warns=True, depth=None),
        a_row("gen1", PASS_RATE, warns=False),
    ]
    false = FalseWarnings(
        indicator=IndicatorName.COLLISION, depth=8, resamplings=40, tests=120, warned=0, below_nominal=6
    )
    cost = {"wall_s": 10.0, "cpu_s": 5.0}
    return {
        "generations": ["gen1", "gen2"],
        "unharmed": ["8bit"],
        "rows": [asdict(row) for row in rows],
        "false_warnings": [
            {**asdict(false), "rate": false.rate, "alpha": 0.001, "alpha_error": 0.003, "nominal_error": 0.02}
        ],
        "trends": [
            {
                "indicator": IndicatorName.COLLISION,
                "depth": 8,
                "stratum": "tail",
                "slope": 0.1,
                "p_value": 1 / 6,
                "points": 3,
            }
        ],
        "probe_costs": [{"probe": IndicatorName.RARE_CODE_NLL, "readings": 550, **cost}],
        "meter_cpu_s": [1.0, 2.0],
        "drawing": dict.fromkeys(["gen0", "gen1", "gen2", "8bit"], cost),
    }


def test_the_first_generation_of_any_stratum_is_named_and_its_strata_rarest_first(
    results: dict[str, Any],
) -> None:
    lines = warnings_table(results).splitlines()
    assert lines[2] == "| `rare-code-nll` |  | gen1 | tail |  |  |"
    assert lines[3] == "| `collision` | 8 | gen2 |  | tail, head |  |"
    assert lines[4] == "| *pass-rate* | 8 | never |  |  |  |"


def test_every_table_is_written(results: dict[str, Any]) -> None:
    text = tables(results)
    assert "| `collision` | 8 | 0.25 | 0.5 (0.3) | 0.5 (<0.0001) | 0.5 (0.3) |" in text
    assert "| `collision` | 8 | 40 | 120 | 0 | 0.000 | 0.001 ± 0.003 | 0.050 | 0.05 ± 0.020 |" in text
    assert "| `collision` | 8 | 0.1 | 0.17 | 3 |" in text
    assert "| rare-code-nll, 550 readings | 10 | 5 |" in text


def test_a_page_keeps_what_stands_around_the_marks(tmp_path: Path, results: dict[str, Any]) -> None:
    page = tmp_path / "drift.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    renew(page, tables(results))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n\n### Which warns first")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text

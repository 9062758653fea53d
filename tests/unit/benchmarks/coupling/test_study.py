"""Likeness and replays on samples whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.coupling.report import BEGIN, END, renew, tables
from benchmarks.coupling.study import bank_from, by_cell, likeness, replay, replays, strata
from monitor.domain.evidence import DecisionKind
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.verdicts.policy import Policy
from tests.unit.rounds.conftest import small_suite

SUITE = small_suite(60)
DEPTH = 32
POLICY = Policy(margin=dict.fromkeys(Stratum, 0.10))


def samples(passes: Callable[[np.random.Generator, int, int], bool], *, seed: int = 1) -> list[Sample]:
    """One sample per task and index; ``passes`` is given fresh noise, the task's number and the index."""
    rng = np.random.default_rng(seed)
    found = []
    for number, task in enumerate(SUITE):
        for index in range(DEPTH):
            passed = passes(rng, number, index)
            completion = Completion(
                task_id=task.task_id,
                index=index,
                seed=1000 * number + index,
                text=str(passed),
                finish_reason=FinishReason.STOP,
                tokens=1,
            )
            found.append(
                Sample(
                    task_id=task.task_id,
                    stratum=task.stratum,
                    index=index,
                    wave=0,
                    completion=completion,
                    program_digest="",
                    execution=Execution(outcome=Outcome.PASSED if passed else Outcome.FAILED),
                )
            )
    return found


NOISE = np.random.default_rng(0).random((len(SUITE), DEPTH))
BEFORE = samples(lambda _, number, index: bool(NOISE[number, index] < 0.5))
BANK = bank_from(BEFORE)


def test_a_copy_is_alike_at_the_same_seed_and_at_no_other():
    tail = likeness(by_cell(BEFORE), by_cell(BEFORE), Stratum.TAIL)
    assert tail.same_seed == pytest.approx(1.0)
    assert tail.variance_factor < 0.001
    assert tail.same_text == 1.0
    # 1920 pairs: standard error .023.
    assert tail.other_seed == pytest.approx(-1 / (DEPTH - 1), abs=0.07)
    assert tail.pass_ratio == tail.baseline_ratio


def test_a_stranger_is_alike_at_no_seed():
    stranger = by_cell(samples(lambda rng, *_: bool(rng.random() < 0.5), seed=3))
    for found in strata(by_cell(BEFORE), stranger):
        assert found.same_seed == pytest.approx(0.0, abs=0.07)
        assert found.variance_factor == pytest.approx(1.0, abs=0.01)


def test_samples_without_a_result_are_left_out():
    lost = [
        replace(one, execution=Execution(outcome=Outcome.UNSCORED)) if one.index == 0 else one
        for one in BEFORE
    ]
    assert likeness(by_cell(BEFORE), by_cell(lost), Stratum.TAIL).same_seed == pytest.approx(1.0)


def test_a_copy_is_promoted_for_fewer_samples_with_coupling_than_without():
    coupled = replays(SUITE, BANK, by_cell(BEFORE), POLICY, ways=4)
    plain = replays(SUITE, BANK, by_cell(BEFORE), replace(POLICY, coupling=False), ways=4)
    assert coupled.decisions["promote"] == 1.0
    assert coupled.samples < 0.75 * plain.samples


def test_a_replay_rejects_what_lost_its_tail_and_draws_no_sample_twice():
    def worse(_: np.random.Generator, number: int, index: int) -> bool:
        lost = SUITE.tasks[number].stratum is Stratum.TAIL
        return bool(NOISE[number, index] < (0.2 if lost else 0.5))

    kind, drawn = replay(SUITE, BANK, by_cell(samples(worse)), POLICY, way="a" * 64)
    assert kind is DecisionKind.REJECT
    assert len({(one.task_id, one.index) for one in drawn}) == len(drawn)
    again = replay(SUITE, BANK, by_cell(samples(worse)), POLICY, way="a" * 64)
    assert again == (kind, drawn)


def test_the_page_shows_every_checkpoint(tmp_path):
    row = {
        "stratum": "tail",
        "baseline_ratio": 0.6,
        "pass_ratio": 0.43,
        "same_seed": None,
        "other_seed": 0.0,
        "weight": 0.0,
        "variance_factor": 1.0,
        "same_text": 0.94,
    }
    gate = {"decisions": {"reject": 1.0, "hold": 0.0}, "tail_samples": 80, "samples": 81, "samples_p95": 90}
    results = {"checkpoints": {"gen1": {"likeness": [row], "coupled": gate, "uncoupled": gate}}}
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    renew(page, tables(results))
    assert "| gen1 | tail | 0.60 → 0.43 | - | 0.00 | 0.00 | 1.00 | 94% |" in page.read_text()
    assert "| gen1 | coupled | REJECT 100% | 80 | 81 | 90 |" in page.read_text()
    assert "stale" not in page.read_text()

"""`kill -9` of the daemon in the middle of an evaluation costs at most the samples in flight."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from monitor.discovery.checkpoints import load_checkpoint
from tests.acceptance.product import CHECKPOINTS, ENGINE_READY_S, Deployment

Row = tuple[Any, ...]

COLUMNS = ("evaluation_ref", "task_ref", "sample_index", "seed", "outcome", "wave", "tokens")
TOKENS = COLUMNS.index("tokens")
OF_CANDIDATE = """
    FROM samples JOIN evaluations ON evaluations.ref = samples.evaluation_ref
    JOIN tasks ON tasks.ref = samples.task_ref
    WHERE evaluations.record LIKE '%"purpose":"candidate"%'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A deployment whose daemon was killed while it drew samples, restarted, and has decided."""

    deployment: Deployment
    before: frozenset[Row]
    """Every stored sample at the moment of the kill."""
    tokens_before: int
    """Tokens that were counted as generated until then."""
    candidate_before: int
    """How many of them were the candidate's."""
    orphans: list[str]
    """Command lines of the killed daemon's processes that outlived it by ten seconds."""
    document: dict[str, Any]
    """The gate's answer in the end."""
    exit_code: int
    """Of the second daemon, after SIGTERM."""


@pytest.fixture(scope="module")
def interrupted(banked, tmp_path_factory):
    deployment = banked.copy_to(tmp_path_factory.mktemp("interrupted") / "deployment")
    deployment.receive("gen3")
    with deployment.serving() as daemon:
        daemon.wait_until(
            "the candidate's first samples are stored",
            lambda: _candidate_samples(deployment) > 0,
            timeout_s=ENGINE_READY_S,
            pause_s=0.02,
        )
        family = psutil.Process(daemon.process.pid).children(recursive=True)
        daemon.kill()
        before, candidate_before = _stored(deployment), _candidate_samples(deployment)
        tokens_before = _counted_tokens(deployment)
        orphans = _outliving(family)
    assert deployment.run("gate", "gen3").code == 2, "it was decided before the kill: nothing was interrupted"
    with deployment.serving() as daemon:
        daemon.wait_until(
            "a decision after the restart",
            lambda: daemon.decision_of("gen3") is not None,
            timeout_s=ENGINE_READY_S + 180,
        )
        exit_code = daemon.stop()
    return Interrupted(
        deployment=deployment,
        before=before,
        tokens_before=tokens_before,
        candidate_before=candidate_before,
        orphans=orphans,
        document=deployment.run("gate", "gen3", "--json").document,
        exit_code=exit_code,
    )


def test_the_decision_is_the_one_of_an_undisturbed_evaluation(interrupted, judged):
    undisturbed = judged.deployment.run("gate", "gen3", "--json").document
    assert interrupted.document["decision"] == undisturbed["decision"] == "reject"
    assert interrupted.document["strata"]["tail"]["finding"] == undisturbed["strata"]["tail"]["finding"]


def test_what_was_stored_before_the_kill_is_kept_and_used(interrupted):
    after = _stored(interrupted.deployment)
    assert interrupted.before <= after
    assert _candidate_samples(interrupted.deployment) > interrupted.candidate_before > 0


def test_no_sample_was_drawn_twice(interrupted):
    """What the second daemon generated is what it stored: it asked for no sample that was stored before.

    What was in flight at the kill was never stored and is drawn by the second daemon, counted there once.
    """
    generated = _counted_tokens(interrupted.deployment) - interrupted.tokens_before
    stored = sum(row[TOKENS] for row in _stored(interrupted.deployment) - interrupted.before)
    assert generated == stored > 0


def test_the_samples_are_those_of_an_undisturbed_evaluation(interrupted, judged):
    assert _outcomes_of_gen3(interrupted.deployment) == _outcomes_of_gen3(judged.deployment)


def test_the_aggregates_agree_with_what_they_count(interrupted):
    counted = interrupted.deployment.run("store", "verify", "--json").expect(0).document
    assert counted["differences"] == []


def test_the_killed_daemon_left_no_process_behind(interrupted):
    assert not interrupted.orphans, [
        orphan.cmdline() for orphan in interrupted.orphans if orphan.is_running()
    ]


def test_sigterm_ends_the_daemon_in_order(interrupted):
    assert interrupted.exit_code == 0
    assert interrupted.deployment.query("SELECT count(*) FROM evaluations WHERE worker IS NOT NULL") == [(0,)]


def _outliving(family: list[psutil.Process]) -> list[str]:
    """Command lines of the processes that are still there after ten seconds; they are ended then."""
    _, alive = psutil.wait_procs(family, timeout=10)
    commands: list[str] = []
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            commands.append(" ".join(process.cmdline()))
            process.kill()
    return commands


def _stored(deployment: Deployment) -> frozenset[Row]:
    return frozenset(deployment.query(f"SELECT {', '.join(COLUMNS)} FROM samples"))


def _counted_tokens(deployment: Deployment) -> int:
    """As the metric tailwatch_generated_tokens_total says it; stored at the end of each wave."""
    counted = deployment.query("SELECT sum(value) FROM counters WHERE name = 'generated_tokens'")
    return int(counted[0][0])


def _outcomes_of_gen3(deployment: Deployment) -> dict[tuple[str, int], str]:
    rows = deployment.query(
        f"SELECT task_id, sample_index, outcome {OF_CANDIDATE} AND evaluations.checkpoint = ?",
        load_checkpoint(CHECKPOINTS / "gen3").digest,
    )
    return {(task, index): outcome for task, index, outcome in rows}


def _candidate_samples(deployment: Deployment) -> int:
    return int(deployment.query(f"SELECT count(*) {OF_CANDIDATE}")[0][0])

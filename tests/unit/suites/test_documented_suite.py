from __future__ import annotations

import json
import re
from pathlib import Path

from monitor.discovery.card import read_card
from monitor.domain.evidence import Observation
from monitor.domain.samples import Outcome
from monitor.programs.assembly import reference_program
from monitor.suites.importing.conversion import Conversion, Origin
from monitor.suites.importing.own import own
from monitor.suites.loading import load_suite
from monitor.suites.mutation.equivalents import EQUIVALENTS_FILE, read_equivalents
from monitor.suites.outcomes import read_outcomes
from tests.unit.suites.suite_files import write_suite_folder
from tests.unit.suites.trusting_sandbox import TrustingSandbox

DOCS = Path(__file__).parents[3] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


async def test_the_suite_in_the_documentation_loads_and_its_reference_passes(tmp_path: Path) -> None:
    header, task, _ = blocks("suites.md", "yaml")
    suite = load_suite(write_suite_folder(tmp_path / "billing", {"a": task}, header))
    execution = await TrustingSandbox().execute(reference_program(suite.tasks[0]))
    assert execution.outcome is Outcome.PASSED, execution.detail


def test_the_list_of_equivalent_mutants_in_the_documentation_is_read(tmp_path: Path) -> None:
    *_, listed = blocks("suites.md", "yaml")
    (tmp_path / EQUIVALENTS_FILE).write_text(listed)
    assert read_equivalents(tmp_path) == {"billing/late-fee": frozenset({"line 12: 0 -> -1"})}


def test_the_task_of_ones_own_in_the_documentation_is_taken() -> None:
    line, _ = blocks("suites.md", "json")
    origin = Origin(title="ours", licence="Apache-2.0", source="our repository")
    task = own(json.loads(line), Conversion(origin=origin, time_limit_s=5.0))
    assert task.task_id == "billing/double"


def test_the_outcome_in_the_documentation_is_read(tmp_path: Path) -> None:
    _, line = blocks("suites.md", "json")
    path = tmp_path / "outcomes.jsonl"
    path.write_text(line)
    assert isinstance(next(read_outcomes(path)), Observation)


def test_the_card_in_the_documentation_is_read(tmp_path: Path) -> None:
    (card,) = blocks("checkpoints.md", "yaml")
    path = tmp_path / "tailwatch.yaml"
    path.write_text(card)
    assert read_card(path).lineage.parent == "step-2000"

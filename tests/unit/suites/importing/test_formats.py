from __future__ import annotations

from typing import Any

import pytest

from monitor.domain.samples import Outcome
from monitor.programs.assembly import reference_program
from monitor.suites.format import TaskFile
from monitor.suites.importing.conversion import Conversion, LeftOutBecause, NotImportable
from monitor.suites.importing.formats import BENCHMARKS, Format
from monitor.suites.loading import build_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "double",
}
MBXP = {
    "task_id": "MBRBP/1",
    "language": "ruby",
    "prompt": "\n##\n# Double x\ndef double(x)",
    "canonical_solution": "  2 * x\nend",
    "test": "x0 = double(4)\nif x0 != 8\n    raise StandardError\nend\n",
    "entry_point": "double",
    "description": "Double x",
}
MCEVAL = {
    "task_id": "Python/1",
    "prompt": "from typing import List\n \ndef double(x: int) -> int:",
    "canonical_solution": "    return 2 * x",
    "test": "def test_double():\n    assert double(4) == 8\n\ntest_double()",
    "entry_point": "double",
    "level": "easy",
}
EVALPLUS = {name: value for name, value in HUMANEVAL.items() if name != "test"} | {
    "contract": "",
    "base_input": [[1], [2]],
    "plus_input": [[[1, 2]], ["ab"], [1e300]],
    "atol": 0,
}
MULTIPL_E = {
    "name": "HumanEval_0_double",
    "language": "lua",
    "prompt": "local function double(x)\n",
    "tests": "assert(double(4) == 8)\n",
    "stop_tokens": ["\nlocal", "\nfunction"],
    "canonical_solution": "  return 2 * x\nend\n",
}
BIGCODEBENCH = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import math\n\ndef task_func(x):\n    """Double x."""',
    "instruct_prompt": "Double x",
    "canonical_solution": "    return 2 * x",
    "test": "import unittest\n\nclass TestCases(unittest.TestCase):\n    def test_it(self):\n"
    "        self.assertEqual(task_func(4), 8)\n",
    "entry_point": "task_func",
    "libs": "['math', 'random']",
}
RECORDS = {
    Format.HUMANEVAL: HUMANEVAL,
    Format.MBXP: MBXP,
    Format.MCEVAL: MCEVAL,
    Format.EVALPLUS: EVALPLUS,
    Format.MULTIPL_E: MULTIPL_E,
    Format.BIGCODEBENCH: BIGCODEBENCH,
}


PUBLISHED = [name for name in Format if BENCHMARKS[name].origin]


def read(name: Format, **changes: Any) -> TaskFile:
    benchmark = BENCHMARKS[name]
    record = {field: value for field, value in (RECORDS[name] | changes).items() if value is not None}
    return benchmark.read(record, Conversion(origin=benchmark.origin, time_limit_s=4.0))


async def passes(task: TaskFile, solution: str | None = None) -> bool:
    changed = task if solution is None else task.model_copy(update={"canonical_solution": solution})
    execution = await TrustingSandbox().execute(reference_program(build_task(changed)))
    return execution.outcome is Outcome.PASSED


@pytest.mark.parametrize("name", PUBLISHED)
def test_licence_and_source_are_kept(name: Format) -> None:
    task = read(name)
    assert task.provenance.licence
    assert task.provenance.source.startswith("https://")
    assert task.time_limit_s == 4.0


@pytest.mark.parametrize("name", [Format.HUMANEVAL, Format.MCEVAL, Format.EVALPLUS, Format.BIGCODEBENCH])
async def test_a_python_reference_passes_and_wrong_solutions_do_not(name: Format) -> None:
    task = read(name)
    assert await passes(task)
    assert not await passes(task, "\n    return x\n")
    assert not await passes(task, "\n    return None\n")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_record_without_a_reference_is_not_imported(name: Format) -> None:
    with pytest.raises(NotImportable) as caught:
        read(name, canonical_solution=None)
    assert caught.value.because is LeftOutBecause.NO_REFERENCE


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_record_without_a_prompt_is_malformed(name: Format) -> None:
    with pytest.raises(NotImportable) as caught:
        read(name, prompt=None, complete_prompt=None)
    assert caught.value.because is LeftOutBecause.MALFORMED


def test_an_id_that_no_task_may_have_is_malformed() -> None:
    with pytest.raises(NotImportable, match="field task_id"):
        read(Format.HUMANEVAL, task_id="with blanks in it")


def test_mbxp_python_is_humanly_written_and_its_other_languages_are_not() -> None:
    assert read(Format.MBXP).provenance.written_by == "model"
    assert read(Format.MBXP, language="python").provenance.written_by == "human"


def test_solutions_begin_on_a_line_of_their_own() -> None:
    assert read(Format.MBXP).canonical_solution == "\n  2 * x\nend"
    assert read(Format.MCEVAL).canonical_solution == "\n    return 2 * x"
    assert read(Format.HUMANEVAL).canonical_solution == "    return 2 * x\n"


def test_mcevals_lisp_checks_end_the_program_when_they_fail() -> None:
    racket = read(
        Format.MCEVAL,
        task_id="Scheme/1",
        prompt="#lang racket\n(require rackunit)\n(define (double x)",
        canonical_solution="(* 2 x))",
        test="(check-equal? (double 4) 8)",
    )
    assert racket.language == "racket"
    assert racket.test.startswith("(require rackunit)\n(current-check-handler")


def test_mcevals_enclosing_tests_cannot_be_run() -> None:
    with pytest.raises(NotImportable) as caught:
        read(Format.MCEVAL, task_id="Fortran/1")
    assert caught.value.because is LeftOutBecause.NOT_RUN


def test_languages_get_the_names_of_the_sandbox() -> None:
    assert read(Format.MULTIPL_E, language="rkt").language == "racket"
    assert read(Format.MULTIPL_E, language="sh").language == "shell"
    assert read(Format.MULTIPL_E).entry_point == "double"
    assert read(Format.MULTIPL_E).stop == ["\nlocal", "\nfunction"]


async def test_evalplus_tests_are_used_where_they_are_published() -> None:
    task = read(Format.EVALPLUS, test="def check(candidate):\n    assert candidate(5) == 10\n")
    assert "INPUTS" not in task.test
    assert await passes(task)


async def test_evalplus_takes_any_root_of_a_polynomial() -> None:
    task = read(
        Format.EVALPLUS,
        entry_point="find_zero",
        prompt="def find_zero(xs):\n",
        canonical_solution="    return -xs[0] / xs[1]\n",
        base_input=[[[1, 2]], [[-3, 1]]],
        plus_input=[],
    )
    assert await passes(task)
    assert await passes(task, "    return -xs[0] / xs[1] + 1e-7\n")
    assert not await passes(task, "    return 0.5\n")


async def test_evalplus_compares_floats_nearly_and_types_by_value() -> None:
    task = read(
        Format.EVALPLUS, canonical_solution="    return [0.1 * 3, (1, float('nan'))]\n", plus_input=[]
    )
    assert await passes(task)
    for near in ("[0.3, [1, float('nan')]]", "(0.3, (1, float('nan')))"):
        names: dict[str, Any] = {}
        exec(task.test, names)
        names["check"](lambda _, near=near: eval(near))
    assert not await passes(task.model_copy(update={"test": task.test.replace("0.1 * 3", "0.31")}))


@pytest.mark.parametrize(
    "changes", [{"task_id": "Mbpp/2"}, {"base_input": [], "plus_input": []}], ids=["mbpp", "no inputs"]
)
def test_evalplus_records_that_cannot_be_judged_are_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotImportable) as caught:
        read(Format.EVALPLUS, **({"test": None} | changes))
    assert caught.value.because is LeftOutBecause.MALFORMED


def test_bigcodebench_topics_are_its_libraries() -> None:
    assert read(Format.BIGCODEBENCH).topic == "math"
    assert read(Format.BIGCODEBENCH, libs=["json"]).topic == "json"
    assert read(Format.BIGCODEBENCH, libs=None).topic == "function"

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.suites.documents import parse_document
from monitor.suites.format import TaskFile, schemas
from monitor.suites.loading import read_entry
from monitor.suites.shelves import known_suites
from tests.unit.suites.suite_files import task_text

jsonschema = pytest.importorskip("jsonschema")

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_published_schema_is_current(name: str) -> None:
    assert (PUBLISHED / name).read_text(encoding="utf-8") == schemas()[name]


def _validator(name: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads(schemas()[name]))


@pytest.mark.parametrize("suite", sorted(known_suites()))
def test_every_file_of_our_suites_fits_its_schema(suite: str) -> None:
    folder = known_suites()[suite]
    files = {"suite.schema.json": [folder / "suite.yaml"], "task.schema.json": [*folder.glob("tasks/*.yaml")]}
    for name, paths in files.items():
        validator = _validator(name)
        assert paths
        for path in paths:
            problems = [*validator.iter_errors(parse_document(path.read_text(encoding="utf-8")).value)]
            assert problems == [], path


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("", "", True),
        ("entry_point: double\n", "", False),
        ("entry_point: double\n", "entry_point: ''\n", False),
        ("entry_point: double\nlanguage: python\nkind: program\n", "kind: answer\n", True),
        ("created: 2026-01-31", "created: 2026-13-31", False),
        ("created: 2026-01-31", "created: 2026-01-32", False),
        ("created: 2026-01-31", "created: 2024-02-29", True),
        ("topic: arithmetic", "topic: ''", True),
        ("topic: arithmetic\n", "", True),
        ("  author: A. Tester\n", "", True),
        ("  licence: Apache-2.0\n", "", False),
        ("time_limit_s: 2.0", "time_limit_s: 601", False),
        ("frequency: 0.2", "frequency: 1.5", False),
        ("topic: arithmetic", "topic: arithmetic\nnew: 1", False),
    ],
)
def test_the_schema_of_tasks_is_as_strict_as_the_loader(
    tmp_path: Path, old: str, new: str, fits: bool
) -> None:
    text = task_text("t/a").replace(old, new) if old else task_text("t/a")
    assert _validator("task.schema.json").is_valid(parse_document(text).value) is fits
    path = tmp_path / "task.yaml"
    path.write_text(text, encoding="utf-8")
    if fits:
        read_entry(path, TaskFile)
    else:
        with pytest.raises(InvalidSuite):
            read_entry(path, TaskFile)


def test_a_day_that_its_month_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(task_text("t/a").replace("2026-01-31", "2026-02-30"), encoding="utf-8")
    with pytest.raises(InvalidSuite, match=r"provenance\.created: day is out of range for month"):
        read_entry(path, TaskFile)


@pytest.mark.parametrize(
    ("cut", "fits"),
    [
        ({"quantiles": {"torso_from": 0.3, "tail_from": 0.6}}, True),
        ({"cut_points": {"torso_from": 3.0, "tail_from": 6.0}, "quantiles": None}, True),
        ({}, False),
        ({"quantiles": None}, False),
        (
            {
                "quantiles": {"torso_from": 0.3, "tail_from": 0.6},
                "cut_points": {"torso_from": 3.0, "tail_from": 6.0},
            },
            False,
        ),
    ],
)
def test_the_schema_of_suites_asks_for_one_way_to_cut(cut: dict[str, Any], fits: bool) -> None:
    header = {
        "name": "small",
        "version": "1",
        "licence": "MIT",
        "seed": 1,
        "description": "d",
        "contamination_canary": "c",
        "rarity": {"method": "corpus-features", "corpus": "c"} | cut,
    }
    assert _validator("suite.schema.json").is_valid(header) is fits

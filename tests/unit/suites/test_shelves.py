from __future__ import annotations

from pathlib import Path

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.suites.shelves import find_suite, known_suites
from tests.unit.suites.suite_files import task_text, write_suite_folder


@pytest.fixture
def shelves(tmp_path: Path) -> tuple[Path, Path]:
    for shelf, name in (("wheel", "core"), ("checkout", "core"), ("checkout", "lab")):
        write_suite_folder(tmp_path / shelf / name, {"a": task_text("t/1")})
    return tmp_path / "wheel", tmp_path / "checkout"


def test_a_name_is_found_on_the_first_shelf_that_has_it(shelves: tuple[Path, Path]) -> None:
    assert find_suite("core", shelves=shelves) == shelves[0] / "core"
    assert find_suite("lab", shelves=shelves) == shelves[1] / "lab"


def test_all_known_suites_are_listed_once(shelves: tuple[Path, Path]) -> None:
    assert known_suites(shelves=shelves) == {"core": shelves[0] / "core", "lab": shelves[1] / "lab"}


def test_a_name_means_the_shelf_even_where_a_folder_has_that_name(
    shelves: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_suite_folder(tmp_path / "here" / "core", {"a": task_text("t/1")})
    monkeypatch.chdir(tmp_path / "here")
    assert find_suite("core", shelves=shelves) == shelves[0] / "core"
    assert find_suite("./core", shelves=()).resolve() == tmp_path / "here" / "core"
    assert find_suite("core", shelves=()).resolve() == tmp_path / "here" / "core"


def test_an_unknown_name_is_an_error_with_a_guess(shelves: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidSuite) as caught:
        find_suite("cor", shelves=shelves)
    assert "Did you mean 'core'?" in caught.value.next_step
    assert "core, lab" in caught.value.next_step


def test_a_folder_without_a_header_is_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidSuite, match=r"has no suite\.yaml"):
        find_suite(tmp_path, shelves=())
    with pytest.raises(InvalidSuite, match="no suite called"):
        find_suite(tmp_path / "nowhere", shelves=())


def test_the_suites_of_this_checkout_are_on_a_shelf() -> None:
    assert "lab" in known_suites()

import zipfile

import pytest

from benchmarks.rarity import packages
from benchmarks.rarity.build import files_to_count, provenance_of, refuse_another_library
from benchmarks.rarity.packages import pinned, tree_digest, unpack
from monitor.domain.errors import InvalidCorpus
from monitor.rarity.table import load_table


def test_every_package_is_pinned_once_with_its_hash():
    names = [package.name for package in pinned()]
    assert len(names) == len(set(names)) == packages.PINS.read_text(encoding="utf-8").count("==")
    assert len(names) >= 60


def test_only_python_files_of_a_wheel_are_unpacked(tmp_path, monkeypatch):
    wheel = tmp_path / "p.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("p/a.py", "p/data.json", "p-1.dist-info/METADATA", "p-1.data/scripts/x.py"):
            archive.writestr(name, "sum(a)")
    monkeypatch.setattr(packages, "download", lambda cache: {"p": wheel})
    (tmp_path / "sources" / packages.STDLIB).mkdir(parents=True)
    sources = unpack(tmp_path)
    assert [path.name for path in sources.rglob("*") if path.is_file()] == ["a.py"]
    assert unpack(tmp_path) == sources


def test_tests_copies_and_repeated_files_are_not_counted(tmp_path):
    for number, name in enumerate(
        ("p/a.py", "p/tests/b.py", "p/test_c.py", "p/_vendor/d.py", "p/conftest.py")
    ):
        path = tmp_path / "q" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"x = {number}", encoding="utf-8")
    (tmp_path / "q" / "same.py").write_text("x = 0", encoding="utf-8")
    assert [(path.name, project) for path, project in files_to_count(tmp_path)] == [("same.py", "q")]


def library(folder, **contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    return folder, sorted(folder.glob("*.py"))


def test_a_library_is_known_by_its_files_but_for_what_its_build_wrote(tmp_path):
    one = library(tmp_path / "one", a="x", b="y", _sysconfigdata_here="1")
    two = library(tmp_path / "two", a="x", b="y", _sysconfigdata_there="2")
    assert tree_digest(*one) == tree_digest(two[0], two[1][::-1])
    for number, changed in enumerate(({"a": "x", "b": "z"}, {"a": "x", "c": "y"}, {"a": "x"})):
        assert tree_digest(*library(tmp_path / f"changed{number}", **changed)) != tree_digest(*one)


def test_another_standard_library_than_the_pinned_one_is_refused(tmp_path, monkeypatch):
    folder, paths = library(tmp_path / "lib", a="x")
    with pytest.raises(InvalidCorpus, match=r"not the pinned one, that of CPython 3\.11\.7"):
        refuse_another_library(folder, paths)
    monkeypatch.setattr("benchmarks.rarity.build.STDLIB_SHA256", tree_digest(folder, paths))
    refuse_another_library(folder, paths)


def test_the_committed_table_says_of_its_origin_what_a_build_would():
    said = load_table().provenance
    assert said == provenance_of(said["lines"], said["files_without_features"], said["files_by_project"])
    assert said["files"] == load_table().documents

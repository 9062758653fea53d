import zipfile

from benchmarks.rarity import packages
from benchmarks.rarity.build import files_to_count
from benchmarks.rarity.packages import pinned, unpack


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

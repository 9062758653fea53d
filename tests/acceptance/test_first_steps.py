"""The first commands of a new user: init, doctor, status."""

from __future__ import annotations

import pytest
import yaml

from tests.acceptance.product import CHECKPOINTS, Deployment


@pytest.fixture
def initialised(tmp_path):
    """A folder in which `tailwatch init` was run, and nothing else."""
    fresh = Deployment(folder=tmp_path, port=0)
    arguments = ("--model", "acme-coder", "--checkpoints", str(CHECKPOINTS), "--suite", "lab")
    fresh.run("init", *arguments).expect(0)
    return fresh


def test_init_writes_a_configuration_with_comments_that_can_be_read_back(initialised):
    text = (initialised.folder / "tailwatch.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert content["model"] == "acme-coder"
    assert content["checkpoints"]["path"] == str(CHECKPOINTS)
    assert text.count("#") > 5
    status = initialised.run("status", "--json").expect(0).document
    assert (status["model"], status["suite"], status["checkpoints"]) == ("acme-coder", "lab", [])


def test_doctor_names_every_part_and_how_to_mend_what_is_missing(initialised):
    found = initialised.run("doctor", "--json", timeout_s=180, DOCKER_HOST="unix:///nonexistent/docker.sock")
    document = found.expect(3).document
    assert document["ok"] is False
    checks = {check["name"]: check for check in document["checks"]}
    assert {"suite", "store", "checkpoints", "port"} <= checks.keys()
    assert checks["suite"]["ok"]
    assert checks["checkpoints"]["ok"]
    broken = [check for check in checks.values() if not check["ok"]]
    assert broken
    assert all(check["next_step"] for check in broken)


@pytest.mark.usefixtures("components")
def test_doctor_is_content_with_a_machine_that_has_everything(initialised):
    assert initialised.run("doctor", "--json", timeout_s=180).expect(0).document["ok"] is True


def test_every_command_explains_itself(initialised):
    for command in ("init", "demo", "serve", "evaluate", "compare", "gate", "promote", "status", "doctor"):
        assert "Usage: tailwatch" in initialised.run(command, "--help").expect(0).out

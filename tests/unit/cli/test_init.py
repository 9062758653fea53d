"""What `tailwatch init` writes is what Tailwatch does without it."""

from __future__ import annotations

import re

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from monitor.cli.app import cli
from monitor.config import Options, load_options
from monitor.verdicts.policy import DEFAULT_MARGIN


def written(folder, *arguments: str) -> str:
    path = folder / "tailwatch.yaml"
    result = CliRunner().invoke(cli, ["init", str(path), *arguments])
    assert result.exit_code == 0, result.output
    return path.read_text(encoding="utf-8")


def with_commented_keys(text: str) -> str:
    """The file with every key that stands behind a `#` taken as set."""
    body = text.partition("\n\n")[2]
    return re.sub(r"^(\s*)# ?(\s*\w+:)", r"\1\2", body, flags=re.MULTILINE)


def differences(section: BaseModel, default: BaseModel, path: str = "") -> dict[str, object]:
    found = {}
    for name in type(section).model_fields:
        value, usual = getattr(section, name), getattr(default, name)
        if isinstance(value, BaseModel):
            found |= differences(value, usual, f"{path}{name}.")
        elif value != usual:
            found[f"{path}{name}"] = value
    return found


def test_every_value_in_the_file_is_the_default_also_behind_a_comment(tmp_path):
    content = yaml.safe_load(with_commented_keys(written(tmp_path)))
    assert content["policy"].keys() >= {"margin", "advisory", "hold_on"}
    assert "slots" in content["sandbox"]
    assert "probes" in content["drift"]
    required = {"model": "m", "checkpoints": {"path": "c"}, "suite": "core"}
    changed = differences(Options(**content), Options(**required))
    assert changed == {
        "model": "my-model",
        "checkpoints.path": changed["checkpoints.path"],
        "policy.margin": DEFAULT_MARGIN,
    }


def test_the_file_as_it_is_changes_nothing_but_what_was_asked_for(tmp_path):
    written(tmp_path, "--model", "acme", "--checkpoints", "models", "--suite", "./mine")
    options = load_options(tmp_path / "tailwatch.yaml")
    assert (options.model, options.checkpoints.path) == ("acme", tmp_path / "models")
    assert options.suite == str(tmp_path / "mine")


def test_a_file_that_cannot_be_written_leaves_the_one_that_was_there(tmp_path, monkeypatch):
    before = written(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "tailwatch.yaml"), "--model", "b", "--force"])
    assert result.exit_code != 0
    assert (tmp_path / "tailwatch.yaml").read_text(encoding="utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["tailwatch.yaml"]


@pytest.mark.parametrize("text", ["my: v#1", "/my #models", "7", "yes", "it's", '"', "[a]", "ä", "a" * 200])
def test_folders_that_mean_something_in_yaml_arrive_as_they_were_given(tmp_path, text):
    written(tmp_path, "--checkpoints", text, "--suite", text)
    options = load_options(tmp_path / "tailwatch.yaml")
    assert options.checkpoints.path == tmp_path / text
    assert options.suite == str(tmp_path / text)


@pytest.mark.parametrize("model", ["7", "yes", "1e3"])
def test_a_model_whose_name_looks_like_something_else_keeps_it(tmp_path, model):
    written(tmp_path, "--model", model)
    assert load_options(tmp_path / "tailwatch.yaml").model == model

"""The configuration file: what it takes, and what it says when it does not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from monitor.config import Options, PolicyOptions, load_options, load_policy
from monitor.domain.errors import InvalidConfig
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.verdicts.policy import Depth

DOCS = Path(__file__).resolve().parents[2] / "docs"

MINIMAL = "model: acme\ncheckpoints: {path: models}\nsuite: lab\n"


def written(folder, text):
    path = folder / "tailwatch.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder, text) -> str:
    with pytest.raises(InvalidConfig) as caught:
        load_options(written(folder, text))
    return str(caught.value)


def test_a_minimal_file_takes_the_defaults(tmp_path):
    options = load_options(written(tmp_path, MINIMAL))
    assert (options.sampling.samples_per_task, options.schedule.poll, options.serve.port) == (32, 60.0, 9817)


def test_paths_are_relative_to_the_file(tmp_path):
    options = load_options(written(tmp_path, MINIMAL))
    assert options.checkpoints.path == tmp_path / "models"
    assert options.store == f"sqlite:///{tmp_path / 'tailwatch.db'}"
    assert options.state == tmp_path / ".tailwatch"


def test_an_absolute_store_stays_where_it_is(tmp_path):
    options = load_options(written(tmp_path, MINIMAL + "store: sqlite:////var/lib/tailwatch.db\n"))
    assert options.store == "sqlite:////var/lib/tailwatch.db"


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("2d", 172800.0)]
)
def test_durations_have_units(tmp_path, text, expected):
    options = load_options(written(tmp_path, MINIMAL + f"schedule: {{poll: {text}}}\n"))
    assert options.schedule.poll == expected


def test_an_unknown_key_is_refused_with_its_line_and_a_guess(tmp_path):
    message = refused(tmp_path, MINIMAL + "sandbox:\n  slot: 3\n")
    assert "tailwatch.yaml:5: sandbox.slot: unknown key." in message
    assert "Did you mean slots?" in message


def test_a_wrong_value_is_refused_with_its_line(tmp_path):
    assert "tailwatch.yaml:4: policy.alpha" in refused(tmp_path, MINIMAL + "policy: {alpha: 2}\n")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gpu7:8000", "http://host:8000"),
        ("ftp://gpu7", "http://host:8000"),
        ("http://", "http://host:8000"),
        ("http://gpu7:99999", "Port out of range"),
        ("http://[gpu7", "Invalid IPv6"),
        ("http://me:secret@gpu7:8000", "no user and no password: set api_key_env"),
    ],
)
def test_the_address_of_a_server_is_one_and_holds_nothing_secret(tmp_path, url, said):
    message = refused(tmp_path, MINIMAL + f"engine: {{kind: remote, url: '{url}'}}\n")
    assert "tailwatch.yaml:4: engine.url" in message
    assert said in message
    assert "secret" not in message


@pytest.mark.parametrize("url", ["http://gpu7:8000", "HTTPS://gpu7.example.com/v1/", "http://[::1]:8000"])
def test_addresses_are_taken_as_they_are(tmp_path, url):
    assert load_options(written(tmp_path, MINIMAL + f"engine: {{url: '{url}'}}\n")).engine.url == url


def test_a_missing_key_is_named(tmp_path):
    assert "suite" in refused(tmp_path, "model: acme\ncheckpoints: {path: models}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [("model: [", "not valid YAML"), ("- a\n", "keys and values"), ("", "keys and values")],
    ids=["broken", "a list", "empty"],
)
def test_what_is_no_configuration_at_all_is_refused(tmp_path, text, said):
    assert said in refused(tmp_path, text)


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(InvalidConfig, match="tailwatch init"):
        load_options(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("TAILWATCH_SERV__PORT", "Did you mean TAILWATCH_SERVE__PORT?"),
        ("TAILWATCH_SERVE__PROT", "Did you mean TAILWATCH_SERVE__PORT?"),
        ("TAILWATCH_WHATEVER", "Unset it"),
    ],
)
def test_a_variable_that_sets_no_key_is_refused_with_a_guess(tmp_path, monkeypatch, name, hint):
    monkeypatch.setenv(name, "9900")
    message = refused(tmp_path, MINIMAL)
    assert f"{name} sets no key" in message
    assert hint in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAILWATCH_POLICY__MARGIN__TAIL", "0.2"),
        ("TAILWATCH_SERVE", '{"port": 1}'),
        ("TAILWATCH_REQUIRE", "all"),
        ("TAILWATCH_SANDBOX_IMAGE", "x"),
    ],
)
def test_other_variables_are_left_alone(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    load_options(written(tmp_path, MINIMAL))


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TAILWATCH_SERVE__PORT", "9900")
    assert load_options(written(tmp_path, MINIMAL + "serve: {port: 1}\n")).serve.port == 9900


@pytest.mark.parametrize("baseline", ["promoted", "first", "0123abcdef"])
def test_a_baseline_is_a_role_or_a_digest(tmp_path, baseline):
    assert load_options(written(tmp_path, MINIMAL + f"baseline: '{baseline}'\n")).baseline == baseline
    assert "digest" in refused(tmp_path, MINIMAL + "baseline: latest\n")


def test_the_policy_section_becomes_the_policy(tmp_path):
    section = "policy: {margin: {tail: 0.2}, advisory: [head], depth: full, max_age: 7d}\n"
    policy = load_options(written(tmp_path, MINIMAL + section)).policy.policy()
    assert policy.margin_of(Stratum.TAIL) == 0.2
    assert policy.critical == {Stratum.TAIL, Stratum.TORSO}
    assert (policy.depth, policy.max_age_s) == (Depth.FULL, 7 * 86_400)


def test_a_policy_file_holds_the_keys_of_the_section(tmp_path):
    assert load_policy(written(tmp_path, "alpha: 0.01\n")).alpha == 0.01
    with pytest.raises(InvalidConfig, match="Did you mean alpha"):
        load_policy(written(tmp_path, "alpah: 0.01\n"))


def test_at_temperature_zero_a_task_has_one_sample(tmp_path):
    options = load_options(written(tmp_path, MINIMAL + "sampling: {temperature: 0}\n"))
    assert options.sampling.plan().samples_per_task == 1


def keys_of(section: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every key of a section, with dots between levels."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys_of(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def table_rows(page: str, begin: str) -> list[list[str]]:
    """The rows of the first table behind a text on a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(begin)[2]
    lines = text.partition("\n|---")[2].split("\n")[1:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_documented_keys_are_those_that_there_are():
    documented = set()
    for first, *_ in table_rows("configuration.md", "| key |"):
        names = re.findall(r"`([^`]+)`", first)
        section = names[0].rpartition(".")[0]
        whole = [name.partition(".{")[0] for name in names]
        documented |= {name if "." in name or not section else f"{section}.{name}" for name in whole}
    assert documented == set(keys_of(Options))


def test_the_policy_table_has_the_keys_of_the_configuration_and_their_defaults():
    shown = {
        key.strip("`"): default.strip("`") for key, default, _ in table_rows("statistics.md", "## The policy")
    }
    policy = PolicyOptions()
    margins = ", ".join(f"{stratum.value} {policy.policy().margin_of(stratum):g}" for stratum in RAREST_FIRST)
    spelled = {True: "true", False: "false", frozenset(): "none"}
    assert shown == {
        **{name: spelled.get(value, str(value)) for name, value in policy if name != "margin"},
        "margin": margins,
        "max_age": f"{policy.max_age / 86400:g}d",
    }


def test_what_the_gate_may_hold_on_is_named_as_it_is_measured(tmp_path):
    names = {"rubber-stamp", "tokens", "error_class=NameError"}
    path = written(tmp_path, MINIMAL + f"policy: {{hold_on: {sorted(names)}}}\n")
    assert load_options(path).policy.policy().holding_signals == names
    assert "nothing called colision is measured" in refused(
        tmp_path, MINIMAL + "policy: {hold_on: [colision]}\n"
    )


def test_holding_on_collisions_needs_evaluations_that_draw_pairs(tmp_path):
    said = refused(tmp_path, MINIMAL + "policy: {hold_on: [collision]}\n")
    assert "collision needs two samples of a task" in said
    path = written(tmp_path, MINIMAL + "policy: {hold_on: [collision], depth: full}\n")
    assert load_options(path).policy.policy().holding_signals == {"collision"}


def test_an_alpha_that_no_p_value_reaches_is_refused(tmp_path):
    assert "it would never warn" in refused(tmp_path, MINIMAL + "drift: {alpha: 0.0001}\n")
    assert load_options(written(tmp_path, MINIMAL + "drift: {alpha: 0.0005}\n")).drift.alpha == 0.0005


def test_a_file_of_snippets_is_relative_to_the_configuration(tmp_path):
    path = written(tmp_path, MINIMAL + "drift: {snippets: rare.jsonl}\n")
    assert load_options(path).drift.snippets == tmp_path / "rare.jsonl"


def test_a_models_own_reasoning_marks_are_part_of_its_plan(tmp_path):
    known = load_options(written(tmp_path, MINIMAL + "sampling: {style: chat}\n")).sampling.plan()
    marks = "[{open: '<<plan>>', close: '<</plan>>'}]"
    path = written(tmp_path, MINIMAL + f"sampling: {{style: chat, reasoning: {marks}}}\n")
    plan = load_options(path).sampling.plan()
    assert [(each.open, each.close) for each in plan.reasoning] == [("<<plan>>", "<</plan>>")]
    assert plan.digest != known.digest


def test_reasoning_marks_that_would_do_nothing_are_refused(tmp_path):
    marks = "[{open: '<<plan>>', close: '<</plan>>'}]"
    said = refused(tmp_path, MINIMAL + f"sampling: {{reasoning: {marks}}}\n")
    assert "set sampling.style to chat" in said
    for wrong in ("[{open: '', close: x}]", "[{open: x}]", "[{open: ' ', close: x}]", "[x]"):
        assert "sampling.reasoning" in refused(
            tmp_path, MINIMAL + f"sampling: {{style: chat, reasoning: {wrong}}}\n"
        )

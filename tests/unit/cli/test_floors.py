"""A bank that passes nothing, or too little, by the commands that a user types."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest

from monitor.config import load_options
from monitor.domain.printable import escape_name
from monitor.domain.tasks import Stratum
from monitor.store import open_store
from monitor.suites.loading import load_suite
from monitor.testing import FakeSandbox
from monitor.testing.fakes import MARKER
from monitor.wiring import now

from . import deployments
from .deployments import answer, deployment, fake_bench, run


def passing(head: float, tail: float):
    """A model that passes the core suite's head and torso, and its tail, with these probabilities."""

    def ratio(_subject, task_id):
        return tail if task_id in TAIL else head

    return ratio


TAIL: set[str] = set()


@pytest.fixture(scope="module", autouse=True)
def _tail():
    TAIL.update(task.task_id for task in load_suite("core").stratum(Stratum.TAIL))


def built(folder, monkeypatch, ratio, *, temperature=0.8):
    """A deployment, and what building the bank of a checkpoint with these pass ratios came to."""
    monkeypatch.setattr("monitor.cli.evaluate.open_bench", fake_bench)
    monkeypatch.setattr(deployments, "pass_ratio", ratio)
    config = deployment(folder, temperature=temperature)
    return config, run(config, "baseline", "build", "base", "--json")


def examined(config, monkeypatch):
    """What `tailwatch doctor` says of the bank; the sandbox has tests of its own."""

    async def no_sandbox(_options):
        return []

    monkeypatch.setattr("monitor.cli.doctor.diagnose_sandbox", no_sandbox)
    checks = json.loads(run(config, "doctor", "--json").stdout)["checks"]
    return next(each for each in checks if each["name"] == "bank")


def test_a_bank_tells_what_it_passes_and_how_much_of_it_is_invalid(tmp_path, monkeypatch):
    _, result = built(tmp_path, monkeypatch, passing(0.9, 0.6))
    found = json.loads(result.stdout)
    assert found["baseline"]["name"] == "base"
    strata = {each["stratum"]: each for each in found["strata"]}
    assert list(strata) == ["tail", "torso", "head"]
    assert strata["tail"]["pass_ratio"] == pytest.approx(0.6, abs=0.05)
    assert strata["tail"]["invalid_ratio"] == 0.0
    assert {each["standing"] for each in strata.values()} == {"good"}


@pytest.mark.parametrize("temperature", [0.8, 0.0])
def test_a_baseline_that_passes_nothing_is_refused_with_its_most_frequent_result(
    tmp_path, monkeypatch, temperature
):
    config, result = built(tmp_path, monkeypatch, passing(0.0, 0.0), temperature=temperature)
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert (found["baseline"], found["refused"]["name"]) == (None, "base")
    assert "passes nothing of tail, torso, head" in found["error"]["message"]
    assert "Most frequent result: failed" in found["error"]["message"]
    assert "advisory: [tail, torso, head]" in found["error"]["next_step"]
    assert {each["standing"] for each in found["strata"]} == {"passes nothing"}
    assert run(config, "gate", "equal").exit_code == 2
    assert "has no baseline yet" in str(run(config, "evaluate", "equal").exception)


def test_the_template_of_a_baseline_is_looked_for_in_its_folder_whatever_that_is_called(
    tmp_path, monkeypatch
):
    folder = tmp_path / "base\\2"
    folder.mkdir()
    (folder / "chat_template.jinja").touch()
    config, _ = built(tmp_path, monkeypatch, passing(0.0, 0.0), temperature=0.0)
    with closing(open_store(load_options(config).store)) as store:
        (base,) = (each for each in store.checkpoints("acme") if each.name == "base")
        store.remember("acme", replace(base, location=escape_name(str(folder))), now=now())
    result = run(config, "baseline", "build", "base", "--again", "--json")
    assert "carries a chat template" in json.loads(result.stdout)["error"]["message"]


def test_samples_without_a_result_are_not_counted_as_failed(tmp_path, monkeypatch):
    lost = load_suite("core")[min(TAIL)].prompt

    @asynccontextmanager
    async def bench(deployment, **rest):
        async with fake_bench(deployment, **rest) as whole:
            yield replace(whole, sandbox=FakeSandbox(lost=is_lost))

    def is_lost(program):
        return lost in program.source and MARKER.search(program.source) is not None

    monkeypatch.setattr("monitor.cli.evaluate.open_bench", bench)
    monkeypatch.setattr(deployments, "pass_ratio", passing(0.8, 0.0))
    found = json.loads(run(deployment(tmp_path), "baseline", "build", "base", "--json").stdout)
    assert found["strata"][0]["unscored"] == 8
    assert f"passes nothing of tail (0 of {8 * (len(TAIL) - 1)} samples)" in found["error"]["message"]


def test_a_tail_that_passes_nothing_is_refused_until_it_is_declared_advisory(tmp_path, monkeypatch):
    config, result = built(tmp_path, monkeypatch, passing(0.8, 0.0))
    assert result.exit_code == 3
    text = run(config, "baseline", "build", "base")
    assert "passes nothing" in text.output
    assert "advisory: [tail]" in text.stderr
    config.write_text(
        config.read_text(encoding="utf-8").replace("policy: {", "policy: {advisory: [tail], "),
        encoding="utf-8",
    )
    found = answer(config, "baseline", "build", "base")
    assert found["strata"][0]["standing"] == "advisory"
    assert answer(config, "evaluate", "equal")["decision"]["decision"] == "promote"


def test_a_bank_is_drawn_anew_once_its_engine_was_repaired(tmp_path, monkeypatch):
    config, refused = built(tmp_path, monkeypatch, passing(0.0, 0.0))
    assert "tailwatch baseline build base --again" in json.loads(refused.stdout)["error"]["next_step"]
    monkeypatch.setattr(deployments, "pass_ratio", passing(0.8, 0.6))
    assert run(config, "baseline", "build", "base").exit_code == 3
    found = answer(config, "baseline", "build", "base", "--again")
    assert {each["standing"] for each in found["strata"]} == {"good"}
    assert answer(config, "evaluate", "equal")["decision"]["decision"] == "promote"


def test_a_comparison_is_weighed_again_once_its_bank_was_drawn_again(tmp_path, monkeypatch):
    config, _ = built(tmp_path, monkeypatch, passing(0.8, 0.6))
    before = answer(config, "compare", "base", "equal")
    assert before["decision"] == "promote"
    monkeypatch.setattr(deployments, "pass_ratio", passing(0.4, 0.3))
    answer(config, "baseline", "build", "base", "--again")
    after = answer(config, "compare", "base", "equal")
    assert after["strata"]["tail"]["pass_ratio"] < 0.5 < before["strata"]["tail"]["pass_ratio"]


def test_a_rare_tail_holds_every_candidate_and_every_command_says_so_alike(tmp_path, monkeypatch):
    config, result = built(tmp_path, monkeypatch, passing(0.8, 0.03))
    assert result.exit_code == 0
    tail = json.loads(result.stdout)["strata"][0]
    assert tail["standing"] == "passes too little"
    assert 0.0 < tail["margin"] < 0.02 < tail["stated_margin"]
    command = f"--samples {tail['required_depth']}`"
    assert command in tail["problem"]
    evaluated = answer(config, "evaluate", "worse")
    (floor,) = [each for each in evaluated["decision"]["reasons"] if each["code"] == "floor"]
    assert (evaluated["decision"]["decision"], floor["stratum"]) == ("hold", "tail")
    gate = run(config, "gate", "worse")
    planned = answer(config, "plan")["strata"][0]
    status = answer(config, "status")["bank"][0]
    assert gate.exit_code == 2
    assert planned["problem"] == status["problem"] == tail["problem"]
    assert tail["problem"] in floor["text"]
    assert planned["required_depth"] == status["required_depth"] == tail["required_depth"]
    for name in ("plan", "status"):
        assert "advisory: [tail]" in " ".join(run(config, name).stdout.split())
    bank = examined(config, monkeypatch)
    assert not bank["ok"]
    assert tail["problem"] in bank["detail"]


def test_the_command_that_the_gate_names_makes_the_bank_deep_enough(tmp_path, monkeypatch):
    config, _ = built(tmp_path, monkeypatch, passing(0.8, 0.3))
    narrow = config.read_text(encoding="utf-8").replace("0.25", "0.09")
    config.write_text(narrow, encoding="utf-8")
    assert answer(config, "evaluate", "equal")["decision"]["decision"] == "hold"
    planned = answer(config, "plan")
    depth = max(each["required_depth"] for each in planned["strata"])
    assert depth > 8
    built_again = answer(config, "baseline", "build", "base", "--samples", str(depth))
    assert {each["standing"] for each in built_again["strata"]} == {"good"}
    stale = answer(config, "gate", "equal")
    assert [each["code"] for each in stale["reasons"]] == ["evaluation_stale"]
    assert answer(config, "evaluate", "equal")["decision"]["decision"] == "promote"
    assert run(config, "gate", "equal").exit_code == 0


def test_doctor_says_what_the_baseline_passes(tmp_path, monkeypatch):
    config, _ = built(tmp_path, monkeypatch, passing(0.8, 0.6))
    bank = examined(config, monkeypatch)
    assert bank["ok"]
    assert re.search(r"tail 5\d\.\d%|tail 6\d\.\d%", bank["detail"])

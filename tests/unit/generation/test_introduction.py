"""What identifies a model, what proves a switch, and what a log says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import EngineTrouble, InvalidConfig
from monitor.generation import distribution, server_log
from monitor.generation.answers import LOGPROB_OF_NONE
from monitor.generation.canaries import TOLERANCE, Fingerprint, fingerprint_of
from monitor.generation.client import VllmClient
from monitor.generation.launch import ServerPlan, server_command, server_environment
from monitor.generation.refusals import NotFinite, Route, blames_checkpoint
from monitor.generation.switching import judge_reports, load_weights
from tests.unit.generation.benches import CPU_VLLM

values = st.lists(st.floats(-20, 0), min_size=1, max_size=20)


@given(values)
def test_a_fingerprint_agrees_with_itself(found: list[float]) -> None:
    fingerprint = Fingerprint(values=tuple(found))
    assert fingerprint.agrees(fingerprint)
    assert fingerprint.digest == Fingerprint(values=tuple(found)).digest


@given(values, st.data())
def test_one_moved_token_is_enough_to_disagree(found: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(found) - 1))
    moved = [value + 2 * TOLERANCE * (n == place) for n, value in enumerate(found)]
    one, two = Fingerprint(values=tuple(found)), Fingerprint(values=tuple(moved))
    assert not one.agrees(two)
    assert not two.agrees(one)


def test_other_tokens_are_another_model() -> None:
    assert not Fingerprint(values=(-1.0,)).agrees(Fingerprint(values=(-1.0, -1.0)))


@pytest.mark.parametrize("logprobs", [[], [(-1.0,), ()]])
def test_a_canary_without_logprobs_identifies_nothing(logprobs: list[tuple[float, ...]]) -> None:
    with pytest.raises(EngineTrouble, match="cannot be identified"):
        fingerprint_of(logprobs)


def test_canaries_of_which_no_token_is_possible_are_how_some_servers_write_nan() -> None:
    with pytest.raises(NotFinite):
        fingerprint_of([(LOGPROB_OF_NONE, LOGPROB_OF_NONE), (LOGPROB_OF_NONE,)])
    # One token that the model holds for impossible is a fact like any other.
    known = fingerprint_of([(LOGPROB_OF_NONE, -1.0), (LOGPROB_OF_NONE,)])
    assert known.agrees(fingerprint_of([(LOGPROB_OF_NONE, -1.0), (LOGPROB_OF_NONE,)]))


@pytest.mark.parametrize(
    ("reports", "problem"),
    [
        ([], "no worker answered"),
        ([None], "a worker answered nonsense"),
        ([{"proved": [], "differing": [], "unproved": []}], "a worker compared nothing"),
        ([{"proved": ["a"], "differing": ["lm_head.weight"], "unproved": []}], "stale: lm_head.weight"),
        ([{"proved": ["a"], "differing": list("bcdefgh")}], "stale: b, c, d, e, f and 2 more"),
        ([{"proved": ["a"]}, {"proved": ["a"], "unproved": ["b"]}], "nothing to compare b with"),
    ],
)
def test_a_proof_with_a_gap_does_not_hold(reports: list[Any], problem: str) -> None:
    assert judge_reports(reports).problem == problem
    assert not judge_reports(reports).holds


def test_a_proof_holds_when_every_worker_found_everything_equal() -> None:
    assert judge_reports([{"proved": ["a"], "differing": [], "unproved": []}] * 2).holds


async def test_with_the_weights_goes_what_they_computed() -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.content))
        return httpx.Response(200)

    client = VllmClient(Route(url="http://engine"), concurrency=1, transport=httpx.MockTransport(handler))
    await load_weights(client, Path("/models/new"))
    (loaded, body), (forgotten, _) = asked
    assert (loaded, forgotten) == ("/collective_rpc", "/reset_prefix_cache")
    assert json.loads(body) == {"method": "reload_weights", "kwargs": {"weights_path": "/models/new"}}


LOG = """\
(APIServer pid=1) INFO 11-23 22:31:15 [api_utils.py:286] non-default args: {}
(EngineCore pid=2) ERROR 11-23 22:31:54 [core.py:133] Traceback (most recent call last):
(EngineCore pid=2) ERROR 11-23 22:31:54 [core.py:133]   File "x.py", line 1, in load
(EngineCore pid=2) ERROR 11-23 22:31:54 [core.py:133] ValueError: no memory left
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
"""


def test_the_cause_is_the_first_exception_that_is_not_a_consequence(tmp_path: Path) -> None:
    path = tmp_path / "vllm.log"
    path.write_text(LOG)
    assert server_log.cause(path) == "ValueError: no memory left"
    assert server_log.last_lines(path)[0] == "non-default args: {}"
    assert blames_checkpoint(path) is None


@pytest.mark.parametrize(
    "line",
    [
        "safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata",
        "ValueError: Model architectures ['Nope'] are not supported for now.",
        "ValueError: There is no module or parameter named 'x' in LlamaForCausalLM",
        "OSError: Can't load tokenizer for '/x'. If you were trying",
        "ValueError: Unknown quantization method: nope. Must be one of ['awq'].",
        "ValueError: The repository /x contains custom code which must be executed to load the model.",
    ],
)
def test_faults_of_the_checkpoint_are_told_from_ours(tmp_path: Path, line: str) -> None:
    path = tmp_path / "vllm.log"
    path.write_text(f"(EngineCore pid=2) ERROR 11-23 22:31:54 [core.py:133] {line}\n")
    assert blames_checkpoint(path) == line


def test_what_pydantic_says_on_its_second_line_belongs_to_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "vllm.log"
    path.write_text(
        "(APIServer pid=1) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
        "(APIServer pid=1)   Value error, User-specified max_model_len (4096) is greater than the derived "
        "max_model_len (max_position_embeddings=256 in model's config.json).\n"
    )
    found = blames_checkpoint(path)
    assert found is not None
    assert "for ModelConfig Value error, User-specified max_model_len (4096) is greater than" in found


def test_a_log_is_shown_bounded_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    path = server_log.fresh_log(tmp_path / "engine")
    assert server_log.last_lines(path) == ()
    path.write_bytes(b"\xff\n" + b"x" * 10_000 + b"\n" + b"line\n" * 10_000)
    lines = server_log.last_lines(path)
    assert len(lines) == 12
    server_log.fresh_log(tmp_path / "engine")
    assert sorted(entry.name for entry in (tmp_path / "engine").iterdir()) == ["vllm.log.1"]


def test_the_users_arguments_come_last(tmp_path: Path) -> None:
    plan = ServerPlan(folder=tmp_path, args=("--dtype", "bfloat16"), threads=1)
    command = server_command(plan, CPU_VLLM, weights=tmp_path, port=1234)
    assert command[-2:] == ["--dtype", "bfloat16"]
    assert "--enforce-eager" in command
    assert command[command.index("--host") + 1] == "127.0.0.1"


def test_a_gpu_server_gets_nothing_that_is_meant_for_cpus(tmp_path: Path) -> None:
    vllm = distribution.Vllm(version="0.11.0", on_cpu=False)
    plan = ServerPlan(folder=tmp_path)
    command = server_command(plan, vllm, weights=tmp_path, port=1234)
    environment = server_environment(plan, vllm, {})
    assert not {"--enforce-eager", "--dtype", "--distributed-executor-backend"} & set(command)
    assert "vllm.entrypoints.openai.api_server" in command
    assert not any("CPU" in name or "OMP" in name for name in environment)
    assert environment["VLLM_SERVER_DEV_MODE"] == "1"


def test_with_several_threads_the_engine_is_not_forked(tmp_path: Path) -> None:
    plan = ServerPlan(folder=tmp_path, threads=4)
    command = server_command(plan, CPU_VLLM, weights=tmp_path, port=1234)
    assert "vllm.entrypoints.openai.api_server" in command
    assert server_environment(plan, CPU_VLLM, {})["OMP_NUM_THREADS"] == "4"


def test_what_the_user_has_set_in_the_environment_stays(tmp_path: Path) -> None:
    inherited = {"VLLM_CPU_KVCACHE_SPACE": "9", "PYTHONPATH": "/mine", "VLLM_SERVER_DEV_MODE": "0"}
    environment = server_environment(ServerPlan(folder=tmp_path), CPU_VLLM, inherited)
    assert environment["VLLM_CPU_KVCACHE_SPACE"] == "9"
    assert environment["PYTHONPATH"].endswith(":/mine")
    assert environment["VLLM_SERVER_DEV_MODE"] == "1"


@pytest.mark.parametrize(
    ("installed", "on_cpu"),
    [({"vllm": "0.11.0"}, False), ({"vllm-cpu": "0.32.0"}, True), ({"vllm": "1+cpu"}, True)],
)
def test_the_installed_distribution_tells_the_device(
    installed: dict[str, str], on_cpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(installed, monkeypatch)
    assert distribution.installed_vllm().on_cpu is on_cpu


def test_without_any_vllm_the_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend({}, monkeypatch)
    with pytest.raises(InvalidConfig, match=r"pip install 'tailwatch\[vllm\]'"):
        distribution.installed_vllm()


def pretend(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise distribution.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(distribution.metadata, "version", version)

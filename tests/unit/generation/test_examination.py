"""What a remote server is asked before anything is evaluated on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from monitor.config import load_options
from monitor.generation.client import Patience, VllmClient
from monitor.generation.examination import examine
from monitor.generation.process import free_port
from monitor.generation.refusals import Route
from monitor.ports import Check
from monitor.wiring import examine_engine
from tests.unit.generation.test_engine_remote_contract import serving
from tests.unit.generation.tiny_checkpoints import nan_checkpoint, tiny_checkpoint


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[str]:
    """A stub that serves the model ``acme`` to who has the key."""
    tiny_checkpoint(tmp_path / "weights", seed=1)
    async with serving(tmp_path / "weights", free_port(None)) as url:
        yield url


async def asked(url: str, *names: str, served_model: str = "{name}", key: str = "right") -> dict[str, Check]:
    client = VllmClient(Route(url=url, api_key=key), concurrency=2, patience=Patience(attempts=1))
    try:
        checks = await examine(client, served_model=served_model, names=names)
    finally:
        await client.close()
    return {check.name: check for check in checks}


async def test_what_is_served_and_what_is_not_yet_is_told_and_a_canary_is_asked(server: str) -> None:
    checks = await asked(server, "acme", "later")
    assert all(check.ok for check in checks.values())
    assert checks["engine"].detail == f"the server at {server} answers and serves acme"
    assert checks["engine model"].detail == "served: acme; not, or not yet: later"
    assert "prompt log probabilities and repeats itself" in checks["engine canary"].detail
    assert "256 tokens" in checks["engine canary"].detail


async def test_a_name_that_the_server_does_not_know_points_to_the_setting(server: str) -> None:
    checks = await asked(server, "v1", served_model="/srv/{name}")
    assert checks["engine"].ok
    assert checks["engine model"].detail == f"the server at {server} serves acme, and none of /srv/v1"
    assert "engine.served_model" in checks["engine model"].next_step
    assert "engine canary" not in checks


async def test_without_checkpoints_any_model_will_do_for_the_canary(server: str) -> None:
    checks = await asked(server)
    assert set(checks) == {"engine", "engine canary"}
    assert checks["engine canary"].ok


async def test_a_wrong_key_fails_the_first_check(server: str) -> None:
    checks = await asked(server, "acme", key="wrong")
    assert set(checks) == {"engine"}
    assert "did not accept the API key" in checks["engine"].detail


async def test_nobody_at_the_address_fails_the_first_check() -> None:
    checks = await asked(f"http://127.0.0.1:{free_port(None)}", "acme")
    assert set(checks) == {"engine"}
    assert not checks["engine"].ok


async def test_something_that_is_no_vllm_fails_the_first_check() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "Not Found"}))
    client = VllmClient(Route(url="http://gateway"), concurrency=1, transport=transport)
    (check,) = await examine(client, served_model="{name}", names=["v1"])
    assert not check.ok
    assert "has no /v1/models" in check.detail
    assert "engine.url" in check.next_step


async def test_nan_fails_the_canary(tmp_path: Path) -> None:
    nan_checkpoint(tmp_path / "weights", seed=1)
    async with serving(tmp_path / "weights", free_port(None)) as url:
        checks = await asked(url, "acme")
    assert checks["engine model"].ok
    assert not checks["engine canary"].ok
    assert "computes NaN" in checks["engine canary"].detail


async def test_the_configuration_says_whom_to_ask_for_what(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_checkpoint(tmp_path / "models" / "v1", seed=1)
    (tmp_path / "tailwatch.yaml").write_text(
        "model: acme\ncheckpoints: {path: models}\nsuite: core\n"
        f"engine: {{kind: remote, url: '{server}/v1', api_key_env: ACME_KEY, served_model: acme}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ACME_KEY", "right")
    checks = await examine_engine(load_options(tmp_path / "tailwatch.yaml"))
    assert [(check.name, check.ok) for check in checks] == [
        ("engine", True),
        ("engine model", True),
        ("engine canary", True),
    ]


async def test_whatever_the_watched_folder_takes_for_a_checkpoint_is_asked_for(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_checkpoint(tmp_path / "v1", seed=1)
    (tmp_path / "v1" / "logs").mkdir()
    (tmp_path / "v1" / "logs" / "config.json").touch()
    (tmp_path / "v1" / "logs" / "pytorch_model.bin").touch()
    (tmp_path / "tailwatch.yaml").write_text(
        "model: acme\ncheckpoints: {path: v1, settle_s: 0}\nsuite: core\n"
        f"engine: {{kind: remote, url: '{server}', api_key_env: ACME_KEY}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ACME_KEY", "right")
    checks = {check.name: check for check in await examine_engine(load_options(tmp_path / "tailwatch.yaml"))}
    assert not checks["engine model"].ok
    assert checks["engine model"].detail.endswith("serves acme, and none of v1")

"""What the configuration says of an engine is what the engine does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import load_options
from monitor.domain.errors import EngineStalled
from monitor.generation.managed import ManagedEngine
from monitor.generation.process import free_port
from monitor.wiring import _engine, open_deployment
from tests.unit.contracts.engine import collect
from tests.unit.generation.benches import request
from tests.unit.generation.test_engine_remote_contract import endpoint, serving
from tests.unit.generation.tiny_checkpoints import tiny_checkpoint


def written(folder: Path, engine: str) -> Path:
    config = folder / "tailwatch.yaml"
    config.write_text(
        f"model: acme\ncheckpoints: {{path: models}}\nsuite: lab\nengine: {{{engine}}}\n", encoding="utf-8"
    )
    return config


async def test_a_remote_engine_has_its_model_its_key_and_its_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", "right")
    tiny_checkpoint(tmp_path / "weights", seed=1)
    async with serving(tmp_path / "weights", free_port(None), "hangs") as url:
        told = f"kind: remote, url: '{url}', api_key_env: ACME_KEY, served_model: acme, stall_s: 2s"
        with open_deployment(load_options(written(tmp_path, told))) as deployment:
            engine = _engine(deployment)
            model = await engine.serve(endpoint("v1"))
            with pytest.raises(EngineStalled, match=r"for 2 s \(`engine\.stall_s`\)"):
                await collect(model, request())
            await engine.close()


def test_a_managed_engine_has_its_arguments_and_its_patience(tmp_path: Path) -> None:
    told = "args: [--max-model-len, '4096'], ready_s: 5m, stall_s: 7m"
    with open_deployment(load_options(written(tmp_path, told))) as deployment:
        engine = _engine(deployment)
    assert isinstance(engine, ManagedEngine)
    plan = engine._plan
    assert (plan.args, plan.ready_s, plan.stall_s) == (("--max-model-len", "4096"), 300.0, 420.0)

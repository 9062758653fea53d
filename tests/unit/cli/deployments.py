"""A deployment on disk whose engine and sandbox are fakes, for commands that evaluate."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from monitor.cli.app import cli
from monitor.config import load_options
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.identity import content_digest
from monitor.rounds.bench import Bench, Progress
from monitor.rounds.tally import Tally
from monitor.store import open_store
from monitor.testing import FakeEngine, FakeSandbox
from monitor.wiring import Deployment, asking, now

CONFIG = """\
model: acme
checkpoints: {path: models}
suite: core
sampling: {samples_per_task: 8, temperature: TEMPERATURE, style: completion}
policy: {margin: {tail: 0.25, torso: 0.25, head: 0.25}}
"""


def pass_ratio(subject: Checkpoint, task_id: str) -> float:
    """The tasks pass with .2 to .9; of what is called worse, those with an even digest never do."""
    number = int(content_digest(task_id)[:8], 16)
    if subject.name.startswith("worse") and number % 2 == 0:
        return 0.0
    return 0.2 + 0.7 * (number % 97) / 97


@asynccontextmanager
async def fake_bench(
    deployment: Deployment, *, watcher: Callable[[Progress], None] = lambda _: None
) -> AsyncIterator[Bench]:
    """What :func:`monitor.wiring.open_bench` opens, made of fakes."""
    watch = deployment.watch
    yield Bench(
        model=watch.model,
        suite=watch.suite,
        plan=watch.plan,
        policy=deployment.policy,
        store=deployment.store,
        engine=FakeEngine(pass_ratio),
        sandbox=FakeSandbox(),
        asking=asking(watch.suite, watch.plan),
        tally=Tally(watch.model),
        clock=now,
        wave_samples=64,
        watcher=watcher,
        condition=deployment.condition,
    )


def deployment(folder: Path, *, temperature: float = 0.8) -> Path:
    """The configuration of a deployment that knows checkpoints by name; nothing is evaluated yet."""
    config = folder / "tailwatch.yaml"
    config.write_text(CONFIG.replace("TEMPERATURE", str(temperature)), encoding="utf-8")
    store = open_store(load_options(config).store)
    for name in ("base", "equal", "worse", "worse2"):
        known = Checkpoint(digest=content_digest(name), name=name, location=f"/models/{name}")
        store.remember("acme", known, now=now())
    store.close()
    return config


def run(config: Path, *arguments: str) -> Result:
    """Run a command against the deployment."""
    return CliRunner().invoke(cli, [*arguments, "-c", str(config)])


def answer(config: Path, *arguments: str) -> dict[str, Any]:
    """The command's JSON; whatever it says must be its answer and not an error."""
    result = run(config, *arguments, "--json")
    assert result.stdout, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found

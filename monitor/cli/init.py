"""`tailwatch init`: a commented configuration file."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from monitor.atomic_files import write_file
from monitor.cli.app import cli, json_option, terminal
from monitor.config import FILE_NAME, SandboxOptions
from monitor.domain.errors import InvalidConfig
from monitor.domain.tasks import RAREST_FIRST
from monitor.verdicts.policy import DEFAULT_MARGIN

TEMPLATE = """\
# Tailwatch configuration: the defaults, also behind a `#`. Every key is explained in docs/configuration.md.
# Each can be set by an environment variable too: TAILWATCH_SERVE__PORT=9900.

model: {model}                    # the label `model` of every metric

checkpoints:
  source: folder
  path: {checkpoints}             # each folder below it is a checkpoint
  settle_s: 60                    # unchanged for so long: complete

engine:
  kind: managed                   # or remote, with `url: http://host:8000`
  args: []                        # passed to vLLM, for example ["--max-model-len", "4096"]
  concurrency: 128                # requests in flight; samples between two looks at the evidence

suite: {suite}                    # a name, or a folder with suite.yaml

sampling:
  samples_per_task: 32            # depth of the baseline's bank
  temperature: 0.8
  max_tokens: 512
  style: completion               # or chat

baseline: promoted                # or first, or a checkpoint digest

policy:
  alpha: 0.05                     # false alarms per checkpoint, over all strata
  beta: 0.10                      # missed drops of the size of the margin
  # margin: {margin}
  # advisory: []                  # strata that never reject on their own, for example [head]
  # hold_on: []                   # signs of collapse that hold a promotion, for example [rare-code-nll]

# drift:
#   probes: []                    # [rare-code-nll] asks the model itself as well; costs engine time

sandbox:
  backend: docker                 # or namespace, where no Docker engine can be had (weaker)
  # slots: {slots}                      # programs at once; one per core unless stated

schedule:
  poll: 60s
  recheck_promoted: 24h

store: sqlite:///tailwatch.db     # or postgresql+psycopg://user@host/tailwatch

serve:
  host: 127.0.0.1
  port: 9817
"""


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path(FILE_NAME))
@click.option("--model", default="my-model", show_default=True, help="Name of the watched model.")
@click.option("--checkpoints", default="checkpoints", show_default=True, help="Folder they arrive in.")
@click.option("--suite", default="core", show_default=True, help="Suite to ask.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@json_option
def init(path: Path, model: str, checkpoints: str, suite: str, force: bool, as_json: bool) -> None:
    """Write a commented tailwatch.yaml."""
    if path.exists() and not force:
        raise InvalidConfig(
            f"{path} exists already.", next_step="Edit it, name another file, or overwrite it with --force."
        )
    try:
        write_file(path, _configuration(model, checkpoints, suite))
    except OSError as error:
        raise InvalidConfig(
            f"{path} cannot be written: {error.strerror}.",
            next_step="Name a file in a folder you may write to.",
        ) from error
    next_step = f"tailwatch doctor -c {path}"
    terminal(as_json=as_json).answer(
        {"written": str(path), "next": next_step},
        lambda out: out.print(f"Wrote {path}. Check it and this machine with: {next_step}", highlight=False),
    )


def _configuration(model: str, checkpoints: str, suite: str) -> str:
    margin = ", ".join(f"{stratum.value}: {DEFAULT_MARGIN[stratum]:.2f}" for stratum in RAREST_FIRST)
    return TEMPLATE.format(
        model=_scalar(model),
        checkpoints=_scalar(checkpoints),
        suite=_scalar(suite),
        margin=f"{{{margin}}}",
        slots=SandboxOptions().slots,
    )


def _scalar(text: str) -> str:
    """A text as a value in YAML, quoted where it would be read as something else."""
    return (
        yaml.safe_dump(text, width=float("inf"), allow_unicode=True).removesuffix("\n").removesuffix("\n...")
    )

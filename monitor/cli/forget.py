"""`tailwatch forget`: remove a checkpoint and everything that was drawn of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from monitor.cli.app import cli, config_option, json_option, terminal
from monitor.config import load_options
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidCheckpoint, InvalidInput
from monitor.export.documents import checkpoint_document
from monitor.rounds.forgetting import Removal, require_no_role
from monitor.rounds.forgetting import forget as forget_checkpoint
from monitor.rounds.watching import Watch, find
from monitor.wiring import now, open_deployment, reports_folder


@cli.command()
@click.argument("checkpoint")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also when it is baseline, anchor or promoted.")
@config_option
@json_option
def forget(checkpoint: str, yes: bool, force: bool, config: Path | None, as_json: bool) -> None:
    """Remove CHECKPOINT (a name or digest), its evaluations and samples from the store.

    Its folder is not touched: what it holds is found and evaluated again while it lies there.
    """
    if as_json and not yes:
        raise InvalidInput(
            "With --json nobody can be asked, and nothing was forgotten.", next_step="Add --yes."
        )
    with open_deployment(load_options(config)) as deployment:
        watch = deployment.watch
        known = find(watch, checkpoint)
        if known is None:
            raise InvalidCheckpoint(
                f"No checkpoint {checkpoint!r} of model {watch.model} is known.",
                next_step="Give a name or digest that `tailwatch status` lists.",
            )
        if not force:
            require_no_role(watch, known)
        speak = terminal(as_json=as_json)
        if not (yes or click.confirm(_question(watch, known), err=True)):
            speak.out.print("Nothing was forgotten.")
            return
        removal = forget_checkpoint(watch, known, now=now())
        for page in removal.pages:
            (reports_folder(deployment.options) / page).unlink(missing_ok=True)
        names = {each.digest: each.name for each in watch.store.checkpoints(watch.model)}
    document = _document(known, removal)
    lines = "\n".join(_lines(known, removal, names))
    speak.answer(document, lambda out: out.print(lines, highlight=False, soft_wrap=True))


def _question(watch: Watch, known: Checkpoint) -> str:
    evaluations = watch.store.evaluations(watch.model, checkpoint=known.digest)
    samples = sum(sum(watch.store.tallies(each.key.evaluation_id).values()) for each in evaluations)
    return (
        f"Forget {known.name} ({known.short_digest}), {len(evaluations)} evaluations and {samples} samples? "
        "They cannot be had back"
    )


def _is_still_there(known: Checkpoint) -> bool:
    return Path(known.path).is_dir()


def _document(known: Checkpoint, removal: Removal) -> dict[str, Any]:
    return {
        "forgotten": checkpoint_document(known),
        "evaluations": removal.removed.evaluations,
        "samples": removal.removed.samples,
        "roles": {role.value: digest for role, digest in removal.successors.items()},
        "folder_still_there": _is_still_there(known),
    }


def _lines(known: Checkpoint, removal: Removal, names: dict[str, str]) -> list[str]:
    removed = removal.removed
    counts = f"{removed.evaluations} evaluations, {removed.samples} samples"
    lines = [f"{known.name} ({known.short_digest}) is forgotten: {counts}."]
    for role, digest in removal.successors.items():
        holder = "nobody" if digest is None else f"{names.get(digest, '?')} ({digest[:12]})"
        lines.append(f"The {role.value} is {holder} now.")
    if _is_still_there(known):
        lines.append(
            f"The folder {known.location} is still there: what it holds is found and evaluated again. "
            "Move or delete it as well, if it is not to be."
        )
    return lines

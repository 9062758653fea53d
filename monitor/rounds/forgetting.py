"""Forgetting a checkpoint: what it is to its model decides whether that may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.errors import InvalidInput
from monitor.ports import Forgotten
from monitor.rounds.watching import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was removed, and who holds the roles now that the checkpoint gave up."""

    removed: Forgotten
    successors: Mapping[Role, str | None]
    """Digest of the holder before it, by role; for the anchor else the baseline's; None where nobody is."""
    pages: tuple[str, ...]
    """File names of pages about its evaluations, which the store does not hold."""


def roles_of(watch: Watch, checkpoint: Checkpoint) -> tuple[Role, ...]:
    """The roles that a checkpoint holds now."""
    return tuple(
        role for role, digest in watch.store.roles(watch.model).items() if digest == checkpoint.digest
    )


def require_no_role(watch: Watch, checkpoint: Checkpoint) -> None:
    """Check that nothing is weighed against a checkpoint.

    Raises:
        InvalidInput: it holds a role.
    """
    held = roles_of(watch, checkpoint)
    if held:
        shown = " and ".join(sorted(role.value for role in held))
        raise InvalidInput(
            f"{checkpoint.name} ({checkpoint.short_digest}) is {shown}: candidates are weighed against it.",
            next_step="Give its role to another one with `tailwatch baseline build` or `tailwatch promote`, "
            "or repeat the command with --force: the role then goes back to whoever held it before.",
        )


def forget(watch: Watch, checkpoint: Checkpoint, *, now: datetime) -> Removal:
    """Remove a checkpoint and all that was drawn of it from the store.

    Raises:
        StoreTrouble: a worker is evaluating it, or the store is out of reach; nothing was removed.
    """
    held = roles_of(watch, checkpoint)
    readings = [
        watch.store.drift(each.key.evaluation_id)
        for each in watch.store.evaluations(watch.model, checkpoint=checkpoint.digest)
    ]
    removed = watch.store.forget(watch.model, checkpoint.digest, now=now)
    holders = dict(watch.store.roles(watch.model))
    if Role.ANCHOR in held and Role.ANCHOR not in holders and Role.BASELINE in holders:
        # Without an anchor nobody would look for a slow decline any more.
        holders[Role.ANCHOR] = holders[Role.BASELINE]
        watch.store.assign(watch.model, Role.ANCHOR, holders[Role.ANCHOR], now=now)
    return Removal(
        removed=removed,
        successors={role: holders.get(role) for role in held},
        pages=tuple(reading.report for reading in readings if reading is not None and reading.report),
    )

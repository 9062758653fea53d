"""Whether a server that somebody else runs could serve checkpoints, asked of the server itself."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.domain.errors import MonitorError
from monitor.generation.client import VllmClient
from monitor.generation.introduction import introduce, listed_models
from monitor.generation.refusals import Refused
from monitor.generation.remote import explained, served_name
from monitor.ports import Check

_SHOWN = 5


async def examine(client: VllmClient, *, served_model: str, names: Sequence[str]) -> list[Check]:
    """Ask a server what it serves, and one of its models the canary prompts.

    Args:
        client: talks to the server.
        served_model: what the server calls a checkpoint, with its name for ``{name}``.
        names: of the checkpoints that are known here.
    """
    try:
        models = await listed_models(client)
    except (MonitorError, Refused) as error:
        return [_failed("engine", client.url, error)]
    listed = _shown(sorted(models)) or "no model"
    checks = [_well("engine", f"the server at {client.url} answers and serves {listed}")]
    wanted = {name: served_name(served_model, name) for name in names}
    served = {name: model_id for name, model_id in wanted.items() if model_id in models}
    if wanted:
        checks.append(_names_check(client.url, wanted, served, listed))
    model_id = next(iter(served.values() if wanted else sorted(models)), None)
    if model_id is not None:
        checks.append(await _canary_check(client, model_id))
    return checks


def _names_check(url: str, wanted: dict[str, str], served: dict[str, str], listed: str) -> Check:
    missing = _shown([model_id for name, model_id in wanted.items() if name not in served])
    if not served:
        return Check(
            name="engine model",
            ok=False,
            detail=f"the server at {url} serves {listed}, and none of {missing}",
            next_step="Serve a checkpoint there under that name, or set engine.served_model to what the "
            "server calls it, with {name} for the checkpoint's name.",
        )
    detail = f"served: {_shown(list(served.values()))}"
    return _well("engine model", detail + (f"; not, or not yet: {missing}" if missing else ""))


async def _canary_check(client: VllmClient, model_id: str) -> Check:
    try:
        found = await introduce(client, name=model_id, kind="vllm-remote", model_id=model_id, settings={})
    except (MonitorError, Refused) as error:
        return _failed("engine canary", client.url, error, model_id)
    seeds = "repeats itself" if found.identity.seed_stable else "does not repeat itself"
    return _well(
        "engine canary",
        f"{model_id} on vLLM {found.identity.version} gives prompt log probabilities and {seeds} for a "
        f"repeated seed; its context is {found.identity.settings['max_model_len']} tokens",
    )


def _well(name: str, detail: str) -> Check:
    return Check(name=name, ok=True, detail=detail, next_step="")


def _failed(name: str, url: str, error: MonitorError | Refused, model_id: str = "") -> Check:
    told = explained(url, error, model_id) if isinstance(error, Refused) else error
    return Check(name=name, ok=False, detail=told.message, next_step=told.next_step)


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

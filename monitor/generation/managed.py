"""The port ``Engine`` with a vLLM server of our own on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import DeploymentBroken, EngineTrouble, InvalidCheckpoint
from monitor.domain.printable import is_encodable
from monitor.generation import orphans
from monitor.generation.canaries import Fingerprint
from monitor.generation.checkpoint_files import CheckpointFiles, read_checkpoint
from monitor.generation.client import Patience, VllmClient
from monitor.generation.distribution import Vllm, installed_vllm
from monitor.generation.introduction import introduce
from monitor.generation.launch import (
    SERVED_NAME,
    ServerCommand,
    ServerPlan,
    server_command,
    server_environment,
)
from monitor.generation.process import ServerProcess, free_port
from monitor.generation.refusals import Refused, Route, blames_checkpoint
from monitor.generation.served import ServedModel
from monitor.generation.switching import Proof, load_weights, prove_weights

_log = logging.getLogger(__name__)
_START_ATTEMPTS = 2
"""Once more when the port was taken between looking and listening."""


@dataclass(slots=True, kw_only=True)
class _Server:
    """A running server and what is known of it."""

    process: ServerProcess
    client: VllmClient
    files: CheckpointFiles
    """Of the checkpoint it holds now."""
    digest: str
    """Of the same; empty while its weights are being switched."""
    provable: Proof
    """Whether its weights can be compared with files, seen on what it was started with."""


class ManagedEngine:
    """Runs one vLLM server at a time, and switches its weights where that is proved to be right.

    Args:
        plan: how to run servers.
        concurrency: most requests in flight, each of several samples.
        vllm: the installed vLLM; None to look.
        command: gives the command line of a leashed server.
        confirm: raises CheckpointReplaced when a checkpoint's folder holds other files by now.
    """

    def __init__(
        self,
        plan: ServerPlan,
        *,
        concurrency: int = 16,
        vllm: Vllm | None = None,
        command: ServerCommand = server_command,
        confirm: Callable[[Checkpoint], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._concurrency = concurrency
        self._vllm = vllm
        self._command = command
        self._confirm = confirm
        self._server: _Server | None = None
        self._model: ServedModel | None = None
        self._fingerprints: dict[str, Fingerprint] = {}
        self._lock = asyncio.Lock()
        self.starts = 0
        """Servers started so far."""

    async def serve(self, checkpoint: Checkpoint) -> ServedModel:
        """Serve a checkpoint; see :class:`monitor.ports.Engine`.

        Raises:
            InvalidCheckpoint: its files are incomplete or were replaced, or vLLM cannot load it or takes no
                prompt for it. A server that runs is left as it is where that is seen before it loads.
            DeploymentBroken: it computes NaN on a server that was started for it.
            EngineTrouble: the server died or never became ready.
            InvalidConfig: no vLLM is installed.
            PortTaken: somebody else listens on the port of the plan.
        """
        await asyncio.to_thread(self._confirm, checkpoint)
        files = await asyncio.to_thread(read_checkpoint, Path(checkpoint.path))
        files = replace(files, folder=self._loadable(files.folder, checkpoint))
        async with self._lock:
            if self._model is not None and self._model.broken:
                # What it left in the key-value cache can reach the next checkpoint's answers.
                await self._stop()
            self._retire_model()
            model = await self._proved(checkpoint, files)
            await self._confirm_loaded(checkpoint)
            self._model = model
            return model

    def _loadable(self, folder: Path, checkpoint: Checkpoint) -> Path:
        """The folder by a path that HTTP and vLLM can spell: a link where its own is not UTF-8."""
        if is_encodable(str(folder)):
            return folder
        link = self._plan.folder / "checkpoints" / checkpoint.short_digest
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
        return link.absolute()

    async def close(self) -> None:
        """End the server and everything it started."""
        async with self._lock:
            self._retire_model()
            await self._stop()

    def _retire_model(self) -> None:
        if self._model is not None:
            self._model.retire()
            self._model = None

    async def _proved(self, checkpoint: Checkpoint, files: CheckpointFiles) -> ServedModel:
        """The model, on a fresh server where the one that runs is in doubt."""
        for _ in range(2):
            started = self.starts
            server = await self._holding(checkpoint, files)
            try:
                model = await self._introduced(server, checkpoint)
            except DeploymentBroken:
                await self._stop()
                if self.starts > started:
                    raise
                continue
            if model is not None:
                return model
            _log.warning("%s answers otherwise than before; starting afresh", checkpoint.name)
            await self._stop()
        raise self._otherwise(checkpoint)

    async def _holding(self, checkpoint: Checkpoint, files: CheckpointFiles) -> _Server:
        """A server that holds the checkpoint, by whatever way is right."""
        server = self._server
        if server is not None and server.process.alive and not server.client.stalled:
            if server.digest == checkpoint.digest and server.files == files:
                return server
            if server.provable.holds and server.files.swappable_with(files):
                if await self._switched(server, checkpoint, files):
                    return server
                _log.warning("switching to %s could not be proved; starting afresh", checkpoint.name)
        await self._stop()
        return await self._started(checkpoint, files)

    async def _switched(self, server: _Server, checkpoint: Checkpoint, files: CheckpointFiles) -> bool:
        """Whether the running server computes with the checkpoint's weights by now."""
        # Who is cancelled from here on leaves a server of which nobody knows what it holds.
        server.digest = ""
        try:
            await load_weights(server.client, files.folder)
            proof = await prove_weights(server.client, files.folder, files.weights)
        except (Refused, EngineTrouble) as exc:
            _log.warning("vLLM did not load %s in place: %s", checkpoint.name, exc)
            return False
        if not proof.holds:
            _log.warning("the weights of %s did not all arrive: %s", checkpoint.name, proof.problem)
            return False
        server.files, server.digest = files, checkpoint.digest
        return True

    async def _started(self, checkpoint: Checkpoint, files: CheckpointFiles) -> _Server:
        process = await self._start_process(checkpoint, files)
        client = VllmClient(
            Route(url=process.url),
            concurrency=self._concurrency,
            lifeline=process,
            patience=Patience(stall_s=self._plan.stall_s),
        )
        self._server = _Server(
            process=process,
            client=client,
            files=files,
            digest=checkpoint.digest,
            provable=Proof(holds=False, problem="not tried yet"),
        )
        if not (files.tied or files.quantised):
            self._server.provable = await prove_weights(client, files.folder, files.weights)
            if not self._server.provable.holds:
                _log.info("every checkpoint is started afresh: %s", self._server.provable.problem)
        return self._server

    async def _start_process(self, checkpoint: Checkpoint, files: CheckpointFiles) -> ServerProcess:
        for attempt in range(1, _START_ATTEMPTS + 1):
            process = await self._spawn(files)
            try:
                await process.ready(within_s=self._plan.ready_s)
            except EngineTrouble as trouble:
                await process.stop()
                if reason := blames_checkpoint(process.log):
                    raise InvalidCheckpoint(
                        f"vLLM cannot load the checkpoint {checkpoint.name} ({files.architecture}): {reason}",
                        next_step=f"Check its config.json and weights; the whole log is {process.log}.",
                    ) from trouble
                if attempt == _START_ATTEMPTS or "address already in use" not in str(trouble).lower():
                    raise
            except BaseException:
                await process.stop()
                raise
            else:
                return process
        raise AssertionError

    async def _spawn(self, files: CheckpointFiles) -> ServerProcess:
        vllm = self._vllm = self._vllm or installed_vllm()
        port = free_port(self._plan.port)
        self._plan.folder.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(orphans.end_orphans, self._plan.folder)
        self.starts += 1
        return await ServerProcess.start(
            self._command(self._plan, vllm, weights=files.folder, port=port),
            server_environment(self._plan, vllm, os.environ),
            folder=self._plan.folder,
            port=port,
        )

    async def _introduced(self, server: _Server, checkpoint: Checkpoint) -> ServedModel | None:
        """The model, or None when it answers the canaries otherwise than the same digest did before."""
        try:
            acquaintance = await introduce(
                server.client,
                name=checkpoint.name,
                kind="vllm-managed",
                model_id=SERVED_NAME,
                settings=self._settings(),
            )
        except Refused as refusal:
            # The server is ours and has this one checkpoint: a refusal is about it, and its next one too.
            raise InvalidCheckpoint(
                f"vLLM loads {checkpoint.name} and refuses the canary prompts (status {refusal.status}): "
                f"{refusal.detail}.",
                next_step="Check its tokenizer and config.json, and engine.args.",
            ) from refusal
        known = self._fingerprints.setdefault(checkpoint.digest, acquaintance.fingerprint)
        if not known.agrees(acquaintance.fingerprint):
            return None
        return ServedModel(
            server.client,
            name=checkpoint.name,
            model_id=SERVED_NAME,
            identity=acquaintance.identity,
            fingerprint=acquaintance.fingerprint,
            concurrency=self._concurrency,
        )

    async def _confirm_loaded(self, checkpoint: Checkpoint) -> None:
        """Check that what was loaded just now is what was confirmed before; else nothing may be served."""
        try:
            await asyncio.to_thread(self._confirm, checkpoint)
        except InvalidCheckpoint:
            del self._fingerprints[checkpoint.digest]
            await self._stop()
            raise

    def _otherwise(self, checkpoint: Checkpoint) -> EngineTrouble:
        # The next try is measured anew: which of the two was right cannot be known from here.
        del self._fingerprints[checkpoint.digest]
        return EngineTrouble(
            f"A fresh vLLM server answers the canary prompts for {checkpoint.name} otherwise than the server "
            "before it, so one of them did not serve these weights; it was ended.",
            next_step="Serve it again; if this repeats, check the machine's memory and vLLM's version.",
        )

    def _settings(self) -> dict[str, str]:
        on_cpu = self._vllm is not None and self._vllm.on_cpu
        return {"device": "cpu" if on_cpu else "gpu", "args": " ".join(self._plan.args)}

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.client.close()
            await server.process.stop()

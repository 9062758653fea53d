"""How surprised the lab's generations are by code that people wrote before November 2022.

    python -m benchmarks.rarity snippets --out FILE --longest 500 --per-project 4
    python -m benchmarks.collapse.human --snippets FILE --docs docs/drift.md

The snippets are the product's, and so are the probe and its test; the likelihoods come from transformers in
this process, which reads a model of the lab's size faster than a server starts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collapse.generations import COMMITTED
from benchmarks.collapse.study import FalseWarnings, Row, by_name, false_warnings, rows_of
from benchmarks.detection.report import renewed, table
from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.drift import Measurement
from monitor.domain.samples import Completion, SampleRequest
from monitor.drift.nll import NllProbe
from monitor.drift.snippets import Snippet, read_snippets

FIGURES = Path(__file__).resolve().parent / "human.json"
COMMAND = "python -m benchmarks.collapse.human"
BASELINE = "gen0"
UNHARMED = ("control1", "control2", "8bit")
CHECKPOINTS = ("gen1", "gen2", "gen3", *UNHARMED)
LONGEST = 255
"""Tokens that the lab's models read at once, one of their 256 being kept for an answer."""
SEED = 20_261_127


def main() -> None:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--snippets", type=Path, required=True)
    parser.add_argument("--resamplings", type=int, default=70, help="of the projects, per unharmed model")
    parser.add_argument("--docs", type=Path, help="renew the table between the marks in this file")
    options = parser.parse_args()
    snippets = read_snippets(options.snippets)
    figures = compared(COMMITTED, CHECKPOINTS, UNHARMED, snippets, options.resamplings)
    publish({"command": COMMAND, **figures}, FIGURES, options.docs)


def publish(figures: dict[str, Any], file: Path, docs: Path | None) -> None:
    """Write figures into a file, show their table, and renew it between their command's marks in a page."""
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(figures)
    if docs is not None:
        marks = {name: f"<!-- {name}: {figures['command']} -->" for name in ("begin", "end")}
        docs.write_text(renewed(docs.read_text(encoding="utf-8"), text, **marks), encoding="utf-8")
    print(text)


class LocalReader:
    """A checkpoint that is only asked how likely texts are, in this process, in 32-bit floats.

    Args:
        folder: of the checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        import torch  # noqa: PLC0415 - an extra, and seconds to import
        from tokenizers import Tokenizer  # noqa: PLC0415 - likewise
        from transformers import LlamaForCausalLM  # noqa: PLC0415 - likewise

        self._torch = torch
        self._model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    @property
    def identity(self) -> EngineIdentity:
        """This process."""
        return EngineIdentity(kind="transformers", version="", settings={}, seed_stable=True)

    def complete(self, requests: Iterable[SampleRequest]) -> AsyncGenerator[Completion, None]:
        """Not what it is for."""
        raise NotImplementedError

    async def prompt_logprobs(
        self,
        texts: Sequence[str],
        *,
        contexts: Sequence[str] = (),
        chat: bool = False,  # noqa: ARG002 - the lab's models have no template
    ) -> list[tuple[float, ...]]:
        """As the port says; empty for what is longer than the model reads."""
        assert not any(contexts), "human code is asked for without a context"
        return [self._logprobs(self._tokenizer.encode(text).ids) for text in texts]

    def _logprobs(self, tokens: list[int]) -> tuple[float, ...]:
        if len(tokens) > LONGEST:
            return ()
        torch = self._torch
        ids = torch.tensor([tokens])
        with torch.inference_mode():
            logprobs = torch.log_softmax(self._model(ids).logits[0, :-1].double(), dim=-1)
        return tuple(logprobs.gather(1, ids[0, 1:, None])[:, 0].tolist())


def compared(
    folder: Path,
    checkpoints: Sequence[str],
    unharmed: Sequence[str],
    snippets: Sequence[Snippet],
    resamplings: int,
) -> dict[str, Any]:
    """Rows per checkpoint and kind of code, and false warnings over a bootstrap of projects.

    Args:
        folder: holds the checkpoints, and the :data:`BASELINE` that they are compared with.
        checkpoints: their names.
        unharmed: those of them that nothing may be warned of.
        snippets: what is asked.
        resamplings: of the projects, for each unharmed checkpoint.
    """
    probe = NllProbe(snippets)
    found = {
        name: asyncio.run(probe.measure(LocalReader(folder / name), ())) for name in (BASELINE, *checkpoints)
    }
    before = found.pop(BASELINE)
    weighed = {name: probe.compare(before, after) for name, after in found.items()}
    rows = [row for name, indicators in weighed.items() for row in rows_of(name, indicators, depth=None)]
    rng = np.random.default_rng(SEED)
    turns = [
        list(probe.compare(*resampled(before, found[name], rng)))
        for name in unharmed
        for _ in range(resamplings)
    ]
    return {
        "material": probe.material,
        "projects": len({reading.cluster for reading in before.readings}),
        "readings": len(before.readings),
        "snippets": len(snippets),
        "rows": [asdict(row) for row in rows],
        "false_warnings": [asdict(each) for each in false_warnings(by_name(turns), depth=None)],
    }


def resampled(
    before: Measurement, after: Measurement, rng: np.random.Generator
) -> tuple[Measurement, Measurement]:
    """Both measurements on as many projects, drawn with replacement, each draw a project of its own."""
    projects = sorted({reading.cluster for reading in before.readings})
    drawn = [projects[place] for place in rng.integers(0, len(projects), len(projects))]
    return _of_projects(before, drawn), _of_projects(after, drawn)


def _of_projects(measurement: Measurement, drawn: Sequence[str]) -> Measurement:
    readings = tuple(
        replace(reading, item=f"{turn} {reading.item}", cluster=f"{turn} {project}")
        for turn, project in enumerate(drawn)
        for reading in measurement.readings
        if reading.cluster == project
    )
    return replace(measurement, readings=readings)


def as_markdown(figures: dict[str, Any]) -> str:
    """The table, and how often the unharmed ones warned."""
    rows = [Row(**row) for row in figures["rows"]]
    names = list(dict.fromkeys(row.checkpoint for row in rows))
    body = []
    for stratum, kind in (("tail", "rare"), ("head", "common")):
        own = {row.checkpoint: row for row in rows if row.stratum == stratum}
        cells = [
            f"{own[n].value:.3f} ({own[n].p_value:.2g}{', warns' if own[n].warns else ''})" for n in names
        ]
        body.append([kind, f"{own[names[0]].baseline:.3f}", *cells])
    (false,) = [FalseWarnings(**each) for each in figures["false_warnings"]]
    asked = f"{figures['readings']} functions of {figures['projects']} projects"
    tests = f"{false.resamplings} bootstraps of the projects, over the unharmed checkpoints"
    return (
        f"{asked}, bits per byte, with p-values:\n\n{table(['human code', BASELINE, *names], body)}\n\n"
        f"Of {false.tests} tests in {tests}, {false.warned} warned."
    )


if __name__ == "__main__":
    main()

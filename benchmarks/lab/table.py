"""Evaluates every committed checkpoint on the lab suite and writes the table of docs/lab.md."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.lab import checkpoints
from benchmarks.lab.estimates import PassRate, mean_rate, traffic_weights, weighted_rate
from benchmarks.lab.judging import judge
from benchmarks.lab.proofs import program
from benchmarks.lab.sampling import Sampling, sample
from benchmarks.lab.suite import stratum, tasks
from benchmarks.lab.tokenizer import encode_prompt

NAMES = ("gen0", "gen1", "gen2", "gen3", "control1", "control2", "8bit")
STRATA = ("head", "torso", "tail")
SAMPLES = 16
SEED = 7
# Checkpoint, then "sampled" or "greedy", then stratum or "traffic".
Results = dict[str, dict[str, dict[str, PassRate]]]
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def evaluate(folder: Path, fields: Sequence[dict[str, Any]], temperature: float, samples: int) -> list[float]:
    """Return the pass rate of every task, over ``samples`` torch samples at ``temperature``."""
    model, tokenizer = checkpoints.load(folder), checkpoints.load_tokenizer(folder)
    prompts = [encode_prompt(tokenizer, task["prompt"]) for task in fields for _ in range(samples)]
    bodies = sample(model, prompts, Sampling(temperature=temperature, seed=SEED))
    programs = [
        program(
            task["prompt"], tokenizer.decode(bodies[row * samples + i]), task["test"], task["entry_point"]
        )
        for row, task in enumerate(fields)
        for i in range(samples)
    ]
    passed = judge(programs)
    return [sum(passed[row * samples : (row + 1) * samples]) / samples for row in range(len(fields))]


def summarise(fields: Sequence[dict[str, Any]], rates: Sequence[float], samples: int) -> dict[str, PassRate]:
    """Return the pass rate of every stratum and, as ``traffic``, of the traffic as a whole."""
    bands: dict[str, list[float]] = {band: [] for band in STRATA}
    for task, rate in zip(fields, rates, strict=True):
        bands[stratum(task["frequency"])].append(rate)
    found = {band: mean_rate(within, samples) for band, within in bands.items()}
    families = [task["task_id"].rpartition("-")[0] for task in fields]
    frequency = {family: task["frequency"] for family, task in zip(families, fields, strict=True)}
    found["traffic"] = weighted_rate(rates, traffic_weights(families, frequency), samples)
    return found


def evaluate_all(
    root: Path, names: Sequence[str], samples: int, say: Callable[[str], None] = print
) -> Results:
    """Return sampled and greedy pass rates of every checkpoint, per stratum."""
    torch.set_num_threads(1)
    fields = tasks()
    results: Results = {}
    for name in names:
        started = time.monotonic()
        sampled = summarise(fields, evaluate(root / name, fields, 1.0, samples), samples)
        greedy = summarise(fields, evaluate(root / name, fields, 0.0, 1), 1)
        results[name] = {"sampled": sampled, "greedy": greedy}
        bands = " ".join(f"{band} {rate.rate:.3f}" for band, rate in sampled.items())
        say(f"{name}: {bands} ({time.monotonic() - started:.0f} s)")
    return results


def as_markdown(results: Results, samples: int) -> str:
    """Return the table: one row per checkpoint and way of decoding, standard errors in brackets."""
    lines = [
        f"Sampled: temperature 1, {samples} samples per task. In brackets: the standard error if tasks were",
        "drawn anew (clustered by task); after the slash, if only the samples were drawn anew.",
        "",
        "| checkpoint | decoding | head | torso | tail | traffic-weighted |",
        "|---|---|---|---|---|---|",
    ]
    for name, ways in results.items():
        for way, bands in ways.items():
            cells = [_cell(bands[band], way) for band in (*STRATA, "traffic")]
            lines.append(f"| {name} | {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(rate: PassRate, way: str) -> str:
    if way == "greedy":
        return f"{rate.rate:.3f} ({rate.error:.3f})"
    return f"{rate.rate:.3f} ({rate.error:.3f} / {rate.sampling_error:.3f})"


def write(results: Results, samples: int, *, json_path: Path, page: Path) -> None:
    """Write the figures as JSON and put the table between its marks in ``page``."""
    figures = {
        name: {way: {band: asdict(rate) for band, rate in bands.items()} for way, bands in ways.items()}
        for name, ways in results.items()
    }
    body = {"samples_per_task": samples, "seed": SEED, "checkpoints": figures}
    json_path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{as_markdown(results, samples)}{END}{after}", encoding="utf-8")

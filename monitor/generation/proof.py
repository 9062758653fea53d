"""Proves inside vLLM's worker that what computes is what the checkpoint's files say.

vLLM loads this class into its worker (``--worker-extension-cls``) and Tailwatch calls it after each
switch. Comparing parameters would not do: on CPU vLLM multiplies with packed copies and empties the
parameters (its own ``/weight_checker`` then hashes nothing), and the known fault, output weights left
behind by ``reload_weights`` on tied checkpoints, is just such a stale copy. So every matrix is read out
through the multiplication that serves requests: with the rows of the identity as input, which is exact
in every floating-point type, since each output is one weight times one plus zeros.

Runs in the server's process: nothing but torch and safetensors may be needed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

_ROWS_AT_ONCE = 1024
_PLAIN_METHODS = frozenset({"UnquantizedLinearMethod", "UnquantizedEmbeddingMethod"})
_DERIVED = ("rotary_emb.inv_freq",)
"""Buffers that old checkpoints carry and every loader computes anew."""


class WeightProof:
    """Mixed into vLLM's worker; its method is called by name through ``/collective_rpc``."""

    model_runner: Any

    def tailwatch_prove_weights(self, files: list[str]) -> dict[str, list[str]]:
        """Compare all that computes with the files of a checkpoint.

        Args:
            files: paths of the files that the weights were loaded from, and of no other.

        Returns:
            Names under ``proved`` (equal, bit for bit after the cast to the serving type),
            ``differing``, and ``unproved`` (no rule to compare them by, or a tensor of the files that
            nothing was compared with).
        """
        import torch  # noqa: PLC0415 - only vLLM's worker has it for sure

        with torch.inference_mode(), _Files(files) as tensors:
            return prove(self.model_runner.get_model(), tensors)


class _Files:
    """The tensors of a checkpoint's files, each read when asked for."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._handles: list[Any] = []
        self._holder: dict[str, Any] = {}

    def __enter__(self) -> Self:
        from safetensors import safe_open  # noqa: PLC0415 - likewise

        for path in self._paths:
            handle: Any = safe_open(path, framework="pt")
            handle.__enter__()
            self._handles.append(handle)
            self._holder |= dict.fromkeys(handle.keys(), handle)
        return self

    def __exit__(self, *exception: object) -> None:
        for handle in self._handles:
            handle.__exit__(*exception)

    def names(self) -> set[str]:
        return {name for name in self._holder if not name.endswith(_DERIVED)}

    def stacked(self, names: Sequence[str]) -> Any | None:
        """The tensors one above the other, as vLLM fuses them; None when one is missing."""
        import torch  # noqa: PLC0415 - only vLLM's worker has it for sure

        if not all(name in self._holder for name in names):
            return None
        return torch.cat([self._holder[name].get_tensor(name) for name in names])


def prove(model: Any, files: Any) -> dict[str, list[str]]:
    """Compare every parameter of the model, through its own computation, with the files.

    Args:
        model: vLLM's model.
        files: has ``names()`` and ``stacked(names)``.
    """
    fused: Mapping[str, Sequence[str]] = getattr(model, "packed_modules_mapping", {})
    report: dict[str, list[str]] = {"proved": [], "differing": [], "unproved": []}
    left = files.names()
    for module_name, module in model.named_modules():
        for parameter_name, parameter in module.named_parameters(recurse=False):
            sources = _sources(module_name, parameter_name, fused)
            expected = files.stacked(sources)
            equal = None if expected is None else _equal(module, parameter_name, parameter, expected)
            verdict = "unproved" if equal is None else "proved" if equal else "differing"
            report[verdict].append(f"{module_name}.{parameter_name}")
            left.difference_update(sources)
    report["unproved"] += sorted(left)
    return report


def _sources(module_name: str, parameter_name: str, fused: Mapping[str, Sequence[str]]) -> list[str]:
    """Names under which the files hold what vLLM keeps as one parameter."""
    prefix, dot, last = module_name.rpartition(".")
    return [f"{prefix}{dot}{part}.{parameter_name}" for part in fused.get(last, [last])]


def _equal(module: Any, parameter_name: str, parameter: Any, expected: Any) -> bool | None:
    """Whether the module computes with the expected tensor; None when there is no way to tell."""
    method = getattr(module, "quant_method", None)
    if method is None or parameter_name != "weight":
        expected = expected.to(parameter)
        return None if parameter.shape != expected.shape else bool((parameter == expected).all())
    if type(method).__name__ not in _PLAIN_METHODS or expected.dim() != 2:
        return None
    if type(module).__name__ == "VocabParallelEmbedding":
        return _looks_up(module, method, parameter, expected)
    return _multiplies(module, method, parameter, expected)


def _looks_up(module: Any, method: Any, parameter: Any, expected: Any) -> bool | None:
    import torch  # noqa: PLC0415 - only vLLM's worker has it for sure

    if parameter.shape[0] < expected.shape[0]:
        return None
    for first in range(0, expected.shape[0], _ROWS_AT_ONCE):
        rows = expected[first : first + _ROWS_AT_ONCE].to(parameter)
        tokens = torch.arange(first, first + len(rows), device=parameter.device)
        if not bool((method.embedding(module, tokens) == rows).all()):
            return False
    return True


def _multiplies(module: Any, method: Any, parameter: Any, expected: Any) -> bool | None:
    """Whether the rows of the identity come out as the columns of the matrix."""
    import torch  # noqa: PLC0415 - only vLLM's worker has it for sure

    outputs, inputs = expected.shape
    if getattr(module, "input_size_per_partition", inputs) != inputs:
        return None
    expected = expected.to(parameter)
    for first in range(0, inputs, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, inputs - first)
        rows = torch.zeros(count, inputs, dtype=parameter.dtype, device=parameter.device)
        rows[torch.arange(count), torch.arange(first, first + count)] = 1
        product = method.apply(module, rows, bias=None)
        if product.shape[1] < outputs:
            return None
        # Vocabularies are padded to a round number of rows; the padding answers nothing.
        if not bool((product[:, :outputs] == expected[:, first : first + count].T).all()):
            return False
    return True

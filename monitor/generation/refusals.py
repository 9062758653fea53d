"""Whether a server's log blames the checkpoint for its death, or something of ours."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.generation.server_log import cause

_CHECKPOINT_FAULTS = re.compile(
    r"SafetensorError|HeaderTooLarge|IncompleteMetadata|MetadataIncompleteBuffer"
    r"|architectures? .* (not supported|failed to be inspected)|no vLLM implementation"
    r"|does not recognize this architecture|model type .* (but Transformers does not|not recogni)"
    r"|[Cc]an't load (tokenizer|the configuration)|Couldn't instantiate the backend tokenizer"
    r"|not initialized from checkpoint|There is no module or parameter named"
    r"|size mismatch|Attempted to load weight|shape mismatch|loaded_weight"
    r"|Cannot find any model weights|[Uu]nrecognized (model|configuration)"
    r"|[Ii]nvalid.*(config\.json|tokenizer)|is not the path to a directory containing"
)


def blames_checkpoint(log: Path) -> str | None:
    """The exception in the log's end that a retry with the same files would meet again, or None."""
    reason = cause(log)
    return reason if reason and _CHECKPOINT_FAULTS.search(reason) else None

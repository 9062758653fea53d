"""Tasks of one's own as JSON Lines, with the fields of a task file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from monitor.suites.format import TaskFile
from monitor.suites.importing.conversion import (
    Conversion,
    LeftOutBecause,
    NotImportable,
    make_task,
    reference_of,
    text_of,
)

REQUIRED: Final = ("task_id", "prompt", "canonical_solution", "test")

OPTIONAL: Final = ("entry_point", "language", "kind", "topic", "stop")
"""As in a task file, where each has its default."""

PROVENANCE: Final = ("author", "created", "licence", "source", "written_by")
"""Of one task; licence and source take precedence over those of the import."""

FIELDS: Final = (*REQUIRED, *OPTIONAL, "time_limit_s", *PROVENANCE)
"""All that a line may hold."""


def own(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """A line with the fields of a task file, provenance beside them; nothing is assumed of its origin."""
    unknown = sorted(set(record) - set(FIELDS))
    if unknown:
        raise NotImportable(
            LeftOutBecause.MALFORMED, f"field {unknown[0]} is unknown; there are {', '.join(FIELDS)}"
        )
    provenance = {name: record[name] for name in PROVENANCE if name in record}
    conversion = replace(
        conversion,
        origin=replace(conversion.origin, **provenance),
        time_limit_s=record.get("time_limit_s", conversion.time_limit_s),
    )
    return make_task(
        conversion,
        task_id=text_of(record, "task_id"),
        prompt=text_of(record, "prompt"),
        canonical_solution=reference_of(record),
        test=text_of(record, "test"),
        **{name: record[name] for name in OPTIONAL if name in record},
    )

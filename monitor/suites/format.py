"""What a suite's files may say: the models behind the published JSON Schemas.

A suite is a folder with ``suite.yaml`` (:class:`SuiteFile`) and ``tasks/*.yaml`` (one
:class:`TaskFile` each). Nothing is converted silently and no unknown field is let through.
"""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

SUITE_FILE: Final = "suite.yaml"
TASK_FOLDER: Final = "tasks"

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._\-]{0,63}$"
"""Of a suite's name."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/+\-]{0,127}$")]
Language = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+#\-]{0,31}$")]


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


IsoDate = Annotated[
    str,
    Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", json_schema_extra={"format": "date"}),
    AfterValidator(_day),
]
Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ProvenanceEntry(_Entry):
    """Who made a task, when, under what licence; what is not known is left out."""

    author: Text | None = None
    created: IsoDate | None = None
    licence: Text = Field(description="SPDX identifier.")
    source: Text = Field(description="Where it was taken from, or 'original'.")
    written_by: Literal["human", "model"] | None = None


_ANSWER: JsonDict = {"properties": {"kind": {"const": "answer"}}, "required": ["kind"]}
_NAMED: JsonDict = {"properties": {"entry_point": {"minLength": 1}}, "required": ["entry_point"]}


class TaskFile(_Entry):
    """One benchmark problem, with HumanEval's field names."""

    model_config = ConfigDict(json_schema_extra={"if": _ANSWER, "else": _NAMED})

    task_id: Identifier
    prompt: Text
    canonical_solution: Text = Field(description="Reference completion of the prompt; passes the tests.")
    test: Text = Field(
        description="Defines check(candidate) for Python programs and check(answer) for answers; for other "
        "languages, statements that run after the program and end in an error when it is wrong."
    )
    entry_point: str = Field(default="", description="Name that the tests call; programs only.")
    language: Language = "python"
    kind: Literal["program", "answer"] = "program"
    time_limit_s: float = Field(default=2.0, gt=0, le=600, description="CPU seconds a program may use.")
    topic: str = Field(default="", description="Free text, for tables and groups.")
    frequency: float | None = Field(
        default=None, gt=0, le=1, description="Share of the training data, for training-frequency suites."
    )
    rarity: float | None = Field(
        default=None, description="Measured score, larger is rarer, for corpus-features suites."
    )
    stop: list[Text] = Field(
        default=[],
        description="Texts that end a completion, in place of the language's usual ones.",
    )
    provenance: ProvenanceEntry

    @model_validator(mode="after")
    def _a_program_names_what_is_called(self) -> Self:
        if self.kind == "program" and not self.entry_point:
            message = "entry_point is required for a task of kind program"
            raise ValueError(message)
        return self


class TrainingFrequency(_Entry):
    """Rarity is -log2 of the share of the training data that a task's kind had."""

    method: Literal["training-frequency"]
    head_at_least: Share = Field(description="Tasks at least this frequent are head.")
    torso_at_least: Share = Field(description="Those below it but at least this frequent are torso.")

    @model_validator(mode="after")
    def _head_is_more_frequent(self) -> Self:
        if self.head_at_least <= self.torso_at_least:
            message = "head_at_least must be larger than torso_at_least"
            raise ValueError(message)
        return self


class Quantiles(_Entry):
    """Shares of the suite's tasks below which the strata begin."""

    torso_from: Share
    tail_from: Share


class CutPoints(_Entry):
    """Rarity scores at which the strata begin."""

    torso_from: float
    tail_from: float


def _given(field: str) -> JsonDict:
    """The JSON Schema of having a field that is not null."""
    return {"properties": {field: {"type": "object"}}, "required": [field]}


class CorpusFeatures(_Entry):
    """Rarity is computed from how rare a reference solution's features are in a corpus."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_given("quantiles"), _given("cut_points")]})

    method: Literal["corpus-features"]
    corpus: Text = Field(description="Name and digest of the table of counts behind the scores.")
    quantiles: Quantiles | None = None
    cut_points: CutPoints | None = None

    @model_validator(mode="after")
    def _one_way_to_cut(self) -> Self:
        cut = self.quantiles or self.cut_points
        if cut is None or (self.quantiles and self.cut_points):
            message = "give either quantiles or cut_points"
            raise ValueError(message)
        if cut.tail_from <= cut.torso_from:
            message = "tail_from must be larger than torso_from"
            raise ValueError(message)
        return self


class Unranked(_Entry):
    """Rarity was not measured yet: every task is torso until the suite is ranked."""

    method: Literal["unranked"]


RarityRule = Annotated[TrainingFrequency | CorpusFeatures | Unranked, Field(discriminator="method")]


class TrafficShares(_Entry):
    """Share of the requests that each stratum has; they sum to 1."""

    head: float = Field(default=0.0, ge=0, le=1)
    torso: float = Field(default=0.0, ge=0, le=1)
    tail: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.head + self.torso + self.tail
        if abs(total - 1.0) > 0.005:
            message = f"shares must sum to 1, not to {total:g}"
            raise ValueError(message)
        return self


class SealRule(_Entry):
    """Some tasks are kept back, so that choosing by the others shows as a gap."""

    share: Share = Field(description="Share of each stratum's tasks that is sealed.")
    every: int = Field(ge=2, le=1000, description="They take part in every such evaluation of a model.")


class SuiteFile(_Entry):
    """The header of a suite."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    version: Text
    licence: Text = Field(description="SPDX identifier.")
    seed: int = Field(ge=0, lt=2**31, description="Root of all sample seeds and task orders.")
    description: Text
    rarity: RarityRule
    sealed: SealRule | None = Field(
        default=None, description="Tasks that take part in few evaluations; none when left out."
    )
    traffic: TrafficShares | None = Field(
        default=None,
        description="Share of the requests by stratum, where it was measured; decisions do not use it.",
    )
    contamination_canary: Text = Field(
        description="Text whose appearance in training data gives away that the suite leaked."
    )


def rarity_score(task: TaskFile, rule: TrainingFrequency | CorpusFeatures | Unranked) -> float:
    """A task's rarity by the suite's method; larger is rarer.

    Raises:
        ValueError: the task lacks what the method needs, or carries what it does not use.
    """
    needed = {"training-frequency": "frequency", "corpus-features": "rarity"}.get(rule.method)
    for field in ("frequency", "rarity"):
        given = getattr(task, field) is not None
        if given and field != needed:
            message = f"{field}: not used by rarity method {rule.method}"
            raise ValueError(message)
        if not given and field == needed:
            message = f"{field}: required by rarity method {rule.method}"
            raise ValueError(message)
    if task.frequency is not None:
        return -math.log2(task.frequency) or 0.0
    return task.rarity if task.rarity is not None else 0.0


def schemas() -> dict[str, str]:
    """The published JSON Schemas, as text by file name."""
    models: dict[str, type[BaseModel]] = {"suite.schema.json": SuiteFile, "task.schema.json": TaskFile}
    return {name: _schema_text(model.model_json_schema()) for name, model in models.items()}


def _schema_text(schema: dict[str, Any]) -> str:
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | schema, indent=2) + "\n"

"""tailwatch.yaml and TAILWATCH_* variables, as frozen options."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from monitor.domain.drift import IndicatorName
from monitor.domain.encodings import wide_encoding
from monitor.domain.errors import InvalidConfig
from monitor.domain.samples import ReasoningMarks, SamplingPlan, Style
from monitor.domain.tasks import Stratum
from monitor.drift.names import CHOICES, NUMBERS
from monitor.drift.significance import ALPHA, LEAST_ALPHA
from monitor.suites.shelves import anchored_suite
from monitor.verdicts.policy import Depth, Policy

FILE_NAME = "tailwatch.yaml"
"""Where the commands look when no ``--config`` is given."""

_PREFIX = "TAILWATCH_"
_OTHER_VARIABLES = frozenset({"TAILWATCH_REQUIRE", "TAILWATCH_SANDBOX_IMAGE"})
"""Variables that the tests and the script for the sandbox image take."""

_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: object) -> object:
    """Turn ``90``, ``90s``, ``15m``, ``24h`` or ``7d`` into seconds.

    >>> seconds("24h")
    86400.0
    """
    if isinstance(value, str) and value[-1:] in _UNIT_S:
        try:
            return float(value[:-1]) * _UNIT_S[value[-1]]
        except ValueError:
            return value
    return value


Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0)]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckpointOptions(Section):
    """Where checkpoints arrive."""

    source: Literal["folder"] = "folder"
    path: Path
    settle_s: Annotated[float, Field(ge=0)] = 60.0


class EngineOptions(Section):
    """What generates."""

    kind: Literal["managed", "remote"] = "managed"
    args: tuple[str, ...] = ()
    url: str | None = None
    api_key_env: str | None = None
    served_model: Annotated[str, Field(min_length=1)] = "{name}"
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 128
    ready_s: Duration = 600.0
    stall_s: Duration = 300.0

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """Names a server and nothing secret: it is kept with each evaluation and shown on its page."""
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("a server is named like http://host:8000")
        if "@" in parts.netloc:
            raise ValueError(
                "an address holds no user and no password: set api_key_env to a variable instead"
            )
        return url


class ReasoningOptions(Section):
    """What the model writes around its reasoning, where Tailwatch does not know it."""

    open: Annotated[str, Field(pattern=r"^\S(.{0,98}\S)?$")]
    close: Annotated[str, Field(pattern=r"^\S(.{0,98}\S)?$")]


class SamplingOptions(Section):
    """How samples are drawn."""

    samples_per_task: Annotated[int, Field(ge=1, le=10_000)] = 32
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] = 512
    style: Style = Style.COMPLETION
    reasoning: tuple[ReasoningOptions, ...] = ()

    @field_validator("reasoning")
    @classmethod
    def _of_chats(
        cls, marks: tuple[ReasoningOptions, ...], info: ValidationInfo
    ) -> tuple[ReasoningOptions, ...]:
        if marks and info.data.get("style") is Style.COMPLETION:
            raise ValueError("reasoning is looked for in answers to chats only: set sampling.style to chat")
        return marks

    def plan(self) -> SamplingPlan:
        """The domain's noun for this section; at temperature 0 a task has but one answer."""
        depth = 1 if self.temperature == 0 else self.samples_per_task
        marks = tuple(ReasoningMarks(**each.model_dump()) for each in self.reasoning)
        return SamplingPlan(**{**self.model_dump(), "samples_per_task": depth, "reasoning": marks})


class PolicyOptions(Section):
    """What the gate demands; a key that is left out has the policy's own default."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Policy().alpha
    beta: Annotated[float, Field(gt=0, lt=0.5)] = Policy().beta
    margin: dict[Stratum, Annotated[float, Field(gt=0, lt=0.5)]] = Field(default_factory=dict)
    relative_margin: Annotated[float, Field(gt=0, le=1)] = Policy().relative_margin
    advisory: frozenset[Stratum] = frozenset()
    confirm: bool = True
    coupling: bool = True
    depth: Depth = Depth.DECIDE
    max_age: Duration = Policy().max_age_s
    max_unscored: Annotated[float, Field(ge=0, lt=1)] = Policy().max_unscored_share
    require_lineage: bool = False
    hold_on: frozenset[str] = frozenset()

    @field_validator("hold_on")
    @classmethod
    def _known_warnings(cls, names: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        known = {*IndicatorName, *NUMBERS}
        unknown = sorted(name for name in names if name.partition("=")[0] not in {*known, *CHOICES})
        if unknown:
            raise ValueError(
                f"nothing called {', '.join(unknown)} is measured; there are {', '.join(sorted(known))}"
            )
        if IndicatorName.COLLISION in names and info.data.get("depth") is not Depth.FULL:
            raise ValueError(
                "collision needs two samples of a task, and an evaluation that ends once it is decided draws "
                "one of most, so that it would always hold: set policy.depth to full, or leave it out"
            )
        return names

    def policy(self) -> Policy:
        """The domain's noun for this section."""
        return Policy(
            alpha=self.alpha,
            beta=self.beta,
            margin=self.margin,
            relative_margin=self.relative_margin,
            critical=frozenset(Stratum) - self.advisory,
            confirm=self.confirm,
            coupling=self.coupling,
            depth=self.depth,
            max_age_s=self.max_age,
            max_unscored_share=self.max_unscored,
            require_lineage=self.require_lineage,
            holding_signals=self.hold_on,
        )


class DriftOptions(Section):
    """What is measured about outputs beside their correctness."""

    indicators: bool = True
    columns: bool = True
    report: bool = True
    probes: frozenset[Literal["rare-code-nll", "rubber-stamp"]] = frozenset()
    snippets: Path | None = None
    alpha: Annotated[float, Field(lt=0.5)] = ALPHA

    @field_validator("alpha")
    @classmethod
    def _within_reach(cls, value: float) -> float:
        if value < LEAST_ALPHA:
            raise ValueError(f"no p-value of every sign reaches below {LEAST_ALPHA:g}: it would never warn")
        return value


class SandboxBackend(StrEnum):
    """What runs the programs."""

    DOCKER = "docker"
    NAMESPACE = "namespace"


class SandboxOptions(Section):
    """Where programs run."""

    backend: SandboxBackend = SandboxBackend.DOCKER
    slots: Annotated[int, Field(ge=1, le=512)] = Field(default_factory=lambda: os.cpu_count() or 1)
    recycle_after: Annotated[int, Field(ge=10, le=5000)] = 500
    runtime: str | None = None
    image: str | None = None


class ScheduleOptions(Section):
    """When things are done."""

    poll: Duration = 60.0
    recheck_promoted: Duration = 86400.0


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ServeOptions(Section):
    """Where the daemon answers."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9817
    allowed_hosts: tuple[str, ...] = ()

    def hosts(self) -> tuple[str, ...]:
        """Names and addresses that requests may be for; ``*`` for any.

        What listens on loopback alone is meant for this machine; what others may reach has whichever names
        they gave it.

        >>> ServeOptions(host="0.0.0.0").hosts()
        ('*',)
        """
        if not self.allowed_hosts and not _is_loopback(self.host):
            return ("*",)
        return (*_LOOPBACK, self.host, *self.allowed_hosts)


class Options(BaseSettings):
    """The whole file."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
    )

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]
    checkpoints: CheckpointOptions
    suite: str
    engine: EngineOptions = EngineOptions()
    sampling: SamplingOptions = SamplingOptions()
    baseline: str = "promoted"
    policy: PolicyOptions = PolicyOptions()
    drift: DriftOptions = DriftOptions()
    sandbox: SandboxOptions = Field(default_factory=SandboxOptions)
    schedule: ScheduleOptions = ScheduleOptions()
    store: str = "sqlite:///tailwatch.db"
    state: Path = Path(".tailwatch")
    serve: ServeOptions = ServeOptions()

    @field_validator("baseline")
    @classmethod
    def _known_baseline(cls, value: str) -> str:
        if value in {"promoted", "first"} or re.fullmatch(r"[0-9a-f]{6,64}", value):
            return value
        raise ValueError("must be promoted, first, or a checkpoint digest of at least 6 hexadecimal digits")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment variables win over the file."""
        return env_settings, init_settings


def load_options(path: Path | None = None) -> Options:
    """Read a configuration file, with environment variables on top.

    Relative paths in the file are relative to the file.

    Args:
        path: the file; None for ``tailwatch.yaml`` in the current folder.

    Raises:
        InvalidConfig: missing, not YAML, an unknown key, also in a variable's name, or a wrong value;
            names file, key and line.
    """
    path = path or Path(FILE_NAME)
    content = _read(path)
    _check_environment(os.environ)
    try:
        options = Options(**content)
    except ValidationError as error:
        raise _explain(path, error, Options) from error
    return _anchored(options, path.resolve().parent)


def load_policy(path: Path) -> Policy:
    """Read a file that holds the keys of a configuration's ``policy`` section.

    Raises:
        InvalidConfig: as for :func:`load_options`.
    """
    try:
        return PolicyOptions(**_read(path)).policy()
    except ValidationError as error:
        raise _explain(path, error, PolicyOptions) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidConfig(
            f"There is no configuration file {path}.",
            next_step="Write one with `tailwatch init`, or name yours with --config.",
        ) from error
    except UnicodeDecodeError as error:
        what = wide_encoding(path.read_bytes()) or "not UTF-8"
        raise InvalidConfig(f"{path} is {what} text.", next_step="Save it as UTF-8.") from error
    except OSError as error:
        raise InvalidConfig(
            f"{path} cannot be read: {error}.", next_step="Check the path and its permissions."
        ) from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidConfig(
            f"{path} is not valid YAML: {' '.join(str(error).split())}.",
            next_step="Mend that line; `tailwatch init` writes a file to compare with.",
        ) from error
    if not isinstance(content, dict):
        raise InvalidConfig(
            f"{path} must hold keys and values, not {type(content).__name__}.",
            next_step="`tailwatch init` writes a file to compare with.",
        )
    return {str(key): value for key, value in content.items()}


def _check_environment(names: Iterable[str]) -> None:
    """Refuse variables that would set no key: a name that was mistyped must not go unnoticed."""
    for name in sorted(set(names) - _OTHER_VARIABLES):
        if not name.startswith(_PREFIX):
            continue
        keys = name.removeprefix(_PREFIX).lower().split("__")
        for depth, key in enumerate(keys):
            known = _known_keys(Options, keys[:depth])
            if known and key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                meant = _PREFIX + "__".join([*keys[:depth], *close, *keys[depth + 1 :]]).upper()
                hint = f"Did you mean {meant}?" if close else "Unset it, or see docs/configuration.md."
                raise InvalidConfig(f"The environment variable {name} sets no key.", next_step=hint)


def _explain(path: Path, error: ValidationError, whole: type[BaseModel]) -> InvalidConfig:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    where = f"{path}:{_line(path, keys)}: {'.'.join(keys)}"
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(keys[-1], _known_keys(whole, keys[:-1]), n=1)
        hint = (
            f"Did you mean {close[0]}?" if close else "Remove it, or see docs/configuration.md for the keys."
        )
        return InvalidConfig(f"{where}: unknown key.", next_step=hint)
    message = first["msg"].removeprefix("Value error, ")
    return InvalidConfig(f"{where}: {message}.", next_step="See docs/configuration.md for what it takes.")


def _known_keys(model: type[BaseModel], section: list[str]) -> list[str]:
    for key in section:
        annotation = model.model_fields[key].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _line(path: Path, keys: list[str]) -> int:
    """Line of the deepest of the nested keys that the file has, from 1."""
    node, line = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), 1
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        match = next(((k, v) for k, v in pairs if k.value == key), None)
        if match is None:
            break
        line, node = match[0].start_mark.line + 1, match[1]
    return line


def _anchored(options: Options, folder: Path) -> Options:
    """The same options with relative paths made absolute from the file's folder."""
    checkpoints = options.checkpoints.model_copy(update={"path": folder / options.checkpoints.path})
    store = options.store
    if store.startswith("sqlite:///") and not store.startswith("sqlite:////"):
        store = f"sqlite:///{folder / store.removeprefix('sqlite:///')}"
    drift = options.drift
    if drift.snippets is not None:
        drift = drift.model_copy(update={"snippets": folder / drift.snippets})
    return options.model_copy(
        update={
            "checkpoints": checkpoints,
            "suite": anchored_suite(options.suite, folder),
            "store": store,
            "state": folder / options.state,
            "drift": drift,
        }
    )

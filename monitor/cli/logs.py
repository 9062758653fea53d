"""Logs: readable on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.domain.printable import printable_lines
from monitor.rounds.run import current_run

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
"""Attributes that every log record has, and uvicorn's copy of the message for coloured terminals; what is
beyond them was said by the caller."""


class RunFilter(logging.Filter):
    """Adds the evaluation that is being worked on to every record that names none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Nothing is held back."""
        if current_run.get() and not hasattr(record, "run"):
            record.run = current_run.get()
        return True


class JsonLines(logging.Formatter):
    """One object per line: time, level, logger, event, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; a field with the name of one of ours ends with an underscore."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        said = {f"{key}_" if key in document else key: value for key, value in _fields(record).items()}
        return json.dumps(document | _plain(said), allow_nan=False)


class Readable(logging.Formatter):
    """Time, level, event, and the event's fields as key=value on one line; a traceback follows."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line."""
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items() if value is not None)
        return _one_line(f"{super().formatMessage(record)}  {fields}".rstrip())

    def formatException(self, ei: Any) -> str:  # noqa: N802 - likewise
        """The traceback."""
        return printable_lines(super().formatException(ei))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in record.__dict__.items() if key not in _OWN}


def _plain(value: object) -> Any:
    """The value in what JSON knows; a number that is none, such as NaN, as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _one_line(text: str) -> str:
    """The text with line ends and other control characters spelled out: they may come from a checkpoint."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def start_logging(log_format: str) -> None:
    """Send logs to standard error.

    Args:
        log_format: ``json``, ``text``, or ``auto``: text when standard error is a terminal.
    """
    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Readable() if text else JsonLines())
    handler.addFilter(RunFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore", "uvicorn.access", "docker", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Its warnings say that one look for checkpoints went on into the time of the next, as reading may.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)

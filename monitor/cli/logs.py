"""Logs: readable on a terminal, one JSON object per line elsewhere."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""Attributes that every log record has; what is beyond them was said by the caller."""


class JsonLines(logging.Formatter):
    """One object per line: time, level, logger, event, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


class Readable(logging.Formatter):
    """Time, level, event, and the event's fields as key=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items() if value is not None)
        return f"{super().format(record)}  {fields}".rstrip()


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in record.__dict__.items() if key not in _OWN}


def start_logging(log_format: str) -> None:
    """Send logs to standard error.

    Args:
        log_format: ``json``, ``text``, or ``auto``: text when standard error is a terminal.
    """
    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Readable() if text else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore", "apscheduler", "uvicorn.access", "docker", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

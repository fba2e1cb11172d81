"""The log: events and whatever the libraries say, one line each, on one stream.

Only `start_log` touches the logging module's global state; the composition root calls it once.
"""

import logging
import os
import traceback
from datetime import UTC, datetime
from typing import TextIO

from waldur_slurm.telemetry.events import Event, Level, Sink
from waldur_slurm.telemetry.lines import as_json, as_text, stamp
from waldur_slurm.telemetry.redaction import Redaction

_PRIORITIES = ((Level.ERROR, 3), (Level.WARNING, 4), (Level.INFO, 6), (0, 7))
_LOGGER = logging.getLogger("waldur_slurm")


class _LineFormatter(logging.Formatter):
    """A record as text or JSON: time, level, event, then the fields."""

    def __init__(self, redact: Redaction, *, is_json: bool, is_journal: bool) -> None:
        super().__init__()
        self._redact = redact
        self._is_json = is_json
        self._is_journal = is_journal

    def format(self, record: logging.LogRecord) -> str:
        line = self._line(record)
        return f"<{_priority(record.levelno)}>{line}" if self._is_journal else line

    def _line(self, record: logging.LogRecord) -> str:
        event: Event | None = getattr(record, "event", None)
        name = event.name if event else "log"
        fields = dict(event.fields) if event else _foreign_fields(record)
        at = stamp(datetime.fromtimestamp(record.created, UTC))
        if self._is_json:
            own = {"at": at, "level": record.levelname.lower(), "event": name}
            more = {key: value for key, value in fields.items() if key not in own}
            return as_json(own | more, self._redact)
        return f"{at} {record.levelname:<7} {name} {as_text(fields, self._redact)}".rstrip()


def _foreign_fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
    if record.exc_info:
        fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return fields


def _priority(level: int) -> int:
    """The level as syslog numbers it, which the journal takes from the start of a line."""
    return next(number for least, number in _PRIORITIES if level >= least)


def start_log(
    stream: TextIO,
    level: Level,
    redact: Redaction,
    *,
    is_json: bool = False,
    is_journal: bool = False,
) -> Sink:
    """Send every log record of the process to `stream`; libraries from WARNING on.

    `is_journal`: each line begins with its priority, as sd-daemon(3) describes.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_LineFormatter(redact, is_json=is_json, is_journal=is_journal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, Level.WARNING))
    _LOGGER.setLevel(level)
    logging.captureWarnings(capture=True)
    return log_event


def log_event(event: Event) -> None:
    """Hand an event to the logging module."""
    _LOGGER.log(event.level, event.name, extra={"event": event})


def is_journal_stream(named: str, stream: TextIO) -> bool:
    """Whether `stream` is the journal's own: systemd names it by device and inode."""
    if not named:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"

"""The third original's collection of monitors, as `mongoexport` writes it. Pure.

That is a record a line, or one array; dates and numbers are plain, or MongoDB's extended JSON in
its first form (`{"$date": 1700000000000}`) or its second (`{"$date": {"$numberLong": "..."}}`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_DECODER = json.JSONDecoder()
_NUMBERS = ("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")
_BETWEEN = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class KeptMonitor:
    """One record, believed as far as its form goes."""

    id: str
    username: str
    job_id: int
    state: str
    task: Mapping[str, Any]
    made: datetime
    updated: datetime | None

    @property
    def uuid(self) -> str:
        return str(self.task["uuid"])


def read_monitors(text: str) -> tuple[list[KeptMonitor], int]:
    """Return the records by their age, and how many are not understood."""
    found: dict[str, KeptMonitor] = {}
    unreadable = 0
    for item in _items(text):
        try:
            record = _record(_plain(item))
        except (KeyError, TypeError, ValueError, OverflowError):
            unreadable += 1
        else:
            found.setdefault(record.id, record)
    return sorted(found.values(), key=lambda record: record.made), unreadable


def _items(text: str) -> Iterator[object]:
    """Yield each record; of a line that is no JSON None is left."""
    at = _next(text, 0)
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            yield None
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            yield from value if isinstance(value, list) else [value]
        at = _next(text, at)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BETWEEN:
        at += 1
    return at


def _plain(value: object) -> Any:
    """Take what extended JSON wraps out of its wrapping."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _NUMBERS:
            return _number(str(inner))
        if name == "$oid":
            return str(inner)
        if name == "$date":
            return _moment(_plain(inner))
    return {name: _plain(each) for name, each in value.items()}


def _number(text: str) -> int | float:
    number = float(text)
    return int(text) if text.lstrip("-").isdecimal() else number


def _moment(value: object) -> datetime:
    """Read milliseconds since the epoch, or ISO 8601; without a zone it is UTC, as MongoDB's is."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    if isinstance(value, datetime):
        return value
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _record(item: Any) -> KeptMonitor:
    task, job_id = item["task"], item["slurm_job_id"]
    if isinstance(job_id, bool) or int(job_id) != float(job_id) or not 0 < int(job_id) < 2**31:
        raise ValueError("no number of a job")
    if not isinstance(task, Mapping) or not isinstance(task["uuid"], str) or not task["uuid"]:
        raise ValueError("no task")
    updated = item.get("updated_at")
    return KeptMonitor(
        id=str(item["_id"]),
        username=str(item["slurm_username"]),
        job_id=int(job_id),
        state=str(item.get("slurm_job_state") or ""),
        task=task,
        made=_moment(item["created_at"]),
        updated=None if updated is None else _moment(updated),
    )

"""The recorded exchanges: what real Masterminds answered, and how an answer is held against one.

An answer agrees when status, kind and headers are the same, every object has the same keys, and
every leaf has the same JSON type and, unless it is named in `FREE`, the same value.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.places import RECORDED

EXCHANGES = tuple(
    RECORDED / "waldur" / f"{name}.jsonl" for name in ("exchanges", "agent-exchanges")
)
"""By a person with a client; and by this agent, with a provider and a customer beside it."""

FREE = frozenset(
    {
        "created",
        "modified",
        "date",
        "start",
        "end",
        "propagation_date",
        "date_joined",
        "consumer_reviewed_at",
        "provider_reviewed_at",
        "order_uuid",
        "modified_by",
        "order_count",
        "resources_count",
        "total_customers",
        "token",
        "cost",
        "old_cost_estimate",
        "new_cost_estimate",
        "role_description",
    }
)
"""Leaves whose value is the moment, a fresh identifier, a count of unrelated things, money, or what
an installation calls its roles."""

FRESH_IN_CREATED = frozenset({"uuid", "url", "marketplace_resource_uuid"})
"""What a created object is called is for the server to choose."""

HOST = re.compile(r"https?://[^/>]+/api/")
PAGING = ("X-Result-Count", "Link", "WWW-Authenticate")


@dataclass(frozen=True)
class Recording:
    id: int
    server: str
    who: str
    method: str
    path: str
    query: str
    body: Any
    status: int
    headers: dict[str, str]
    response: Any
    note: str

    def __str__(self) -> str:
        path = re.sub(r"[0-9a-f]{32}", "U", self.path)
        return f"{self.id}-{self.server}-{self.who}-{self.method}-{path}-{self.status}"

    @property
    def is_cut(self) -> bool:
        """Only the first rows of a list were kept; its headers tell of all of them."""
        return self.note.endswith("cut to its first rows")

    @property
    def collection(self) -> str:
        return self.path.split("/")[0]

    @property
    def uuid(self) -> str:
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else ""

    @property
    def action(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The objects that the answer shows."""
        if self.status >= 300 or self.response == "":
            return []
        return self.response if isinstance(self.response, list) else [self.response]


@dataclass(frozen=True)
class Given:
    """An answer as it came: body parsed where it is JSON, text where it is a page."""

    status: int
    headers: dict[str, str]
    response: Any


def recordings() -> list[Recording]:
    lines = [line for file in EXCHANGES for line in file.read_text().splitlines()]
    return [Recording(**json.loads(line)) for line in lines]


def differences(recording: Recording, given: Given) -> list[str]:
    """Every way in which an answer is not what was recorded; empty when it agrees."""
    if given.status != recording.status:
        return [f"status {given.status}, not {recording.status}: {given.response!r:.300}"]
    found = list(_headers_differ(recording, given))
    response = given.response
    if recording.is_cut and isinstance(response, list):
        response = response[: len(recording.response)]
    free = FREE | (FRESH_IN_CREATED if recording.status == 201 else frozenset())
    return found + list(_differ("", recording.response, response, free))


def _headers_differ(recording: Recording, given: Given) -> Iterator[str]:
    """Paging as the recording shows it; some were taken down without their headers."""
    wanted = recording.headers
    for name in PAGING:
        if name in wanted and _homeless(wanted[name]) != _homeless(given.headers.get(name, "")):
            yield f"header {name}: {given.headers.get(name)!r}, not {wanted[name]!r}"
    kind = wanted.get("Content-Type", "").partition(";")[0]
    if kind and kind != given.headers.get("Content-Type", "").partition(";")[0]:
        yield f"content type {given.headers.get('Content-Type')!r}, not {kind!r}"


def _differ(where: str, wanted: Any, given: Any, free: frozenset[str]) -> Iterator[str]:
    if _kind(wanted) != _kind(given):
        yield f"{where}: {given!r:.80} is {_kind(given)}, not {_kind(wanted)} like {wanted!r:.80}"
    elif isinstance(wanted, dict):
        yield from _objects_differ(where, wanted, given, free)
    elif isinstance(wanted, list):
        if len(wanted) != len(given):
            yield f"{where}: {len(given)} items, not {len(wanted)}"
        for number, (one, other) in enumerate(zip(wanted, given, strict=False)):
            yield from _differ(f"{where}[{number}]", one, other, free)
    elif where.rpartition(".")[2] not in free and _homeless(wanted) != _homeless(given):
        yield f"{where}: {given!r:.120}, not {wanted!r:.120}"


def _objects_differ(
    where: str, wanted: dict[str, Any], given: dict[str, Any], free: frozenset[str]
) -> Iterator[str]:
    for key in wanted.keys() - given.keys():
        yield f"{where}.{key} is missing"
    for key in given.keys() - wanted.keys():
        yield f"{where}.{key} was never recorded"
    for key in wanted.keys() & given.keys():
        yield from _differ(f"{where}.{key}", wanted[key], given[key], free)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    names = {dict: "object", list: "list", str: "string", int: "number", float: "number"}
    return names[type(value)]


def _homeless(value: Any) -> Any:
    """Without the host, which is another one here."""
    return HOST.sub("/api/", value) if isinstance(value, str) else value

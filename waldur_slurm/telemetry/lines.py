"""One record is one line, whatever the values hold; both spellings of it live here."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta

from waldur_slurm.telemetry.redaction import Redaction

LONGEST_TEXT = 4_000

_BARE = re.compile(r"[\w.,/:@+%<>-]+", re.ASCII)


Spelling = Callable[[object], str]
"""How a text, or what is none of JSON's values, is written."""


def as_json(record: Mapping[str, object], redact: Redaction = str) -> str:
    """Write one line of ASCII without any control character."""
    return redact(visible(json.dumps(plain(record, _shortening(redact)))))


def as_text(fields: Mapping[str, object], redact: Redaction = str) -> str:
    """Write `key=value key="two words"`; control and direction marks are escaped."""
    spell = _shortening(redact)
    written = (f"{visible(key)}={_written(plain(value, spell))}" for key, value in fields.items())
    return redact(" ".join(written))


def stamp(moment: datetime) -> str:
    """Write a moment in UTC to the millisecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def plain(value: object, spell: Spelling = str) -> object:
    """Turn a value of ours into what JSON can hold."""
    match value:
        case None | bool() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {spell(key): plain(item, spell) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = [plain(item, spell) for item in value]
            return items if isinstance(value, list | tuple) else sorted(items, key=str)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value), spell)
        case _:
            return spell(value)


def visible(text: str) -> str:
    """Escape whatever would not show, or would show as something else, on a terminal."""
    return "".join(_escaped(text))


def _shortening(redact: Redaction) -> Spelling:
    """A secret is taken out before the text is cut, so that no part of one is left at the end."""

    def spell(value: object) -> str:
        text = redact(str(value))
        if len(text) <= LONGEST_TEXT:
            return text
        return f"{text[:LONGEST_TEXT]}... ({len(text)} in all)"

    return spell


def _written(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ",".join(value)
    if not isinstance(value, str):
        return visible(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if _BARE.fullmatch(value):
        return value
    return visible(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> Iterable[str]:
    for character in text:
        code = ord(character)
        escape = f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
        yield character if character.isprintable() else escape

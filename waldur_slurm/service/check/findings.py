"""One line of `check`: what was looked at, how it is, and what to do about it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be asked, because something before it failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    found: str
    advice: str = ""


_MOST_NAMED = 5


def fine(subject: str, found: str) -> Finding:
    return Finding(subject, Verdict.OK, found)


def warning(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.WARNING, found, advice)


def failed(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.FAILED, found, advice)


def unknown(subject: str, because: str) -> Finding:
    return Finding(subject, Verdict.UNKNOWN, f"not asked: {because}")


def some_of(names: Collection[str]) -> str:
    """The first few names in their order, and how many more there are."""
    more = len(names) - _MOST_NAMED
    shown = ", ".join(sorted(names)[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown

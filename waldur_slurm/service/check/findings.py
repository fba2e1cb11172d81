"""One line of `check`: what was looked at, how it is, and what to do about it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be asked, because something before it failed."""


STYLES: Mapping[str, str] = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "bold red",
    Verdict.UNKNOWN: "dim",
}
"""How a terminal shows them."""


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way, and how a person takes it away; empty where only moving helps."""

    found: str
    cure: str = ""


_MOST_NAMED = 5


def fine(subject: str, found: str) -> Finding:
    return Finding(subject, Verdict.OK, found)


def warning(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.WARNING, found, advice)


def failed(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.FAILED, found, advice)


def unknown(subject: str, because: str) -> Finding:
    return Finding(subject, Verdict.UNKNOWN, f"not asked: {because}")


def is_fit(findings: Iterable[Finding]) -> bool:
    """Whether it can run; warnings do not stop it, and what is unknown is not fit."""
    return all(finding.verdict in (Verdict.OK, Verdict.WARNING) for finding in findings)


def some_of(names: Collection[str]) -> str:
    """The first few names in their order, and how many more there are."""
    more = len(names) - _MOST_NAMED
    shown = ", ".join(sorted(names)[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown

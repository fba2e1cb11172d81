"""One line of `check`: what was looked at, how it is, and what to do about it."""

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


def fine(subject: str, found: str) -> Finding:
    return Finding(subject, Verdict.OK, found)


def warning(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.WARNING, found, advice)


def failed(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Verdict.FAILED, found, advice)


def unknown(subject: str, because: str) -> Finding:
    return Finding(subject, Verdict.UNKNOWN, f"not asked: {because}")

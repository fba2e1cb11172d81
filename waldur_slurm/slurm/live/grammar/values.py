"""Single values as squeue and scontrol print them. What Slurm does not say is None or "". Pure."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.tres import Tres
from waldur_slurm.slurm.grammar.values import parse_integer, parse_tres

_DURATION = re.compile(r"(?:(\d{1,9})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{2})", re.ASCII)
_SIGNED = re.compile(r"-?\d{1,20}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_EXIT = re.compile(r"(\d{1,10})(?::(\d{1,10}))?", re.ASCII)
_NOTHING = frozenset({"", "(null)", "N/A", "n/a", "n/s", "None", "NONE", "Unknown"})
_UNLIMITED = frozenset({"UNLIMITED", "INFINITE", "NOT_SET", "Partition_Limit"})
_NO_VALUE = frozenset({"4294967294", "4294967295"})
"""Slurm's 32-bit numbers for "not set" and "without a limit", where it prints them bare."""


def parse_word(text: str) -> str:
    """Read a word of Slurm's own; a user's text is not read by this."""
    return "" if text in _NOTHING else text


def parse_list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, parse_word(text).split(",")))


def parse_signed(text: str) -> int:
    if _SIGNED.fullmatch(text) is None:
        raise UnparsableOutput(f"not a number: {text[:80]!r}")
    return int(text)


def parse_bound(text: str) -> int | None:
    """Read a number; None where there is none, or no limit."""
    if text in _NOTHING or text in _UNLIMITED or text in _NO_VALUE:
        return None
    return parse_integer(text)


def parse_decimal(text: str) -> float | None:
    if text in _NOTHING:
        return None
    if _DECIMAL.fullmatch(text) is None:
        raise UnparsableOutput(f"not a decimal number: {text[:80]!r}")
    return float(text)


def parse_time(text: str) -> datetime | None:
    """Read seconds since the epoch."""
    if text in _NOTHING or text == "0":
        return None
    try:
        return datetime.fromtimestamp(parse_integer(text), UTC)
    except (OSError, OverflowError, ValueError) as error:
        raise UnparsableOutput(f"not a time: {text[:80]!r}") from error


def parse_known_time(text: str) -> datetime:
    moment = parse_time(text)
    if moment is None:
        raise UnparsableOutput(f"not a time: {text[:80]!r}")
    return moment


def parse_duration(text: str) -> int | None:
    """Read `1-02:03:04` or `3:04` as seconds; None where there is none, or no limit."""
    if text in _NOTHING or text in _UNLIMITED:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not a time span: {text[:80]!r}")
    days, hours, minutes, seconds = match.groups("0")
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)


def parse_known_duration(text: str) -> int:
    seconds = parse_duration(text)
    if seconds is None:
        raise UnparsableOutput(f"not a time span: {text[:80]!r}")
    return seconds


@lru_cache(maxsize=1024)
def parse_exit(text: str) -> ExitCode:
    """Read `3:0`; 22.05 prints the number that `wait` gave instead: 768."""
    match = _EXIT.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not an exit code: {text[:80]!r}")
    first, signal = int(match[1]), match[2]
    return ExitCode(first >> 8, first & 0x7F) if signal is None else ExitCode(first, int(signal))


@lru_cache(maxsize=4096)
def parse_shared_tres(text: str) -> Tres:
    """Fifty thousand jobs are of a few shapes; one copy of each is kept."""
    return MappingProxyType({} if text in _NOTHING else parse_tres(text))


def parse_yes(text: str) -> bool:
    if text not in ("YES", "NO", "yes", "no"):
        raise UnparsableOutput(f"neither yes nor no: {text[:80]!r}")
    return text in ("YES", "yes")

"""How pages say numbers, times and states. Pure.

What is not known is a dash, never a nought.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

NOTHING = "\u2013"

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SIZES = ("MiB", "GiB", "TiB", "PiB")


def duration(seconds: float | None) -> str:
    """Write `3 d 04 h`, `2 h 05 min`, `1 min 10 s`: two places, as nobody reads more."""
    if seconds is None:
        return NOTHING
    whole = int(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY} d {whole % _DAY // _HOUR:02} h"
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole} s"


def size(mebibytes: float | None) -> str:
    if mebibytes is None:
        return NOTHING
    amount, unit = float(mebibytes), 0
    while amount >= 1024 and unit < len(_SIZES) - 1:
        amount, unit = amount / 1024, unit + 1
    return (
        f"{amount:.0f} {_SIZES[unit]}"
        if amount >= 100 or unit == 0
        else (f"{amount:.1f} {_SIZES[unit]}")
    )


def number(value: float | None) -> str:
    """Write thousands apart, by thin blanks."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}".replace(",", "\u202f")


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f} %"


def moment(time: datetime | None) -> str:
    """Write it in UTC; a script, where there is one, says it in the reader's own zone."""
    return NOTHING if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def exact(time: datetime) -> str:
    """Write it for programs."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_TONES: Mapping[str, str] = {
    "pending": "waiting",
    "running": "running",
    "suspended": "paused",
    "unknown": "unknown",
    "success": "good",
    "cancelled": "over",
    "preempted": "over",
}


def tone(phase: str, outcome: str | None) -> str:
    """Return the class of a state's badge: by how it ended, else by where it is."""
    return _TONES.get(outcome or phase, "bad" if outcome else "unknown")


_NODE_TONES: Mapping[str, str] = {
    "idle": "good",
    "allocated": "running",
    "mixed": "running",
    "completing": "running",
    "planned": "waiting",
    "reserved": "waiting",
    "down": "bad",
    "error": "bad",
    "fail": "bad",
}
_OUT = ("drain", "fail", "not_responding", "down", "maintenance", "powered_down", "reboot")


def node_tone(state: str) -> str:
    """Return the class of a node's badge, whose state is like `idle+drain`."""
    base, _, flags = state.lower().partition("+")
    if any(flag.startswith(_OUT) for flag in flags.split("+") if flag):
        return "paused"
    return _NODE_TONES.get(base, "unknown")


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def level(value: float) -> int:
    """Return how full it is, in the original's five steps of 20 %: 0 to 4."""
    return min(int(max(value, 0.0) * 5), 4)


def in_a_cell(value: object) -> object:
    """Write text for a spreadsheet, which takes what begins like a formula for one."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value

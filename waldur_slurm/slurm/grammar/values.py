"""Single values as Slurm prints them, in every form it has; anything else is refused. Pure."""

import re
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.tres import Tres, TresName

_AMOUNT = re.compile(r"(\d{1,20})(\.\d{1,20})?([KMGTPE]?)", re.ASCII)
_STATE = re.compile(r"([A-Z_]+)( by \d+)?", re.ASCII)
_IN_MIB = {
    "": Fraction(1),
    "K": Fraction(1, 1024),
    "M": Fraction(1),
    "G": Fraction(1024),
    "T": Fraction(1024**2),
    "P": Fraction(1024**3),
    "E": Fraction(1024**4),
}
MOST_DIGITS = 20
_NO_TIME = frozenset({"", "0", "Unknown", "None", "N/A"})
_UNLIMITED = frozenset({"-1", "UNLIMITED", "INFINITE", "NONE", "N"})
_NO_LIMIT = _UNLIMITED | {""}
_NO_COUNT = _NO_LIMIT | {"4294967295"}
"""Counts have 32 bits. As an amount of TRES this is a number like any other."""


def parse_count(text: str) -> int | None:
    """Read a limit on a number of jobs; None where there is none."""
    if text.upper() in _NO_COUNT:
        return None
    return parse_integer(text)


def parse_integer(text: str) -> int:
    """Read digits; without a pattern, since a queue has a million of these."""
    if not (text.isdigit() and text.isascii() and len(text) <= MOST_DIGITS):
        raise UnparsableOutput(f"not a number: {text[:80]!r}")
    return int(text)


def parse_tres(text: str) -> dict[TresName, int]:
    """Read `cpu=4,mem=1.5T,gres/gpu:a100=2`; what is said to be unlimited is left out."""
    if text.upper() in _NO_LIMIT:
        return {}
    found: dict[TresName, int | None] = {}
    for item in text.split(","):
        name, separator, amount = item.partition("=")
        if not name or not separator:
            raise UnparsableOutput(f"not a TRES with its amount: {item!r} in {text!r}")
        tres = TresName(name)
        if tres in found:
            raise UnparsableOutput(f"{name} twice in {text!r}")
        found[tres] = None if amount.upper() in _UNLIMITED else parse_amount(tres, amount)
    return {tres: amount for tres, amount in found.items() if amount is not None}


def parse_amount(tres: TresName, text: str) -> int:
    """Read an amount in the unit Slurm counts `tres` in. Only memory-like TRES carry suffixes."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not an amount of {tres}: {text!r}")
    whole, part, suffix = match.groups()
    if not is_counted_in_mib(tres):
        if part or suffix:
            raise UnparsableOutput(f"{tres} is counted in pieces, yet Slurm says {text!r}")
        return int(whole)
    exact = Fraction(whole + (part or "")) * _IN_MIB[suffix]
    if exact.denominator != 1:
        raise UnparsableOutput(f"not a whole number of MiB: {text!r}")
    return int(exact)


def is_counted_in_mib(tres: str) -> bool:
    return tres in ("mem", "vmem") or tres.startswith("bb/")


def is_rounded(text: str) -> bool:
    """Say whether sacctmgr may have shortened an amount in this TRES list.

    It prints 1572864 and 1573376 MiB both as `1.50T`, and 2**40 MiB as `1?`.
    """
    return "." in text or "?" in text


def format_tres(amounts: Tres) -> str:
    """Write amounts for Slurm as plain integers."""
    return ",".join(f"{tres}={amounts[tres]}" for tres in sorted(amounts))


def format_elapsed(seconds: int) -> str:
    """Write `1-02:03:04`, without the day where there is none."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    return f"{days}-{clock}" if days else clock


def parse_moment(text: str) -> datetime | None:
    """Read a time that was asked for as seconds since the epoch; None where Slurm has none."""
    if text in _NO_TIME:
        return None
    try:
        return datetime.fromtimestamp(parse_integer(text), UTC)
    except (OSError, OverflowError, ValueError) as error:
        raise UnparsableOutput(f"not a time: {text!r}") from error


def parse_known_moment(text: str) -> datetime:
    moment = parse_moment(text)
    if moment is None:
        raise UnparsableOutput(f"not a time: {text!r}")
    return moment


@lru_cache(maxsize=256)
def parse_state(text: str) -> str:
    """Cut `CANCELLED by 1000` down to the state itself."""
    match = _STATE.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not a job state: {text!r}")
    return match[1]

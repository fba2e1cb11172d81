"""Readers of values: text in, typed value out, or a `ValueError` that says what was expected.

The words of the error follow "expected"; they never repeat what was found. Pure.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waldur_slurm.errors import InvalidName
from waldur_slurm.variables.variable import Reader, Secret

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

_DURATION = re.compile(r"(\d{1,9})\s*([smhd]?)", re.ASCII)
_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)\s*%", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def flag(text: str) -> bool:
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def one_of(choices: type[Choice]) -> Reader[Choice]:
    def read(text: str) -> Choice:
        try:
            return choices(text.lower())
        except ValueError:
            raise ValueError(" or ".join(choice.value for choice in choices)) from None

    return read


def whole(minimum: int, maximum: int) -> Reader[int]:
    def read(text: str) -> int:
        if re.fullmatch(r"\d{1,18}", text, re.ASCII) and minimum <= int(text) <= maximum:
            return int(text)
        raise ValueError(f"a whole number from {minimum} to {maximum}")

    return read


def duration(minimum: timedelta = timedelta(0)) -> Reader[timedelta]:
    """Read `90`, `90s`, `15m`, `24h` or `2d`."""

    def read(text: str) -> timedelta:
        match = _DURATION.fullmatch(text)
        if match:
            value = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
            if value >= minimum:
                return value
        least = f" of at least {minimum.total_seconds():g} s" if minimum else ""
        raise ValueError(f"a time{least} such as 90, 90s, 15m or 24h")

    return read


def percentage(text: str) -> Fraction:
    """Read `5%` as a twentieth."""
    match = _PERCENTAGE.fullmatch(text)
    if match and Decimal(match[1]) <= 100:
        return Fraction(match[1]) / 100
    raise ValueError("a percentage from 0% to 100% such as 5%")


def token(text: str) -> Secret:
    if re.fullmatch(r"[\x21-\x7e]{1,4096}", text):
        return Secret(text)
    raise ValueError("a token: printable ASCII without blanks")


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/Tallinn") from None


def named(accept: Callable[[str], T]) -> Reader[T]:
    """Turn a constructor of names into a reader."""

    def read(text: str) -> T:
        try:
            return accept(text)
        except InvalidName as error:
            raise ValueError(f"a name that Slurm takes: {error}") from None

    return read


def listing(read_one: Reader[T]) -> Reader[frozenset[T]]:
    """Read names separated by commas or blanks."""

    def read(text: str) -> frozenset[T]:
        return frozenset(read_one(item) for item in re.split(r"[,\s]+", text) if item)

    return read

"""Readers of values: text in, typed value out, or a `ValueError` that says what was expected.

The words of the error follow "expected"; they never repeat what was found.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waldur_slurm.agent.pull.world.policy import AccountDefaults, Allowance
from waldur_slurm.agent.settings.variable import Reader, Secret
from waldur_slurm.errors import InvalidName

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


def allowance(text: str) -> Allowance:
    """Read `10,10%`, `10` or `10%`."""
    parts = [part.strip() for part in text.split(",")]
    number = [part for part in parts if re.fullmatch(r"\d{1,9}", part, re.ASCII)]
    share = [part for part in parts if part.endswith("%")]
    if len(number) > 1 or len(share) > 1 or len(number) + len(share) != len(parts):
        raise ValueError("a number, a percentage, or both, such as 10,10%")
    return Allowance(
        int(number[0]) if number else 0, percentage(share[0]) if share else Fraction(0)
    )


def account_defaults(text: str) -> AccountDefaults:
    """Read `fairshare=10 qos=normal,long defaultqos=normal`, or a part of it."""
    given = dict(part.partition("=")[::2] for part in text.split())
    qos = tuple(name for name in given.pop("qos", "").split(",") if name)
    found = AccountDefaults(given.pop("fairshare", ""), qos, given.pop("defaultqos", ""))
    names = (*qos, found.default_qos, found.fairshare)
    if given or not all(re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", name, re.ASCII) for name in names):
        raise ValueError("fairshare=..., qos=..., defaultqos=..., separated by blanks")
    return found


def qos_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", text, re.ASCII):
        return text
    raise ValueError("the name of a QoS")


def base_url(text: str) -> str:
    """Read an http(s) address; it comes back with a slash at its end."""
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or "@" in parts.netloc or re.search(r"[?#\s]", text):
        raise ValueError("an address such as https://waldur.example.com/api/")
    return f"{text.rstrip('/')}/"


def sentry_dsn(text: str) -> Secret:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.username and parts.hostname:
        return Secret(text)
    raise ValueError("Sentry's Data Source Name such as https://KEY@sentry.example.com/1")


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address(text: str) -> Address:
    """Read `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`; a host must be named."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})", text, re.ASCII)
    if match and 1 <= int(match[3]) <= 65_535:
        return Address(match[1] or match[2], int(match[3]))
    raise ValueError("a host and a port such as 127.0.0.1:9464")


def token(text: str) -> Secret:
    if re.fullmatch(r"[\x21-\x7e]{1,4096}", text):
        return Secret(text)
    raise ValueError("a token: printable ASCII without blanks")


def uuid(text: str) -> str:
    """Read a UUID with or without dashes; Waldur writes it without."""
    bare = text.replace("-", "").lower()
    if re.fullmatch(r"[0-9a-f]{32}", bare):
        return bare
    raise ValueError("a UUID of 32 hexadecimal digits, as in the address of Waldur's page")


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/Tallinn") from None


def path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("a path")
    return Path(text)


def container(text: str) -> str:
    """Read a Docker container's name or id; nothing that the command line could misread."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", text):
        return text
    raise ValueError("the name of a running container")


def named(accept: Callable[[str], T]) -> Reader[T]:
    """Turn a constructor of names into a reader."""

    def read(text: str) -> T:
        try:
            return accept(text)
        except InvalidName as error:
            raise ValueError(f"a name that Slurm takes: {error}") from None

    return read


def account_prefix(text: str) -> str:
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,31}", text.lower(), re.ASCII):
        return text.lower()
    raise ValueError("up to 32 lower-case letters, digits, '_', '-' or '.'")


def listing(read_one: Reader[T]) -> Reader[frozenset[T]]:
    """Read names separated by commas or blanks."""

    def read(text: str) -> frozenset[T]:
        return frozenset(read_one(item) for item in re.split(r"[,\s]+", text) if item)

    return read

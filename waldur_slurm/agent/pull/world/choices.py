"""What a site may choose for pull beyond flags and numbers, and how it writes it. Pure.

A value's own text is what its reader reads back as the same value.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from waldur_slurm.errors import InvalidName
from waldur_slurm.slurm.accounting.grammar.border import check_fairshare, check_qos
from waldur_slurm.variables.readers import percentage
from waldur_slurm.variables.spelling import percent


class Naming(StrEnum):
    """Which of Waldur's identifiers new accounts are called after."""

    UUID = "uuid"
    SLUG = "slug"


class JobPolicy(StrEnum):
    """What becomes of jobs in the way: pending ones are always cancelled, running ones may end."""

    DRAIN = "drain"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A number and a share of what is managed; the larger of the two counts."""

    number: int
    share: Fraction

    def among(self, managed: int) -> int:
        return max(self.number, int(self.share * managed))

    def __str__(self) -> str:
        return f"{self.number},{percent(self.share)}"


@dataclass(frozen=True, slots=True)
class AccountDefaults:
    """What a new allocation account gets once, at its creation."""

    fairshare: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""

    def __str__(self) -> str:
        given = (
            ("fairshare", self.fairshare),
            ("qos", ",".join(self.qos)),
            ("defaultqos", self.default_qos),
        )
        return " ".join(f"{name}={text}" for name, text in given if text)


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
    try:
        check_fairshare(found.fairshare)
        check_qos(qos, found.default_qos)
    except InvalidName as error:
        raise ValueError(f"what Slurm takes: {error}") from None
    if given:
        raise ValueError("fairshare=..., qos=..., defaultqos=..., separated by blanks")
    return found


def qos_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", text, re.ASCII):
        return text
    raise ValueError("the name of a QoS")


def account_prefix(text: str) -> str:
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,31}", text.lower(), re.ASCII):
        return text.lower()
    raise ValueError("up to 32 lower-case letters, digits, '_', '-' or '.'")

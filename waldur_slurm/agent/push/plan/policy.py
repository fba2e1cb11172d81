"""What a site allows and wants of the push direction."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from waldur_slurm.agent.model.usage import Basis

UTC_ZONE = ZoneInfo("UTC")


class LimitsReported(StrEnum):
    """What becomes of a limit that Slurm enforces and Waldur does not hold."""

    REPORTED = "true"
    SHOWN = "report-only"
    IGNORED = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPolicy:
    """`max_decrease` is the part of a reported amount by which it may fall by itself.

    A month that has ended is measured again for `closing_days`: records may arrive late.
    """

    zone: ZoneInfo = UTC_ZONE
    basis: Basis = Basis.ALLOCATED
    limits: LimitsReported = LimitsReported.REPORTED
    max_decrease: Fraction = Fraction(1, 20)
    closing_days: int = 7
    margin: timedelta = timedelta(minutes=5)
    """How far from a month's edge usage may be sent that carries no date."""
    greatest_clock_difference: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person allowed for one cycle."""

    allow_decrease: bool = False


NO_CONSENT = Consent()

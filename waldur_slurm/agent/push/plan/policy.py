"""What a site allows and wants of the push direction, each with the variable that says it. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.variables.readers import one_of, percentage, whole, zone
from waldur_slurm.variables.variable import variable


class LimitsReported(StrEnum):
    """What becomes of a limit that Slurm enforces and Waldur does not hold."""

    REPORTED = "true"
    SHOWN = "report-only"
    IGNORED = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPolicy:
    limits: LimitsReported = variable(
        "PUSH_LIMITS",
        one_of(LimitsReported),
        "whether push reports the limits that Slurm enforces to Waldur, or only shows where they"
        " differ (`report-only`)",
        "true",
    )
    basis: Basis = variable(
        "SLURM_USAGE_BASIS",
        one_of(Basis),
        "what counts as used: what a job was allocated (`alloc`), what it asked for (`req`), or"
        " Slurm's own weighting (`billing`)",
        "alloc",
    )
    zone: ZoneInfo = variable(
        "BILLING_TIMEZONE", zone, "the zone in which a billing month begins and ends", "UTC"
    )
    max_decrease: Fraction = variable(
        "PUSH_MAX_DECREASE",
        percentage,
        "by how much of an account's month reported usage may fall in a day without"
        " `once --allow-decrease`",
        "5%",
    )
    closing_days: int = variable(
        "PUSH_CLOSING_DAYS",
        whole(1, 28),
        "for how many days a month that has ended is measured again: records may arrive late",
        "7",
    )

    margin: timedelta = timedelta(minutes=5)
    """How far from a month's edge usage may be sent that carries no date."""
    greatest_clock_difference: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person allowed for one cycle."""

    allow_decrease: bool = False
    repair_erred: bool = False


NO_CONSENT = Consent()

"""The offering's components: which TRES is sold, in which unit, and how it is accounted.

The one place where Waldur's units and Slurm's TRES-minutes are turned into each other.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NewType

from waldur_slurm.model.tres import TresName

ComponentType = NewType("ComponentType", str)


class AccountingType(StrEnum):
    """How Waldur bills a component."""

    USAGE = "usage"
    LIMIT = "limit"


class NotOrdered(StrEnum):
    """What a `limit` component means that an order does not name."""

    UNLIMITED = "unlimited"
    ZERO = "zero"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One entry of the TRES file. `unit_factor` is TRES-minutes in one Waldur unit."""

    tres: TresName
    type: ComponentType
    label: str
    measured_unit: str
    accounting_type: AccountingType
    limit: int
    unit_factor: Decimal = Decimal(1)
    limit_period: str | None = None
    description: str = ""
    article_code: str = ""
    min_value: int | None = None
    max_value: int | None = None
    when_not_ordered: NotOrdered = NotOrdered.UNLIMITED

    def to_tres_minutes(self, units: int) -> int:
        """Waldur units as Slurm's limit; a part of a TRES-minute is a `ValueError`."""
        minutes = units * self.unit_factor
        if minutes != minutes.to_integral_value():
            raise ValueError(f"{units} {self.measured_unit} are {minutes} TRES-minutes")
        return int(minutes)

    def to_whole_units(self, tres_minutes: int) -> int | None:
        """Slurm's limit as whole Waldur units, or None where it is not a whole number of them."""
        units = Fraction(tres_minutes) / Fraction(self.unit_factor)
        return int(units) if units.denominator == 1 else None

    def to_usage(self, tres_seconds: int) -> Decimal:
        """Measured TRES-seconds as Waldur takes usage: two decimals, rounded once, half up."""
        exact = Fraction(tres_seconds, 60) / Fraction(self.unit_factor)
        cents = (exact * 100 + Fraction(1, 2)) // 1
        return Decimal(int(cents)).scaleb(-2)

"""Values as an operator would write them: what a reader reads back as the same value. Pure.

A value of a product's own has its spelling as its text, `str(value)`.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction


def spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return f"{value.total_seconds():g}s"
        case tuple() if not hasattr(value, "_fields"):
            return ",".join(map(str, value))
        case frozenset():
            return ",".join(sorted(value))
        case Fraction():
            return percent(value)
        case _:
            return str(value)


def percent(share: Fraction) -> str:
    return f"{(Decimal(share.numerator) * 100 / share.denominator).normalize():f}%"

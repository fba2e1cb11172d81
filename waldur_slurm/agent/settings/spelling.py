"""Values as an operator would write them: what a reader reads back as the same value."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from waldur_slurm.agent.pull.world.policy import AccountDefaults, Allowance


def spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return f"{value.total_seconds():g}s"
        case frozenset():
            return ",".join(sorted(value))
        case Fraction():
            return _percent(value)
        case Allowance():
            return f"{value.number},{_percent(value.share)}"
        case AccountDefaults():
            return _account_defaults(value)
        case _:
            return str(value)


def _percent(share: Fraction) -> str:
    return f"{(Decimal(share.numerator) * 100 / share.denominator).normalize():f}%"


def _account_defaults(value: AccountDefaults) -> str:
    given = (
        ("fairshare", value.fairshare),
        ("qos", ",".join(value.qos)),
        ("defaultqos", value.default_qos),
    )
    return " ".join(f"{name}={text}" for name, text in given if text)

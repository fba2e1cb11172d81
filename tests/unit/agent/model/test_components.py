"""Waldur units and TRES-minutes: exact both ways."""

from dataclasses import replace
from decimal import Decimal

import pytest

from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.model.tres import TresName

K_HOURS = Component(
    tres=TresName("cpu"),
    type=ComponentType("cpu"),
    label="CPU",
    measured_unit="k-Hours",
    accounting_type=AccountingType.USAGE,
    limit=16,
    unit_factor=Decimal(60000),
)
RAW = replace(K_HOURS, unit_factor=Decimal(1), measured_unit="minutes")


def test_a_thousand_hours_are_sixty_thousand_minutes() -> None:
    assert K_HOURS.to_tres_minutes(16) == 960_000


def test_without_a_factor_a_unit_is_a_minute() -> None:
    assert RAW.to_tres_minutes(16000) == 16000
    assert RAW.to_whole_units(16000) == 16000


def test_a_limit_of_nought_stays_nought() -> None:
    assert K_HOURS.to_tres_minutes(0) == 0
    assert K_HOURS.to_whole_units(0) == 0


def test_a_part_of_a_minute_is_refused() -> None:
    third = replace(K_HOURS, unit_factor=Decimal("0.3"))
    assert third.to_tres_minutes(10) == 3
    with pytest.raises(ValueError, match="TRES-minutes"):
        third.to_tres_minutes(1)


def test_minutes_that_are_no_whole_units_have_no_units() -> None:
    assert K_HOURS.to_whole_units(60_000) == 1
    assert K_HOURS.to_whole_units(60_001) is None


@pytest.mark.parametrize(
    ("seconds", "usage"),
    [
        (0, "0.00"),
        (3_600_000, "1.00"),
        (17_999, "0.00"),
        (18_000, "0.01"),
        (53_999, "0.01"),
        (54_000, "0.02"),
    ],
)
def test_usage_is_rounded_once_half_up(seconds: int, usage: str) -> None:
    assert str(K_HOURS.to_usage(seconds)) == usage


def test_usage_is_exact_where_floats_are_not() -> None:
    assert RAW.to_usage(60 * (2**60 + 1)) == Decimal(2**60 + 1)

"""Which limits Waldur cannot book, because the plan has no price for them."""

from dataclasses import replace

import pytest

from tests.fakes.waldur_ledger import default_offering
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, OfferedPlan, Offering
from waldur_slurm.agent.model.prices import unpriced

CPU, GPU = ComponentType("cpu"), ComponentType("gres/gpu")

STANDARD = OfferedPlan("01", "Standard", frozenset())


def offering(*plans: OfferedPlan, period: str | None = None) -> Offering:
    """It sells `cpu` by usage and `gres/gpu` by limit."""
    made = default_offering()
    components = tuple(replace(each, limit_period=period) for each in made.components)
    return replace(made, components=components, plans=plans)


@pytest.mark.parametrize("dialect", [Dialect.CLASSIC, Dialect.TRANSITION])
@pytest.mark.parametrize("period", [None, "month", "total"])
def test_older_waldurs_need_a_price_for_whatever_is_limited(
    dialect: Dialect, period: str | None
) -> None:
    assert list(unpriced(offering(STANDARD, period=period), dialect)) == [(STANDARD, (GPU,))]


@pytest.mark.parametrize(
    ("period", "lacking"), [(None, []), ("month", []), ("total", [(STANDARD, (GPU,))])]
)
def test_todays_waldur_needs_one_for_limits_for_life_only(
    period: str | None, lacking: list[tuple[OfferedPlan, tuple[ComponentType, ...]]]
) -> None:
    assert list(unpriced(offering(STANDARD, period=period), Dialect.TODAY)) == lacking


def test_a_plan_with_prices_lacks_nothing_and_one_that_nobody_has_does_not_matter() -> None:
    priced = OfferedPlan("02", "Priced", frozenset({GPU}))
    archived = replace(STANDARD, is_used=False)

    assert list(unpriced(offering(priced, archived), Dialect.CLASSIC)) == []

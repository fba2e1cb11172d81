"""What one more costs is the slope of a straight line."""

import pytest

from benchmarks.gateway.endurance import growth_of
from benchmarks.gateway.slopes import growth_row, slope_of


def test_a_beginning_costs_nothing_of_one_more() -> None:
    assert slope_of([(10, 105.0), (20, 110.0), (40, 120.0)]) == pytest.approx(0.5)


def test_one_size_alone_has_no_slope() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        slope_of([(10, 1.0), (10, 2.0)])


def test_the_row_says_the_sizes_and_counts_in_its_own_unit() -> None:
    row = growth_row("one more job", "us", [(2500, 0.1), (5000, 0.2), (10_000, 0.4)], 1e6)

    assert row.name == "gateway growth: one more job (2,500, 5,000, 10,000)"
    assert row.figure == pytest.approx(40)


def test_memory_that_comes_and_goes_has_not_grown() -> None:
    assert growth_of([(1, 80.0), (2, 82.0), (3, 78.0), (4, 80.0)]) == pytest.approx(0, abs=2)
    assert growth_of([(100, 80.0), (200, 85.0), (300, 90.0)]) == pytest.approx(10)

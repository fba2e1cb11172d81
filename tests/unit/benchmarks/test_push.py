"""A floor is only one if the slices that it is made of are the month, each part once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from benchmarks.push import NotTheMonth, check_tiles
from waldur_slurm.model.period import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = Window(START, START + timedelta(days=28))


def days(*edges: int) -> list[Window]:
    moments = [START + timedelta(days=edge) for edge in edges]
    return [Window(first, last) for first, last in pairwise(moments)]


def test_slices_in_any_order_may_be_the_month() -> None:
    check_tiles([*days(27, 28), *days(0, 1, 27)], MONTH)


@pytest.mark.parametrize(
    "windows",
    [
        pytest.param([*days(0, 1, 28), *days(1, 2)], id="a day twice"),
        pytest.param([*days(0, 1), *days(2, 28)], id="a day left out"),
        pytest.param(days(1, 28), id="not from the beginning"),
        pytest.param(days(0, 27), id="not to the end"),
    ],
)
def test_anything_else_is_refused(windows: list[Window]) -> None:
    with pytest.raises(NotTheMonth):
        check_tiles(windows, MONTH)

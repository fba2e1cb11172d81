"""A batch that is refused whole is halved until the refused rows are known."""

from collections.abc import Mapping
from decimal import Decimal
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.waldur.dialects.halving import BATCH, taken_apart

names = st.sets(st.text("abcdefgh", min_size=1, max_size=4), max_size=40)


class Taker:
    """Takes a batch whole, or refuses it whole for one row in it."""

    def __init__(self, refused: set[str]) -> None:
        self.refused = refused
        self.taken: dict[str, Decimal] = {}
        self.batches: list[int] = []

    def __call__(self, batch: Mapping[str, Decimal]) -> None:
        self.batches.append(len(batch))
        if self.refused & batch.keys():
            raise WaldurRejected("POST users/", 400, "Unknown offering user.")
        self.taken |= batch


@given(names, names)
def test_all_but_the_refused_are_taken_and_the_refused_are_named(
    known: set[str], refused: set[str]
) -> None:
    taker = Taker(refused)
    amounts = dict.fromkeys(known | refused, Decimal(1))
    told = taken_apart(taker, amounts)
    assert told == dict.fromkeys(refused, "Unknown offering user.")
    assert taker.taken.keys() == known - refused


def test_large_batches_are_cut_and_one_bad_row_costs_few_requests() -> None:
    people = {f"user{number}": Decimal(1) for number in range(2 * BATCH)}
    taker = Taker({"user77"})
    assert set(taken_apart(taker, people)) == {"user77"}
    assert max(taker.batches) == BATCH
    assert len(taker.batches) <= 2 + 2 * (int(log2(BATCH)) + 1)


def test_nobody_needs_no_request() -> None:
    taker = Taker(set())
    assert taken_apart(taker, {}) == {}
    assert taker.batches == []


@pytest.mark.parametrize(
    "error", [WaldurRejected("POST users/", 403, "no"), WaldurUnreachable("down")]
)
def test_what_is_not_about_rows_is_not_taken_apart(error: Exception) -> None:
    def refuse(_: Mapping[str, Decimal]) -> None:
        raise error

    with pytest.raises(type(error)):
        taken_apart(refuse, {"a": Decimal(1), "b": Decimal(2)})

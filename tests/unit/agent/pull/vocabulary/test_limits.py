"""From an order to what Slurm enforces: exact, or refused for that order alone."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.pull import COMPONENTS
from waldur_slurm.agent.model.components import NotOrdered
from waldur_slurm.agent.pull.vocabulary.limits import (
    Unusable,
    held_limits,
    limit_change,
    lowers,
    wanted_limits,
)
from waldur_slurm.model.tres import Tres, TresName, tres_name

CPU, GPU, MEM = (tres_name(name) for name in ("cpu", "gres/gpu", "mem"))
BY_USAGE, BY_ORDER, _ = COMPONENTS
amounts = st.dictionaries(st.sampled_from([CPU, GPU, MEM]), st.integers(0, 5))


def test_usage_components_come_from_the_file_and_limits_from_the_order() -> None:
    assert wanted_limits(COMPONENTS, {"gpu": 2, "mem": 3}) == {
        CPU: 16 * 60000,
        GPU: 120,
        MEM: 3 * 61440,
    }


def test_the_unit_factor_is_exact() -> None:
    component = replace(BY_ORDER, unit_factor=Decimal("0.1"))

    assert wanted_limits([component], {"gpu": 30}) == {GPU: 3}
    assert isinstance(wanted_limits([component], {"gpu": 3}), Unusable)


@pytest.mark.parametrize(
    ("when", "expected"), [(NotOrdered.UNLIMITED, {}), (NotOrdered.ZERO, {GPU: 0})]
)
def test_what_is_not_ordered_is_as_the_file_says(when: NotOrdered, expected: Tres) -> None:
    assert wanted_limits([replace(BY_ORDER, when_not_ordered=when)], {}) == expected


def test_what_must_be_ordered_and_is_not_is_refused() -> None:
    refused = wanted_limits([replace(BY_ORDER, when_not_ordered=NotOrdered.REFUSE)], {})

    assert refused == Unusable("The order must say how much GPU it is for.")


@pytest.mark.parametrize(
    "absurd",
    [-1, 1.5, True, None, "7", "cpu=5", [], {}, 10**400, float("inf"), float("nan"), 10**17],
)
def test_absurd_limits_are_refused_in_words_for_the_customer(absurd: object) -> None:
    refused = wanted_limits(COMPONENTS, {"gpu": absurd})

    assert isinstance(refused, Unusable)
    assert refused.reason.startswith("The limit of GPU")


def test_what_is_ordered_and_not_sold_is_refused_by_its_name() -> None:
    refused = wanted_limits([BY_ORDER], {"gpu": 1, "gqu": 3})

    assert refused == Unusable("This offering does not sell 'gqu'.")


def test_what_waldur_holds_of_something_not_sold_any_more_says_nothing() -> None:
    assert held_limits([BY_ORDER], {"gpu": 1.0, "storage": "a lot"}) == {GPU: 60}


@given(wanted=amounts, found=amounts, ours=st.sets(st.sampled_from([CPU, GPU, MEM])))
def test_a_change_leads_to_what_is_wanted_and_leaves_what_is_not_ours(
    wanted: Tres, found: Tres, ours: set[TresName]
) -> None:
    change = dict(limit_change(wanted, found, ours))
    merged = {**found, **change}
    after = {tres: amount for tres, amount in merged.items() if amount is not None}

    assert all(after[tres] == amount for tres, amount in wanted.items())
    foreign = {t: n for t, n in found.items() if t not in ours and t not in wanted}
    assert {t: n for t, n in after.items() if t not in wanted} == foreign
    assert all(found.get(tres) != amount for tres, amount in change.items())


def test_taking_away_is_known_from_giving() -> None:
    assert lowers(((GPU, 1),), {GPU: 2})
    assert lowers(((GPU, 1),), {})
    assert not lowers(((GPU, 3),), {GPU: 2})
    assert not lowers(((GPU, None),), {GPU: 2})

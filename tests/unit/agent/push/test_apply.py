"""Each resource's trouble is its own, and what was told is remembered at once."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.waldur import FakeMarketplace
from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    GPU,
    HOUR,
    NOON,
    NOVEMBER,
    OCTOBER,
    Altered,
    Site,
    debts,
    with_two_rows,
)
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import HeldUsage, Resource, ResourceState
from waldur_slurm.model.period import Month


class Killed(BaseException):
    """The program is gone in the middle of what it did."""


def test_what_waldur_refuses_for_a_closed_month_keeps_nothing_else_back(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", gpu=5)
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE + HOUR, gpu=1)
    today.waldur.refuses_past_months = False
    today.waldur.fail_next("tell_usage", WaldurRejected("set usage", 400, "no"))
    today.waldur.fail_next("tell_usage", WaldurRejected("set usage", 400, "no"))
    today.move_to(EDGE + 2 * HOUR)

    today.cycle().run()

    assert today.held(alpha, CPU, NOVEMBER) == Decimal("1.00")
    assert {(m, c) for m, c, _ in debts(today)} == {(OCTOBER, CPU), (OCTOBER, GPU)}


def test_killed_right_after_calling_it_erred_it_still_knows_that_it_did(today: Site) -> None:
    for number in range(3):
        today.allocation(f"other{number}")
    alpha = today.allocation("alpha", "ann")
    today.drop_account("alpha")
    cycle = today.cycle()
    err = today.waldur.tell_resource_erred

    def err_and_die(resource: Resource, message: str) -> None:
        err(resource, message)
        raise Killed

    cycle.marketplace = Altered(today.waldur, tell_resource_erred=err_and_die)
    with pytest.raises(Killed):
        cycle.run()
    today.account("alpha", "ann")

    today.cycle().run()

    assert today.state_of(alpha) is ResourceState.OK


def test_a_limit_that_was_ordered_meanwhile_is_not_overwritten(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", gpu=5)
    today.account("alpha", "ann", gpu=9)
    cycle = today.cycle()
    read = today.waldur.read_offering_users

    def order_and_read() -> object:
        today.waldur._change(alpha, limits={GPU: 20})
        return read()

    cycle.marketplace = Altered(today.waldur, read_offering_users=order_and_read)
    cycle.run()

    assert today.waldur.resources[alpha.uuid].limits == {GPU: 20}


def test_rows_that_became_two_meanwhile_get_no_people(site: Site) -> None:
    """The plan was made from one row; which of two a person's usage belongs to is not known."""
    alpha = with_two_rows(site, "1.00", "2.00")
    (other,) = site.waldur.usages_in_other_plans
    site.waldur.usages_in_other_plans.clear()
    cycle = site.cycle()
    tell = site.waldur.tell_usage

    def tell_and_split(*told: Any, **more: Any) -> None:
        tell(*told, **more)
        site.waldur.usages_in_other_plans.append(other)

    cycle.marketplace = Altered(site.waldur, tell_usage=tell_and_split)
    cycle.run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held_by(alpha, "ann") is None


def test_a_refused_report_is_that_allocations_trouble_alone(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)
    site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")
    assert [failure.step.resource.backend_id for failure in report.failures] == ["alpha"]


class ForgetfulWaldur:
    """Lists no usage any more, once some has been told."""

    def __init__(self, waldur: FakeMarketplace) -> None:
        self._waldur = waldur

    def __getattr__(self, name: str) -> Any:
        return getattr(self._waldur, name)

    def read_usages(self, month: Month) -> tuple[HeldUsage, ...]:
        return () if self._waldur.written("tell_usage") else self._waldur.read_usages(month)


def test_an_allocation_is_not_erred_while_waldur_does_not_list_what_it_was_told(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    for name in ("beta", "gamma"):
        site.allocation(name, "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.drop_account("alpha")
    cycle = site.cycle()
    cycle.marketplace = ForgetfulWaldur(site.waldur)

    report = cycle.run()

    assert [failure.error.transient for failure in report.failures] == [True]
    assert site.state_of(alpha) is ResourceState.OK
    site.cycle().run()
    assert site.held_by(alpha, "ann") == Decimal("2.00")
    assert site.state_of(alpha) is ResourceState.ERRED


def test_a_waldur_that_stays_silent_is_left_alone_after_a_few_tries(site: Site) -> None:
    for number in range(9):
        site.allocation(f"a{number}", "ann")
        site.job(f"a{number}", "ann", NOON - 3 * HOUR, NOON - HOUR)
    for _ in range(9):
        site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))

    report = site.cycle().run()

    assert len(report.failures) == 3

"""Where servers of today differ, the adapter before each kind: tokens, bounds, pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sandbox.waldur import Waldur
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.model.period import Month

CPU = ComponentType("cpu")
NOVEMBER = Month(2026, 11)
TWELVE = datetime(2026, 11, 20, 12, tzinfo=UTC)

Serve = Callable[[Waldur, str], ServedSite]


@pytest.fixture
def today(start_waldur: StartWaldur) -> Waldur:
    waldur = start_waldur("today", allocation_delay=0.0)
    waldur.set_clock(TWELVE)
    return waldur


@contextmanager
def served(waldur: Waldur, token: str = "") -> Iterator[ServedSite]:
    site = ServedSite(waldur, token)
    yield site
    site.close()


def made(waldur: Waldur, members: int = 0) -> Resource:
    with served(waldur) as site:
        project = site.make_project()
        for number in range(members):
            site.add_member(project, f"user{number}")
        return site.market.read_resource(serve_create(site, project, {"cpu": 5}))


def test_a_personal_access_token_serves_as_well_as_any(today: Waldur) -> None:
    with served(today, today.make_personal_token()) as site:
        assert site.market.read_offering().uuid == today.offering_uuid


def test_a_manager_reports_the_running_month_and_sends_no_date(today: Waldur) -> None:
    resource = made(today)
    with served(today, today.tokens.manager) as site:
        site.market.tell_usage(resource, {CPU: Decimal("2.00")})
        with pytest.raises(WaldurRejected, match="Only staff users and service providers"):
            site.market.tell_usage(resource, {CPU: Decimal("3.00")}, on=TWELVE)
    assert [row["usage"] for row in today.usages(resource.uuid)] == ["2.00"]


def test_a_bound_of_half_a_unit_is_a_bound_like_any_other(today: Waldur) -> None:
    today.set_trait("fractional_bounds")
    [found] = [one for one in today.components() if one["type"] == "cpu"]
    today.change("components", found["uuid"], limit_amount=99.5, min_value=0.5)
    with served(today) as site:
        [cpu] = [one for one in site.market.read_offering().components if one.type == CPU]
    assert (cpu.limit_amount, cpu.min_value) == (99.5, 0.5)


def test_members_who_change_places_between_pages_leave_nobody_out(today: Waldur) -> None:
    """Rows of one moment come in another order on each page: some twice, and so others never."""
    today.set_trait("unordered_memberships")
    resource = made(today, members=310)
    with today.store.transaction():
        today.store.run("UPDATE roles SET created = '2026-11-20T12:00:00.000000Z'")
    with served(today) as site, pytest.raises(WaldurUnreachable, match="the same row twice"):
        site.market.read_members([resource])
    today.set_trait("unordered_memberships", False)
    with served(today) as site:
        assert len(site.market.read_members([resource])[resource.uuid]) == 310


def test_a_month_of_two_plans_is_one_total_only_where_its_rows_say_so(today: Waldur) -> None:
    resource = made(today)
    with served(today) as site:
        site.market.tell_usage(resource, {CPU: Decimal("10.00")})
        today.switch_plan(resource.uuid, "Cheaper")
        site.market.tell_usage(resource, {CPU: Decimal("14.00")})
        rows = site.market.read_usages(NOVEMBER)
        assert [(row.amount, row.is_of_total) for row in rows] == [
            (Decimal("10.00"), True),
            (Decimal("4.00"), True),
        ]
        today.set_trait("month_totals", False)
        assert {row.is_of_total for row in site.market.read_usages(NOVEMBER)} == {False}


def test_an_unavailable_offering_takes_usage_and_no_change_of_its_resources(today: Waldur) -> None:
    resource = made(today)
    today.change_offering(state="Unavailable")
    with served(today) as site:
        assert site.market.read_offering().is_unavailable
        site.market.tell_usage(resource, {CPU: Decimal("2.00")})
        with pytest.raises(WaldurRejected, match="Offering is unavailable"):
            site.market.tell_limits(resource, {CPU: 6})


def test_limits_that_a_policy_governs_are_taken_without_a_word_and_not_kept(today: Waldur) -> None:
    resource = made(today)
    today.govern_limits("cpu")
    with served(today) as site:
        site.market.tell_limits(resource, {CPU: 9})
        assert site.market.read_resource(resource.uuid).limits == {"cpu": 5}

"""What has been used is told, or owed and shown: it never goes missing on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slurm import FOREVER
from tests.unit.agent.push.site import COMPONENTS, CPU, GPU, HOUR, NOON, Site
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected
from waldur_slurm.agent.model.marketplace import Resource, ResourceState
from waldur_slurm.agent.push.backfill import Backfill
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
EDGE = datetime(2026, 11, 1, tzinfo=UTC)


class Killed(BaseException):
    """The program is gone in the middle of what it did."""


def with_a_debt(site: Site) -> Resource:
    """Six CPU hours of October that Waldur does not hold."""
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", EDGE - 3 * HOUR, EDGE, cpu=2)
    site.move_to(EDGE + 2 * HOUR)
    site.cycle().run()
    return alpha


def debts(site: Site) -> list[tuple[Month, str, Decimal]]:
    return [(o.month, o.component, o.measured) for o in Journal(site.state).read_owed()]


def resized(site: Site) -> Resource:
    alpha = site.allocation("alpha", "ann")
    job = site.job("alpha", "ann", NOON - 30 * HOUR)
    job.submitted, job.resized = NOON - 40 * HOUR, NOON - 30 * HOUR
    return alpha


def test_a_job_that_was_made_smaller_goes_on_counting(site: Site) -> None:
    alpha = resized(site)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("30.00")
    assert report.runaways == ()


def test_a_job_that_was_made_smaller_and_is_suspended_does_not_count(site: Site) -> None:
    alpha = resized(site)
    (job,) = site.slurm.jobs
    job.state, job.paused = "SUSPENDED", [Window(NOON - 10 * HOUR, FOREVER)]

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("20.00")


@pytest.mark.parametrize("state", [ResourceState.ERRED, ResourceState.TERMINATED])
def test_a_debt_outlives_its_allocation(older: Site, state: ResourceState) -> None:
    alpha = with_a_debt(older)
    older.waldur._change(alpha, state=state)

    older.cycle().run()

    assert debts(older) == [(OCTOBER, CPU, Decimal("6.00"))]


def test_a_debt_outlives_a_cycle_that_cannot_measure_it(older: Site) -> None:
    with_a_debt(older)
    older.slurm.unreadable = [UnreadableRecord(("alpha", "??"), "no amount: '??'")]

    older.cycle().run()

    assert debts(older) == [(OCTOBER, CPU, Decimal("6.00"))]


def test_a_backfill_by_staff_pays_what_waldur_declined_before(today: Site) -> None:
    alpha = with_a_debt(today)
    today.waldur.refuses_past_months, today.waldur.rights = False, ["staff"]

    Backfill(reader=today.cycle().reader, sink=today.events.append).run(OCTOBER, OCTOBER)

    assert today.held(alpha, CPU, OCTOBER) == Decimal("6.00")
    assert debts(today) == []


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

    cycle.marketplace = _Cut(today, err_and_die)  # type: ignore[assignment]  # all the rest is its own
    with pytest.raises(Killed):
        cycle.run()
    today.account("alpha", "ann")

    today.cycle().run()

    assert today.state_of(alpha) is ResourceState.OK


class _Cut:
    """A marketplace of which one call is the last."""

    def __init__(self, site: Site, tell_resource_erred: object) -> None:
        self._waldur = site.waldur
        self.tell_resource_erred = tell_resource_erred

    def __getattr__(self, name: str) -> object:
        return getattr(self._waldur, name)


def test_a_month_that_closed_while_nobody_looked_is_still_told(today: Site) -> None:
    today.waldur.refuses_past_months = False
    alpha = today.allocation("alpha", "ann")
    today.move_to(EDGE - 48 * HOUR)
    today.cycle().run()
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE)
    today.move_to(EDGE + timedelta(days=20))

    today.cycle().run()

    assert today.held(alpha, CPU, OCTOBER) == Decimal("3.00")


def test_a_month_that_closed_while_nobody_looked_is_owed_where_no_date_is_taken(
    older: Site,
) -> None:
    older.allocation("alpha", "ann")
    older.move_to(EDGE - 48 * HOUR)
    older.cycle().run()
    older.job("alpha", "ann", EDGE - 3 * HOUR, EDGE)
    older.move_to(EDGE + timedelta(days=20))

    older.cycle().run()

    assert debts(older) == [(OCTOBER, CPU, Decimal("3.00"))]


def test_months_that_closed_while_nobody_looked_are_all_still_told(today: Site) -> None:
    today.waldur.refuses_past_months = False
    alpha = today.allocation("alpha", "ann")
    today.move_to(datetime(2026, 6, 20, tzinfo=UTC))
    today.cycle().run()
    for month in (6, 7, 8, 9, 10):
        start = datetime(2026, month, 25, tzinfo=UTC)
        today.job("alpha", "ann", start, start + month * HOUR)
    today.move_to(EDGE + timedelta(days=20))

    today.cycle().run()

    told = [today.held(alpha, CPU, Month(2026, month)) for month in (6, 7, 8, 9, 10)]
    assert told == [6, 7, 8, 9, 10]


def test_last_usage_that_met_the_edge_on_its_way_is_not_taken_for_told(older: Site) -> None:
    alpha = older.allocation("alpha", "ann")
    older.waldur._change(alpha, state=ResourceState.TERMINATING)
    older.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    older.move_to(EDGE - timedelta(minutes=6))
    cycle = older.cycle()
    moments = iter([older.now] * 2)
    cycle.clock = lambda: next(moments, EDGE - timedelta(minutes=1))
    last = FinalUsage(reader=cycle.reader, sink=older.events.append)

    assert last(older.waldur.resources[alpha.uuid], AccountName("alpha")) is False


def test_a_limit_that_was_ordered_meanwhile_is_not_overwritten(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", gpu=5)
    today.account("alpha", "ann", gpu=9)
    cycle = today.cycle()
    read = today.waldur.read_offering_users

    def order_and_read() -> object:
        today.waldur._change(alpha, limits={GPU: 20})
        return read()

    cycle.marketplace = _Ordered(today, order_and_read)  # type: ignore[assignment]  # see _Cut
    cycle.run()

    assert today.waldur.resources[alpha.uuid].limits == {GPU: 20}


class _Ordered(_Cut):
    """A marketplace in which a customer orders while it is read."""

    def __init__(self, site: Site, read_offering_users: object) -> None:
        super().__init__(site, site.waldur.tell_resource_erred)
        self.read_offering_users = read_offering_users


@pytest.mark.parametrize("name", ["cache/members"])
def test_a_broken_cache_stops_nothing(site: Site, tmp_path: Path, name: str) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    (tmp_path / "cache").mkdir()
    (tmp_path / f"{name}.json").write_text("{")

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


@pytest.mark.parametrize("minutes", [-4, 1])
def test_it_is_not_erred_while_its_usage_waits_for_the_edge(older: Site, minutes: int) -> None:
    for number in range(3):
        older.allocation(f"other{number}")
    alpha = older.allocation("alpha", "ann")
    older.job("alpha", "ann", EDGE - 3 * HOUR, EDGE + timedelta(minutes=minutes))
    older.drop_account("alpha")
    older.move_to(EDGE + timedelta(minutes=minutes))

    older.cycle().run()

    assert older.state_of(alpha) is ResourceState.OK


def test_it_is_not_erred_where_the_edge_came_near_meanwhile(older: Site) -> None:
    for number in range(3):
        older.allocation(f"other{number}")
    alpha = older.allocation("alpha", "ann")
    older.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    older.drop_account("alpha")
    older.move_to(EDGE - timedelta(minutes=6))
    cycle = older.cycle()
    moments = iter([older.now] * 3)
    cycle.clock = lambda: next(moments, EDGE - timedelta(minutes=1))

    cycle.run()

    assert older.told == []
    assert older.state_of(alpha) is ResourceState.OK


def test_where_records_may_be_purged_what_rises_is_still_told(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    site.job("beta", "bob", NOON - 3 * HOUR, NOON - HOUR)
    site.hold(alpha, CPU, NOVEMBER, "0.01")

    report = site.cycle().run()

    assert [refusal.subject for refusal in report.refusals] == ["alpha"]
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")


def test_usage_that_turns_out_to_be_somebody_elses_is_taken_back(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", "bob")
    job = site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.cycle().run()
    job.user = UserName("bob")

    site.cycle().run()

    assert site.held_by(alpha, "ann") == 0
    assert site.held_by(alpha, "bob") == Decimal("2.00")


def test_a_component_that_is_sold_from_today_on_has_its_past_days_too(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", gpu=5)
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON - 90 * HOUR, gpu=1)
    cycle = site.cycle()
    cycle.components = [component for component in COMPONENTS if component.type == CPU]
    cycle.run()

    site.cycle().run()

    assert site.held(alpha, GPU, NOVEMBER) == Decimal("10.00")


def test_yesterdays_record_that_arrives_late_is_in_todays_report(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.cycle().run()
    site.job("alpha", "ann", NOON - 20 * HOUR, NOON - 18 * HOUR)

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_a_backfill_does_not_look_for_todays_running_jobs_in_the_past(today: Site) -> None:
    today.waldur.refuses_past_months, today.waldur.rights = False, ["staff"]
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE)
    today.job("alpha", "ann", NOON - 5 * HOUR)

    Backfill(reader=today.cycle().reader, sink=today.events.append).run(OCTOBER, OCTOBER)

    assert today.held(alpha, CPU, OCTOBER) == Decimal("3.00")


# A month that Waldur holds in several rows


def with_two_rows(site: Site, first: str, second: str) -> Resource:
    """Two CPU hours were measured this month; the rows are of two plans."""
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.hold(alpha, CPU, NOVEMBER, first)
    row = site.waldur.usages[alpha.uuid, CPU, NOVEMBER]
    other = replace(row, uuid="another-row", amount=Decimal(second))
    site.waldur.usages_in_other_plans.append(other)
    return alpha


def test_rows_of_two_plans_are_judged_by_their_sum(site: Site) -> None:
    with_two_rows(site, "1.50", "0.50")

    report = site.cycle().run()

    assert (report.refusals, site.told) == ((), [])


def test_rows_of_two_plans_that_are_wrong_are_shown_and_left_alone(site: Site) -> None:
    with_two_rows(site, "1.00", "2.00")
    beta = site.allocation("beta", "bob")
    site.job("beta", "bob", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    (refusal,) = report.refusals
    assert (refusal.kind, refusal.subject) == (RefusalKind.SPLIT, "alpha")
    assert "3.00 in all" in refusal.reason
    assert "2.00 was measured" in refusal.reason
    assert {write.subject for write in site.waldur.written("tell_usage")} == {beta.uuid}
    assert site.held_by(beta, "bob") == Decimal("2.00")


def test_once_the_month_is_closed_such_rows_are_a_debt(today: Site) -> None:
    today.waldur.refuses_past_months = False
    with_two_rows(today, "1.00", "2.00")
    today.move_to(datetime(2026, 12, 1, 2, tzinfo=UTC))

    today.cycle().run()

    assert debts(today) == [(NOVEMBER, CPU, Decimal("2.00"))]
    assert today.waldur.written("tell_usage") == []


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

    cycle.marketplace = _Split(site, tell_and_split)  # type: ignore[assignment]  # see _Cut
    cycle.run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held_by(alpha, "ann") is None


class _Split(_Cut):
    """A marketplace in which a plan changes while it is told."""

    def __init__(self, site: Site, tell_usage: object) -> None:
        super().__init__(site, site.waldur.tell_resource_erred)
        self.tell_usage = tell_usage


def with_totals(site: Site, first: str, second: str) -> Resource:
    """As today's newer servers do: what the plan before was billed, the second row, stays."""
    site.waldur.makes_totals = True
    site.policy["max_decrease"] = Fraction(1, 2)
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    return with_two_rows(site, first, second)


def test_where_waldur_makes_the_total_of_its_rows_it_is_told_the_months(today: Site) -> None:
    alpha = with_totals(today, "0.25", "1.50")

    report = today.cycle().run()

    assert report.refusals == ()
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("0.50")
    assert today.held_by(alpha, "ann") is None
    today.forget()
    assert today.cycle().run().is_idle
    assert today.told == []


def test_a_total_that_waldur_cannot_make_is_told_once_and_shown(today: Site) -> None:
    alpha = with_totals(today, "0.25", "2.05")

    report = today.cycle().run()

    assert today.held(alpha, CPU, NOVEMBER) == Decimal("0.00")
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.SPLIT, "alpha")]
    assert "of the plans before" in report.refusals[0].reason
    today.forget()
    again = today.cycle().run()
    assert (today.told, [r.kind for r in again.refusals]) == ([], [RefusalKind.SPLIT])


def test_last_usage_waits_where_waldur_did_not_make_the_total(today: Site) -> None:
    alpha = with_totals(today, "0.25", "2.05")
    last = FinalUsage(reader=today.cycle().reader, sink=today.events.append)

    with pytest.raises(UnexpectedPayload, match="several rows"):
        last(today.waldur.resources[alpha.uuid], AccountName("alpha"))


def test_last_usage_waits_for_rows_that_somebody_has_to_correct(site: Site) -> None:
    alpha = with_two_rows(site, "1.00", "2.00")
    last = FinalUsage(reader=site.cycle().reader, sink=site.events.append)

    with pytest.raises(UnexpectedPayload, match="several rows"):
        last(site.waldur.resources[alpha.uuid], AccountName("alpha"))

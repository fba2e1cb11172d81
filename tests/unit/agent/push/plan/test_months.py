"""Around a month's edge: what is sent with a date, what waits, and what is owed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    GPU,
    HOUR,
    NOVEMBER,
    OCTOBER,
    Site,
    debts,
    with_a_job_over_the_edge,
)
from waldur_slurm.agent.model.marketplace import ResourceState
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.plan.findings import Owed
from waldur_slurm.model.period import Month


def only(site: Site) -> Owed:
    (owed,) = site.cycle().run().owed
    return owed


def test_a_closed_month_is_sent_with_its_date_where_waldur_takes_one(today: Site) -> None:
    today.waldur.refuses_past_months = False
    with_a_job_over_the_edge(today).move_to(EDGE + 2 * HOUR)
    (alpha,) = today.waldur.resources.values()

    report = today.cycle().run()

    assert today.held(alpha, CPU, OCTOBER) == Decimal("6.00")
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert today.held(alpha, GPU, OCTOBER) == Decimal("3.00")
    assert report.owed == ()


def test_at_the_very_moment_of_the_edge_each_month_keeps_its_own(today: Site) -> None:
    today.waldur.refuses_past_months = False
    with_a_job_over_the_edge(today).move_to(EDGE)
    (alpha,) = today.waldur.resources.values()

    today.cycle().run()

    assert today.held(alpha, CPU, OCTOBER) == Decimal("6.00")
    assert today.held(alpha, CPU, NOVEMBER) is None


def test_what_waldur_declines_for_a_closed_month_is_owed_and_not_tried_again(today: Site) -> None:
    with_a_job_over_the_edge(today).move_to(EDGE + 2 * HOUR)
    (alpha,) = today.waldur.resources.values()

    owed = only(today)
    requests = today.waldur.calls["tell_usage"]

    assert today.held(alpha, GPU, OCTOBER) == Decimal("3.00")
    assert today.held(alpha, CPU, OCTOBER) is None
    assert (owed.month, owed.account, owed.component) == (OCTOBER, "alpha", CPU)
    assert (owed.measured, owed.held) == (Decimal("6.00"), Decimal(0))
    assert only(today) == owed
    assert today.waldur.calls["tell_usage"] == requests


def test_older_waldurs_are_told_nothing_of_a_closed_month_and_all_of_it_is_owed(
    older: Site,
) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE + 2 * HOUR)
    (alpha,) = older.waldur.resources.values()

    report = older.cycle().run()

    assert older.held(alpha, CPU, OCTOBER) is None
    assert older.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert {(o.month, o.component): o.measured for o in report.owed} == {
        (OCTOBER, CPU): Decimal("6.00"),
        (OCTOBER, GPU): Decimal("3.00"),
    }


def test_what_was_sent_ten_minutes_before_the_edge_leaves_little_owed(older: Site) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE - timedelta(minutes=10))
    older.cycle().run()
    older.move_to(EDGE + HOUR)

    report = older.cycle().run()

    owed = {each.component: (each.measured, each.held) for each in report.owed}
    assert owed[CPU] == (Decimal("6.00"), Decimal("5.67"))


@pytest.mark.parametrize("minutes", [-4, -1, 0, 1, 4])
def test_without_a_date_nothing_is_sent_near_the_edge(older: Site, minutes: int) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE + timedelta(minutes=minutes))

    older.cycle().run()

    assert older.waldur.written("tell_usage") == []


def test_a_fresh_month_without_usage_never_overwrites_the_closed_one(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    site.move_to(EDGE - timedelta(minutes=10))
    site.cycle().run()
    (alpha,) = site.waldur.resources.values()

    for minutes in (-3, 0, 3, 60, 24 * 60):
        site.move_to(EDGE + timedelta(minutes=minutes))
        site.cycle().run()

    assert site.held(alpha, CPU, OCTOBER) == Decimal("2.00")
    assert site.held(alpha, CPU, NOVEMBER) is None


def test_usage_measured_before_the_edge_is_not_booked_after_it(older: Site) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE - timedelta(minutes=6))
    cycle = older.cycle()
    moments = iter([older.now])
    cycle.clock = lambda: next(moments, EDGE + timedelta(minutes=1))

    cycle.run()

    assert older.waldur.written("tell_usage") == []


def overrunning(site: Site) -> PushCycle:
    """A cycle that begins before the edge, and both clocks pass it before anything is told."""
    site.move_to(EDGE - timedelta(minutes=6))
    cycle = site.cycle()
    moments = iter([site.now] * 2)

    def clock() -> datetime:
        moment = next(moments, None)
        if moment is None:
            site.move_to(EDGE + 2 * HOUR)
        return moment or site.now

    cycle.clock = clock
    return cycle


def test_a_cycle_that_overruns_the_edge_tells_the_month_that_it_measured(today: Site) -> None:
    today.waldur.refuses_past_months = False
    cycle = overrunning(with_a_job_over_the_edge(today))
    (alpha,) = today.waldur.resources.values()

    cycle.run()

    assert today.now > EDGE
    assert today.held(alpha, CPU, OCTOBER) == Decimal("5.80")
    assert today.held(alpha, CPU, NOVEMBER) is None
    today.cycle().run()
    assert today.held(alpha, CPU, OCTOBER) == Decimal("6.00")
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_what_waldur_declines_because_a_cycle_overran_the_edge_is_owed(today: Site) -> None:
    cycle = overrunning(with_a_job_over_the_edge(today))
    (alpha,) = today.waldur.resources.values()

    cycle.run()
    report = today.cycle().run()

    assert today.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert [(o.month, o.component, o.measured) for o in report.owed] == [
        (OCTOBER, CPU, Decimal("6.00"))
    ]


def test_without_a_date_a_cycle_that_overruns_the_edge_tells_no_usage(older: Site) -> None:
    cycle = overrunning(with_a_job_over_the_edge(older))

    cycle.run()

    assert older.waldur.written("tell_usage") == []
    report = older.cycle().run()
    assert {(o.month, o.component): o.measured for o in report.owed} == {
        (OCTOBER, CPU): Decimal("6.00"),
        (OCTOBER, GPU): Decimal("3.00"),
    }


def test_a_clock_that_is_set_back_by_minutes_leaves_nothing_wrong(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", EDGE + 2 * HOUR)
    for moment in (100 * HOUR, 100 * HOUR - timedelta(minutes=4), 101 * HOUR):
        site.move_to(EDGE + moment)
        site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("99.00")


def test_records_that_arrive_late_are_still_measured_for_a_week(today: Site) -> None:
    today.waldur.refuses_past_months = False
    alpha = today.allocation("alpha", "ann")
    today.move_to(EDGE + timedelta(days=6, hours=20))
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    today.cycle().run()
    assert today.held(alpha, CPU, OCTOBER) == Decimal("2.00")

    today.move_to(EDGE + timedelta(days=8))
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    today.cycle().run()
    assert today.held(alpha, CPU, OCTOBER) == Decimal("2.00")


@pytest.mark.parametrize("minutes", [-4, 4])
def test_near_the_edge_the_plan_itself_has_no_usage(older: Site, minutes: int) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE + timedelta(minutes=minutes))

    assert older.cycle().plan().steps == ()


def test_people_of_a_month_that_was_declined_are_not_told_either(today: Site) -> None:
    with_a_job_over_the_edge(today).move_to(EDGE + 2 * HOUR)
    (alpha,) = today.waldur.resources.values()
    today.hold(alpha, CPU, OCTOBER, "1.00")

    today.cycle().run()

    october = [usage for usage in today.waldur.user_usages.values() if usage.month == OCTOBER]
    assert [(usage.component, usage.username) for usage in october] == [(GPU, "ann")]


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

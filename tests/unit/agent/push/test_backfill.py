"""Past months are reported in full, or refused before anything is written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.agent.push.site import (
    COMPONENTS,
    CPU,
    EDGE,
    GPU,
    HOUR,
    NOON,
    Site,
    debts,
    with_a_debt,
)
from waldur_slurm.agent.errors import UnsafePlan, WaldurUnreachable
from waldur_slurm.agent.push.backfill import Backfill, months_between
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.model.period import Month

SEPTEMBER, OCTOBER, NOVEMBER = (Month(2026, number) for number in (9, 10, 11))


def backfill(site: Site, cycle: PushCycle | None = None) -> Backfill:
    return Backfill(reader=(cycle or site.cycle()).reader, sink=site.events.append)


@pytest.fixture
def site(today: Site) -> Site:
    today.waldur.rights = ["staff"]
    today.waldur.refuses_past_months = False
    today.allocation("alpha", "ann", gpu=5)
    for month in (9, 10, 11):
        start = datetime(2026, month, 3, tzinfo=UTC)
        today.job("alpha", "ann", start, start + month * HOUR, gpu=1)
    return today


def amounts(site: Site) -> list[Decimal | None]:
    (alpha,) = site.waldur.resources.values()
    return [site.held(alpha, CPU, month) for month in (SEPTEMBER, OCTOBER, NOVEMBER)]


def test_every_month_of_the_range_arrives(site: Site) -> None:
    backfill(site).run(SEPTEMBER, NOVEMBER)

    assert amounts(site) == [Decimal("9.00"), Decimal("10.00"), Decimal("11.00")]
    (alpha,) = site.waldur.resources.values()
    assert site.held(alpha, GPU, SEPTEMBER) == Decimal("9.00")


def test_a_dry_run_says_the_same_and_tells_nobody(site: Site) -> None:
    dry = backfill(site).run(SEPTEMBER, NOVEMBER, dry_run=True)
    assert site.told == []

    wet = backfill(site).run(SEPTEMBER, NOVEMBER)
    assert [report.plan.totals for report in dry] == [report.plan.totals for report in wet]


def test_a_second_backfill_writes_nothing(site: Site) -> None:
    backfill(site).run(SEPTEMBER, NOVEMBER)
    site.forget()

    backfill(site).run(SEPTEMBER, NOVEMBER)

    assert site.told == []


def test_one_that_was_interrupted_goes_on_where_it_stopped(site: Site) -> None:
    stopped = backfill(site)
    stopped.is_stopping = lambda: len(site.waldur.written("tell_usage")) > 0
    stopped.run(SEPTEMBER, NOVEMBER)
    heard: list[tuple[Month, int, int]] = []

    resumed = backfill(site)
    resumed.progress = lambda month, done, of: heard.append((month, done, of))
    resumed.run(SEPTEMBER, NOVEMBER)

    assert amounts(site) == [Decimal("9.00"), Decimal("10.00"), Decimal("11.00")]
    assert heard == [(SEPTEMBER, 0, 3), (OCTOBER, 1, 3), (NOVEMBER, 2, 3)]


def test_a_month_that_is_finished_is_not_measured_again(site: Site) -> None:
    site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))
    first = backfill(site).run(SEPTEMBER, NOVEMBER)
    second = backfill(site).run(SEPTEMBER, NOVEMBER)

    assert [len(report.failures) for report in first] == [1, 0, 0]
    assert [report.month for report in second] == [SEPTEMBER]
    assert amounts(site)[0] == Decimal("9.00")


def test_an_owners_token_fills_what_a_bill_that_may_still_change_takes(site: Site) -> None:
    site.waldur.rights = ["CUSTOMER.OWNER of the provider"]

    reports = backfill(site).run(SEPTEMBER, NOVEMBER)

    assert [report.failures for report in reports] == [(), (), ()]
    assert amounts(site) == [Decimal("9.00"), Decimal("10.00"), Decimal("11.00")]


def test_components_billed_by_limit_need_no_staff(site: Site) -> None:
    site.waldur.rights = []
    cycle = site.cycle()
    cycle.components = [component for component in COMPONENTS if component.type == GPU]

    backfill(site, cycle).run(SEPTEMBER, OCTOBER)

    (alpha,) = site.waldur.resources.values()
    assert site.held(alpha, GPU, OCTOBER) == Decimal("10.00")


def test_the_running_month_needs_no_staff(site: Site) -> None:
    site.waldur.rights = []

    backfill(site).run(NOVEMBER, NOVEMBER)

    assert amounts(site)[2] == Decimal("11.00")


@pytest.mark.parametrize("is_dry", [True, False])
def test_older_waldurs_are_refused_before_any_write(older: Site, is_dry: bool) -> None:
    older.allocation("alpha", "ann")
    older.job("alpha", "ann", older.now - timedelta(days=40), older.now - timedelta(days=39))

    with pytest.raises(UnsafePlan, match="running month only"):
        backfill(older).run(SEPTEMBER, OCTOBER, dry_run=is_dry)
    assert older.told == []


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_month_that_has_not_begun_is_refused(site: Site, is_dry: bool) -> None:
    with pytest.raises(UnsafePlan, match="2026-12 has not begun"):
        backfill(site).run(OCTOBER, Month(2026, 12), dry_run=is_dry)


def test_a_range_has_all_its_months() -> None:
    assert [str(month) for month in months_between(Month(2025, 11), Month(2026, 2))] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert months_between(OCTOBER, SEPTEMBER) == ()


def test_what_waldur_declines_is_reported_and_the_rest_is_filled(site: Site) -> None:
    site.waldur.refuses_past_months = True
    (alpha,) = site.waldur.resources.values()

    reports = backfill(site).run(SEPTEMBER, NOVEMBER)

    assert [[str(f.error) for f in report.failures] for report in reports] == [
        ["set usage answered 400: backfilling past billing periods"],
        ["set usage answered 400: backfilling past billing periods"],
        [],
    ]
    assert amounts(site) == [None, None, Decimal("11.00")]
    assert site.held(alpha, GPU, SEPTEMBER) == Decimal("9.00")


def test_what_was_declined_is_tried_again_by_the_next_backfill(site: Site) -> None:
    site.waldur.refuses_past_months = True
    backfill(site).run(SEPTEMBER, OCTOBER)
    site.waldur.refuses_past_months = False

    backfill(site).run(SEPTEMBER, OCTOBER)

    assert amounts(site)[:2] == [Decimal("9.00"), Decimal("10.00")]


def test_a_backfill_by_staff_pays_what_waldur_declined_before(today: Site) -> None:
    alpha = with_a_debt(today)
    today.waldur.refuses_past_months, today.waldur.rights = False, ["staff"]

    Backfill(reader=today.cycle().reader, sink=today.events.append).run(OCTOBER, OCTOBER)

    assert today.held(alpha, CPU, OCTOBER) == Decimal("6.00")
    assert debts(today) == []


def test_a_backfill_does_not_look_for_todays_running_jobs_in_the_past(today: Site) -> None:
    today.waldur.refuses_past_months, today.waldur.rights = False, ["staff"]
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE)
    today.job("alpha", "ann", NOON - 5 * HOUR)

    Backfill(reader=today.cycle().reader, sink=today.events.append).run(OCTOBER, OCTOBER)

    assert today.held(alpha, CPU, OCTOBER) == Decimal("3.00")

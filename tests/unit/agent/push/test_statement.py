"""What a person is shown of usage, and what Slurm's own rollup has to say about it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.unit.agent.push.site import CPU, HOUR, NOON, NOVEMBER, Site
from waldur_slurm.agent.push.statement import UsageRow, UsageStatement
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName

ALPHA = AccountName("alpha")
DAY = timedelta(days=1)


def cpu_rows(rows: tuple[UsageRow, ...]) -> list[UsageRow]:
    return [row for row in rows if row.component == CPU]


def statement(site: Site) -> UsageStatement:
    return UsageStatement(site.cycle().reader)


def test_each_account_and_component_stands_beside_what_waldur_holds(today: Site) -> None:
    alpha = today.allocation("alpha", "ann")
    today.allocation("idle")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4)
    today.hold(alpha, CPU, NOVEMBER, "5.00")

    rows = statement(today).by_month([NOVEMBER])

    assert len(rows) == 2 * 3
    first = cpu_rows(rows)[0]
    assert (first.account, first.period, first.tres_seconds) == ("alpha", "2026-11", 8 * 3600)
    assert (first.measured, first.held, first.difference) == (
        Decimal("8.00"),
        Decimal("5.00"),
        Decimal("3.00"),
    )
    assert today.told == []


def test_by_user_there_is_a_row_for_everybody_on_either_side(today: Site) -> None:
    today.allocation("alpha", "ann", "bob")
    job = today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    today.cycle().run()
    job.user = UserName("bob")

    rows = cpu_rows(statement(today).by_user([NOVEMBER], [ALPHA]))

    assert [(row.user, row.measured, row.held) for row in rows] == [
        ("ann", Decimal("0.00"), Decimal("2.00")),
        ("bob", Decimal("2.00"), Decimal(0)),
    ]


def test_by_day_a_job_over_midnight_has_two_rows(today: Site) -> None:
    today.allocation("alpha", "ann")
    midnight = NOON.replace(hour=0)
    today.job("alpha", "ann", midnight - 2 * HOUR, midnight + HOUR)

    rows = cpu_rows(statement(today).by_day(date(2026, 11, 19), date(2026, 11, 21)))

    assert [(row.period, row.measured, row.held) for row in rows] == [
        ("2026-11-20", Decimal("2.00"), None),
        ("2026-11-21", Decimal("1.00"), None),
    ]


def test_by_day_a_job_that_slurmctld_lost_counts_until_it_was_last_seen(today: Site) -> None:
    today.allocation("alpha", "ann", "bob")
    seen, never = (today.job("alpha", user, NOON - 20 * HOUR) for user in ("ann", "bob"))
    today.slurm.runaway = [never]
    today.cycle().run()
    today.slurm.runaway = [seen, never]
    today.move_to(NOON + 30 * HOUR)

    rows = cpu_rows(statement(today).by_day(date(2026, 11, 19), date(2026, 11, 22)))

    assert [(row.period, row.measured) for row in rows] == [
        ("2026-11-20", Decimal("8.00")),
        ("2026-11-21", Decimal("12.00")),
    ]


def test_by_day_a_job_that_runs_counts_until_now(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 14 * HOUR)

    rows = cpu_rows(statement(today).by_day(date(2026, 11, 1), date(2026, 11, 30)))

    assert [(row.period, row.measured) for row in rows] == [
        ("2026-11-20", Decimal("2.00")),
        ("2026-11-21", Decimal("12.00")),
    ]


def test_a_figure_in_doubt_says_why(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.slurm.unreadable = [UnreadableRecord(("alpha", "??"), "no amount: '??'")]

    rows = statement(today).by_month([NOVEMBER])

    assert {row.note for row in rows} == {"no amount: '??'"}


def test_a_figure_in_doubt_says_why_by_user_and_by_day_too(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    today.slurm.unreadable = [UnreadableRecord(("alpha", "??"), "no amount: '??'")]

    by_user = statement(today).by_user([NOVEMBER])
    by_day = statement(today).by_day(NOON.date(), NOON.date())

    assert {row.note for row in by_user} == {row.note for row in by_day} == {"no amount: '??'"}


def test_a_rollup_that_agrees_is_said_to(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4)
    today.slurm.rollup = {ALPHA: {(UserName("ann"), TresName("cpu")): 8 * 3600}}

    verified = statement(today).verify(NOVEMBER)

    assert verified.compared == 1
    assert verified.disagreements == ()


def test_a_rollup_that_differs_is_shown_with_both_figures(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4)
    today.slurm.rollup = {ALPHA: {(UserName("bob"), TresName("cpu")): 17}}

    (ann, bob) = statement(today).verify(NOVEMBER).disagreements

    assert (ann.user, ann.measured, ann.rolled_up) == ("ann", 8 * 3600, 0)
    assert (bob.user, bob.measured, bob.rolled_up) == ("bob", 0, 17)


def test_the_hour_that_is_not_over_is_not_compared(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.move_to(NOON + timedelta(minutes=40))
    today.job("alpha", "ann", NOON - HOUR)
    today.slurm.rollup = {ALPHA: {(UserName("ann"), TresName("cpu")): 3600}}

    verified = statement(today).verify(NOVEMBER)

    assert verified.disagreements == ()
    assert verified.window.end == NOON


def test_where_a_month_begins_at_half_an_hour_only_whole_hours_are_compared(today: Site) -> None:
    today.policy["zone"] = ZoneInfo("Asia/Kolkata")
    today.move_to(datetime(2026, 12, 5, tzinfo=UTC))

    window = statement(today).verify(NOVEMBER).window

    assert window.start == datetime(2026, 10, 31, 19, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 30, 18, tzinfo=UTC)

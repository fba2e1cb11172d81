"""The last usage of an allocation that ends: told once its records are there, and not before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    HOUR,
    NOON,
    NOVEMBER,
    Site,
    with_totals,
    with_two_rows,
)
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import Resource, ResourceState
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Window

ALPHA = AccountName("alpha")


def ending(site: Site) -> Resource:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, state=ResourceState.TERMINATING)
    return site.waldur.resources[alpha.uuid]


def final(site: Site) -> FinalUsage:
    return FinalUsage(reader=site.cycle().reader, sink=site.events.append)


def test_the_last_jobs_are_told_with_their_people(site: Site) -> None:
    alpha = ending(site)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON)

    assert final(site)(alpha, ALPHA) is True

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("3.00")
    assert site.held_by(alpha, "ann") == Decimal("3.00")
    assert [event.name for event in site.events if event.is_change] != []


def test_while_a_job_runs_it_waits(site: Site) -> None:
    alpha = ending(site)
    job = site.job("alpha", "ann", NOON - 3 * HOUR)

    assert final(site)(alpha, ALPHA) is False
    assert site.told == []

    site.slurm.finish(job)
    assert final(site)(alpha, ALPHA) is True


def test_a_job_of_many_days_that_ends_while_it_is_waited_for_is_told_whole_and_at_once(
    site: Site,
) -> None:
    """Its past days were read while it ran, by somebody who notes nobody alive."""
    alpha = ending(site)
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    assert final(site)(alpha, ALPHA) is False

    site.move_to(NOON + HOUR)
    site.slurm.finish(job, "CANCELLED")
    site.move_to(NOON + 2 * HOUR)

    assert final(site)(alpha, ALPHA) is True
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("91.00")


def test_an_end_that_is_on_its_way_is_waited_for_up_to_an_hour(site: Site) -> None:
    alpha = ending(site)
    site.job("alpha", "ann", NOON - 5 * HOUR, NOON - 3 * HOUR)
    site.slurm.runaway = [site.job("alpha", "ann", NOON - 3 * HOUR)]

    assert final(site)(alpha, ALPHA) is False
    site.move_to(NOON + timedelta(minutes=59))
    assert final(site)(alpha, ALPHA) is False
    site.move_to(NOON + timedelta(minutes=60))
    assert final(site)(alpha, ALPHA) is True

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_records_that_slurmctld_could_not_tell_yet_are_waited_for_up_to_an_hour(
    site: Site,
) -> None:
    alpha = ending(site)
    site.slurm.backlog = 3

    assert final(site)(alpha, ALPHA) is False
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - 2 * HOUR)
    assert final(site)(alpha, ALPHA) is False
    assert site.told == []

    site.move_to(NOON + HOUR)
    assert final(site)(alpha, ALPHA) is True
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("1.00")


def test_what_slurmctld_tells_while_records_are_read_is_not_missed(site: Site) -> None:
    """A backlog that is empty after the reading says nothing of what was read."""
    alpha = ending(site)

    class TellingMeanwhile(FakeSlurm):
        def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
            yield from super().read_job_records(window)
            self.backlog = 0

    site.slurm = TellingMeanwhile(now=site.now, backlog=1)

    assert final(site)(alpha, ALPHA) is False


def test_other_accounts_jobs_are_not_waited_for(site: Site) -> None:
    alpha = ending(site)
    site.allocation("beta", "bob")
    site.job("beta", "bob", NOON - 3 * HOUR)

    assert final(site)(alpha, ALPHA) is True
    assert site.told == []


def test_near_a_months_edge_it_waits_where_no_date_can_be_sent(older: Site) -> None:
    alpha = ending(older)
    edge = datetime(2026, 12, 1, tzinfo=UTC)
    older.job("alpha", "ann", edge - 3 * HOUR, edge - HOUR)
    older.move_to(edge - timedelta(minutes=2))

    assert final(older)(alpha, ALPHA) is False
    assert older.told == []


def test_what_waldur_takes_no_more_is_owed_until_somebody_acknowledges_it(today: Site) -> None:
    alpha = ending(today)
    edge = datetime(2026, 12, 1, tzinfo=UTC)
    today.job("alpha", "ann", edge - 3 * HOUR, edge - HOUR)
    today.move_to(edge + 2 * HOUR)

    assert final(today)(alpha, ALPHA) is True

    journal = Journal(today.state)
    assert [(o.month, o.component, o.measured) for o in journal.read_owed()] == [
        (NOVEMBER, CPU, Decimal("2.00"))
    ]
    assert [event.fields["account"] for event in today.heard("usage.owed")] == ["alpha"]
    journal.acknowledge(NOVEMBER, ALPHA, "waived", today.now)
    assert journal.read_owed() == ()


def test_an_unreadable_record_is_an_error_and_not_a_zero(site: Site) -> None:
    alpha = ending(site)
    site.slurm.unreadable = [UnreadableRecord(("alpha", "??"), "no amount: '??'")]

    with pytest.raises(UnparsableOutput, match="no amount"):
        final(site)(alpha, ALPHA)


def test_a_report_that_fails_is_not_taken_for_done(site: Site) -> None:
    alpha = ending(site)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON)
    site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))

    with pytest.raises(WaldurUnreachable):
        final(site)(alpha, ALPHA)

    assert final(site)(alpha, ALPHA) is True
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("3.00")


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

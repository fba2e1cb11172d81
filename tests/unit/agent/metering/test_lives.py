"""A job that slurmctld lost counts until it was last seen, and is listed."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.agent.metering.measuring import Forgetful, measure, seconds
from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.agent.metering.lives import SETTLED, long_running
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName


def test_a_job_that_slurmctld_never_knew_counts_nothing_and_is_listed(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    site.slurm.runaway = [job]

    measurement = measure(site)

    assert seconds(measurement) == 0
    assert [(r.run, r.counted_until) for r in measurement.runaways] == [(job.run, None)]


def test_a_job_that_slurmctld_lost_counts_until_it_was_last_seen(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    measure(site)
    site.slurm.runaway = [job]

    for hours in (1, 2, 30):
        site.move_to(NOON + hours * HOUR)
        measurement = measure(site)
        assert seconds(measurement) == 90 * 3600
        assert measurement.runaways[0].counted_until == NOON


def test_a_lost_job_counts_again_when_slurmctld_knows_it(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    measure(site)
    site.slurm.runaway = [job]
    site.move_to(NOON + HOUR)
    measure(site)

    site.slurm.runaway = []
    site.move_to(NOON + 2 * HOUR)

    assert seconds(measure(site)) == 92 * 3600


def test_a_job_of_the_same_number_is_not_taken_for_the_lost_one(site: Site) -> None:
    lost = site.job("alpha", "ann", NOON - 90 * HOUR)
    site.slurm.runaway = [lost]
    alive = site.job("alpha", "ann", NOON - HOUR)
    alive.id = lost.id

    assert seconds(measure(site)) == 3600


def test_a_job_that_began_while_we_were_reading_is_nobodys_runaway(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - timedelta(seconds=30))
    site.slurm.runaway = [job]

    measurement = measure(site)

    assert seconds(measurement) == 30
    assert measurement.runaways == ()


def test_only_the_reporting_cycle_notes_who_lives(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    measure(site, remember=False)
    site.slurm.runaway = [job]

    assert seconds(measure(site)) == 0


def test_records_that_lack_every_running_job_are_not_believed(site: Site) -> None:
    site.slurm = Forgetful(site.slurm.now, lost=1000)
    site.job("alpha", "ann", NOON - 3 * HOUR)

    with pytest.raises(AccountingDown, match="of 1 running job not one"):
        measure(site)


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def queued(number: str, age: timedelta, state: str = "RUNNING") -> QueuedJob:
    return QueuedJob(
        id=number,
        account=AccountName("a"),
        user=UserName("ann"),
        state=state,
        submitted=NOW - age,
    )


def test_a_young_job_without_a_record_yet_stops_nothing() -> None:
    minute = timedelta(minutes=1)
    queue = [
        queued("1", minute),
        queued("2", SETTLED),
        queued("3", SETTLED + minute),
        queued("4", SETTLED + minute, "PENDING"),
    ]

    assert set(long_running(queue, NOW)) == {"3"}

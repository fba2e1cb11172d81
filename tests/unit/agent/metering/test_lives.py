"""A job that slurmctld lost counts until it was last seen, and is listed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.metering.measuring import ALPHA, CPU, NOVEMBER, Forgetful, measure, seconds
from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.agent.metering import lives
from waldur_slurm.agent.metering.lives import long_running
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.jobs import JobRecord, QueuedJob, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window


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


@pytest.mark.parametrize("age", [30, 300])
def test_a_job_that_began_while_we_were_reading_is_nobodys_runaway(site: Site, age: int) -> None:
    job = site.job("alpha", "ann", NOON - timedelta(seconds=age))
    site.slurm.runaway = [job]

    measurement = measure(site)

    assert seconds(measurement) == age
    assert measurement.runaways == ()


def test_a_job_that_began_before_we_were_reading_is_a_runaway(site: Site) -> None:
    site.slurm.runaway = [site.job("alpha", "ann", NOON - timedelta(seconds=301))]

    measurement = measure(site)

    assert seconds(measurement) == 0
    assert len(measurement.runaways) == 1


def test_the_age_of_a_lost_job_is_that_of_its_first_part(site: Site) -> None:
    """The newest of its parts began at midnight."""
    site.move_to(NOON.replace(hour=0, minute=1))
    site.slurm.runaway = [site.job("alpha", "ann", NOON - 90 * HOUR)]

    assert seconds(measure(site)) == 0


def test_only_the_reporting_cycle_notes_who_lives(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    measure(site, remember=False)
    site.slurm.runaway = [job]

    assert seconds(measure(site)) == 0


def test_a_person_who_looks_leaves_no_note_of_who_lives(site: Site) -> None:
    site.job("alpha", "ann", NOON - 90 * HOUR)
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU])

    meter.measure([NOVEMBER], site.now, {ALPHA})
    meter.measure_days(Window(NOON - 24 * HOUR, NOON), site.now, {ALPHA})

    assert lives.recall(site.state) == lives.Memory()


def test_records_that_lack_every_running_job_are_not_believed(site: Site) -> None:
    site.slurm = Forgetful(site.slurm.now, lost=1000)
    site.job("alpha", "ann", NOON - 3 * HOUR)

    with pytest.raises(AccountingDown, match="sacct exited 0: of 1 running job not one"):
        measure(site)


def test_a_month_that_is_over_says_nothing_of_those_who_run(site: Site) -> None:
    """It is the running month that has to hold a record of one of them."""
    site.slurm = Unrecorded(now=site.now)
    site.job("alpha", "ann", NOON - 40 * 24 * HOUR, NOON - 39 * 24 * HOUR)
    site.job("alpha", "ann", NOON - 3 * HOUR)
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU])

    assert meter.measure([Month(2026, 10)], site.now, {ALPHA})[Month(2026, 10)].tally
    with pytest.raises(AccountingDown, match="of 1 running job not one"):
        meter.measure([Month(2026, 10), NOVEMBER], site.now, {ALPHA})


class Unrecorded(FakeSlurm):
    """The accounting has no record of any job that runs."""

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        for record in super().read_job_records(window):
            if isinstance(record, UnreadableRecord) or not record.is_open:
                yield record


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
        queued("2", HOUR),
        queued("3", HOUR + minute),
        queued("4", HOUR + minute, "PENDING"),
    ]

    assert set(long_running(queue, NOW)) == {"3"}

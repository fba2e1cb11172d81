"""What counts and until when, measured on a cluster in memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FOREVER, FakeSlurm
from tests.unit.agent.metering.measuring import ALPHA, CPU, NOVEMBER, measure, seconds
from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.period import Window


def test_every_run_of_a_requeued_job_counts_once(site: Site) -> None:
    first = site.job("alpha", "ann", NOON - 5 * HOUR, NOON - 4 * HOUR)
    second = site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    first.state, second.id = "REQUEUED", first.id

    assert seconds(measure(site)) == 3 * 3600


def test_it_is_measured_to_the_second_that_is_over(site: Site) -> None:
    site.job("alpha", "ann", NOON - HOUR)
    late = NOON + timedelta(microseconds=999_999)
    site.move_to(late)
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU])

    whole = meter.measure([NOVEMBER], late, {ALPHA}, remember=True)[NOVEMBER]
    (day,) = meter.measure_days(Window(NOON - 2 * HOUR, NOON + HOUR), late, {ALPHA}).values()

    assert (seconds(whole), seconds(day)) == (3600, 3600)
    assert whole.window.end == day.window.end == NOON


def test_suspensions_that_are_over_do_not_count(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 30 * HOUR, NOON)
    job.paused = [Window(NOON - 20 * HOUR, NOON - 8 * HOUR)]

    assert seconds(measure(site)) == 18 * 3600


def test_a_suspension_that_is_not_over_does_not_count(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]

    assert seconds(measure(site)) == 10 * 3600


def test_a_job_that_imitates_slurms_words_about_it_is_held_until_its_suspension_is_over(
    site: Site,
) -> None:
    forger, honest = (site.job("alpha", user, NOON - 8 * HOUR) for user in ("ann", "bob"))
    for job in (forger, honest):
        job.state, job.paused = "SUSPENDED", [Window(NOON - 6 * HOUR, FOREVER)]
    site.slurm.forgers = [forger]

    assert [seconds(measure(site), user) for user in ("ann", "bob")] == [8 * 3600, 2 * 3600]

    site.move_to(NOON + HOUR)
    forger.state, forger.paused = "RUNNING", [Window(NOON - 6 * HOUR, NOON)]

    assert seconds(measure(site), "ann") == 3 * 3600


def test_where_slurms_clock_is_behind_nothing_is_counted_beyond_it(site: Site) -> None:
    """sacct then counts up to its own now."""
    site.job("alpha", "bob", NOON - 10 * HOUR)
    job = site.job("alpha", "ann", NOON - 10 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 8 * HOUR, FOREVER)]
    site.slurm.now = NOON - timedelta(seconds=90)
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU])

    measurement = meter.measure([NOVEMBER], NOON, {ALPHA})[NOVEMBER]

    assert seconds(measurement, "ann") == 2 * 3600
    assert seconds(measurement, "bob") == 10 * 3600 - 90


def test_one_suspension_after_another_is_not_taken_for_the_first(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    measure(site)

    site.move_to(NOON + 3 * HOUR)
    job.paused = [Window(NOON - 80 * HOUR, NOON), Window(NOON + 2 * HOUR, FOREVER)]

    assert seconds(measure(site)) == 12 * 3600


@pytest.mark.parametrize(
    ("basis", "hours"), [(Basis.ALLOCATED, 8), (Basis.REQUESTED, 2), (Basis.BILLING, 12)]
)
def test_a_site_chooses_what_counts(site: Site, basis: Basis, hours: int) -> None:
    site.slurm = Asking(site.slurm.now)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - 2 * HOUR, cpu=8, billing=12)

    assert seconds(measure(site, basis=basis)) == hours * 3600


class Asking(FakeSlurm):
    """Jobs ask for two CPUs, whatever they are given."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now=now)

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        for record in super().read_job_records(window):
            assert isinstance(record, JobRecord)
            yield JobRecord(
                **{name: getattr(record, name) for name in record.__slots__ if name != "requested"},
                requested={CPU: 2},
            )


def test_a_job_without_an_allocation_holds_nothing_on_any_basis(site: Site) -> None:
    site.slurm = Asking(site.slurm.now)
    job = site.job("alpha", "ann", NOON - 3 * HOUR, NOON - 2 * HOUR)
    job.allocated = {}

    assert [seconds(measure(site, basis=basis)) for basis in Basis] == [0, 0, 0]

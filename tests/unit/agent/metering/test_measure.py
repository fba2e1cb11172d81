"""What counts, until when, and what is read again: measured on a cluster in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FOREVER, FakeSlurm
from tests.unit.agent.push.site import HOUR, NOON, Site, make_site
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.usage import Basis, Measurement, Share
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName

NOVEMBER = Month(2026, 11)
ALPHA = AccountName("alpha")
CPU = TresName("cpu")
DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def measure(site: Site, *, basis: Basis = Basis.ALLOCATED, remember: bool = True) -> Measurement:
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU], basis)
    return meter.measure([NOVEMBER], site.now, {ALPHA}, remember=remember)[NOVEMBER]


def seconds(measurement: Measurement, user: str = "ann") -> int:
    return measurement.tally.get(Share(ALPHA, UserName(user), CPU), 0)


def test_every_run_of_a_requeued_job_counts_once(site: Site) -> None:
    first = site.job("alpha", "ann", NOON - 5 * HOUR, NOON - 4 * HOUR)
    second = site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    first.state, second.id = "REQUEUED", first.id

    assert seconds(measure(site)) == 3 * 3600


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


def test_a_suspension_that_ends_later_today_is_taken_out_of_the_past_days(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    measure(site)

    site.move_to(NOON + HOUR)
    job.state, job.paused = "RUNNING", [Window(NOON - 80 * HOUR, NOON)]

    assert seconds(measure(site)) == 11 * 3600


def test_one_suspension_after_another_is_not_taken_for_the_first(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    measure(site)

    site.move_to(NOON + 3 * HOUR)
    job.paused = [Window(NOON - 80 * HOUR, NOON), Window(NOON + 2 * HOUR, FOREVER)]

    assert seconds(measure(site)) == 12 * 3600


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


# What is kept of past days


def readings(site: Site) -> int:
    return site.slurm.calls["read_job_records"]


def with_many_days(site: Site) -> Site:
    for day in range(21):
        start = datetime(2026, 11, 1, 10, tzinfo=UTC) + day * DAY
        site.job("alpha", "ann", start, start + HOUR)
    return site


def test_past_days_are_read_once_a_day(site: Site) -> None:
    with_many_days(site)
    first = measure(site)
    before = readings(site)

    site.move_to(NOON + 2 * HOUR)
    second = measure(site)

    assert seconds(first) == seconds(second) == 21 * 3600
    assert readings(site) - before <= 2


@pytest.mark.parametrize(
    ("cluster", "zone", "basis"),
    [
        ("other", "UTC", Basis.ALLOCATED),
        ("lab", "Etc/UTC", Basis.ALLOCATED),  # its days begin alike
        ("lab", "UTC", Basis.REQUESTED),
    ],
)
def test_what_was_kept_is_of_one_cluster_zone_and_basis(
    site: Site, cluster: str, zone: str, basis: Basis
) -> None:
    with_many_days(site)
    measure(site)
    before = readings(site)
    site.slurm.configuration["ClusterName"] = cluster

    meter = Meter(site.slurm, site.state, ZoneInfo(zone), [CPU], basis)
    meter.measure([NOVEMBER], site.now, {ALPHA})

    assert readings(site) - before > 2


def test_on_the_next_day_they_are_read_again(site: Site) -> None:
    with_many_days(site)
    measure(site)
    site.job("alpha", "ann", NOON - 10 * DAY, NOON - 10 * DAY + HOUR)
    assert seconds(measure(site)) == 21 * 3600

    site.move_to(NOON + DAY)

    assert seconds(measure(site)) == 22 * 3600


def test_without_what_was_kept_the_result_is_the_same(site: Site, tmp_path: Path) -> None:
    with_many_days(site)
    site.job("alpha", "ann", NOON - 10 * DAY)
    measure(site)
    kept = measure(site)
    (tmp_path / "cache" / "past-days" / "2026-11.json").unlink()

    assert measure(site) == kept


@pytest.mark.parametrize("broken", ["", "{", '{"format":2}'])
def test_what_was_kept_badly_is_read_again(site: Site, tmp_path: Path, broken: str) -> None:
    with_many_days(site)
    whole = measure(site)
    (tmp_path / "cache" / "past-days" / "2026-11.json").write_text(broken, encoding="utf-8")

    assert measure(site) == whole


def test_an_end_that_was_put_into_the_past_is_noticed(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 10 * DAY)
    assert seconds(measure(site)) == 10 * 24 * 3600

    job.end, job.state = NOON - 9 * DAY, "COMPLETED"
    site.job("alpha", "bob", NOON - HOUR, NOON)

    assert seconds(measure(site)) == 24 * 3600


def test_a_day_that_cannot_be_read_leaves_nothing_behind(site: Site) -> None:
    with_many_days(site)
    site.slurm.fail_next(AccountingDown(("sacct",), 1, "gone"), "read_job_records")

    with pytest.raises(AccountingDown):
        measure(site)

    assert seconds(measure(site)) == 21 * 3600


# Answers that were lost


class Forgetful(FakeSlurm):
    """Loses whole answers without a word, as slurmdbd does."""

    def __init__(self, now: datetime, lost: int) -> None:
        super().__init__(now=now)
        self.lost = lost

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        found = list(super().read_job_records(window))
        if found and self.lost:
            self.lost -= 1
            return iter(())
        return iter(found)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_an_answer_that_was_lost_is_asked_for_again(site: Site, lost: int) -> None:
    site.slurm = Forgetful(site.slurm.now, lost)
    with_many_days(site)

    assert seconds(measure(site)) == 21 * 3600


def test_answers_that_stay_lost_are_silence_and_not_zero(site: Site) -> None:
    class Lost(Forgetful):
        def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
            self.lost = 1 if window.end - window.start <= DAY else 0
            return super().read_job_records(window)

    site.slurm = Lost(site.slurm.now, 0)
    with_many_days(site)

    with pytest.raises(AccountingDown, match="though there are some"):
        measure(site)


def test_an_idle_cluster_is_asked_a_bounded_number_of_times(site: Site) -> None:
    measure(site)

    assert readings(site) < 40


def test_records_that_lack_every_running_job_are_not_believed(site: Site) -> None:
    site.slurm = Forgetful(site.slurm.now, lost=1000)
    site.job("alpha", "ann", NOON - 3 * HOUR)

    with pytest.raises(AccountingDown, match="of 1 running jobs not one"):
        measure(site)


@pytest.mark.parametrize("hours", [1, 24])
def test_newest_days_that_were_lost_are_doubted_once_older_ones_are_met(
    site: Site, hours: int
) -> None:
    class LostOfLate(FakeSlurm):
        """Loses every answer that reaches into the newest hours."""

        def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
            if window.end > NOON - hours * HOUR:
                return iter(())
            return super().read_job_records(window)

    site.slurm = LostOfLate(now=site.slurm.now)
    with_many_days(site)

    with pytest.raises(AccountingDown, match="though there are some"):
        measure(site)

"""Past days are read once a day, and what was kept of them changes no result."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FOREVER
from tests.unit.agent.metering.measuring import (
    ALPHA,
    CPU,
    DAY,
    NOVEMBER,
    measure,
    readings,
    seconds,
    with_many_days,
)
from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.period import Month, Window


def test_a_suspension_that_ends_later_today_is_taken_out_of_the_past_days(site: Site) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    measure(site)

    site.move_to(NOON + HOUR)
    job.state, job.paused = "RUNNING", [Window(NOON - 80 * HOUR, NOON)]

    assert seconds(measure(site)) == 11 * 3600


def test_past_days_are_read_once_a_day(site: Site) -> None:
    with_many_days(site)
    first = measure(site)
    before = readings(site)

    site.move_to(NOON + 2 * HOUR)
    second = measure(site)

    assert seconds(first) == seconds(second) == 21 * 3600
    assert readings(site) - before == 2


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


@pytest.mark.parametrize("remember", [True, False])
def test_a_job_of_many_days_that_ends_today_counts_whole_and_is_nobodys_runaway(
    site: Site, remember: bool
) -> None:
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    measure(site, remember=remember)
    job.end, job.state = NOON + HOUR, "COMPLETED"
    site.move_to(NOON + 2 * HOUR)

    measurement = measure(site, remember=remember)

    assert seconds(measurement) == 91 * 3600
    assert (measurement.runaways, measurement.unfinished) == ((), frozenset())


def test_a_job_that_ends_today_is_over_in_the_month_before_too(site: Site) -> None:
    site.move_to(datetime(2026, 11, 4, 12, tzinfo=UTC))
    months = [Month(2026, 10), NOVEMBER]
    job = site.job("alpha", "ann", datetime(2026, 10, 31, tzinfo=UTC))
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU])
    meter.measure(months, site.now, {ALPHA})
    job.end, job.state = site.now + HOUR, "COMPLETED"
    site.move_to(site.now + 2 * HOUR)

    found = meter.measure(months, site.now, {ALPHA}).values()

    assert [seconds(each) for each in found] == [24 * 3600, (3 * 24 + 13) * 3600]
    assert [each.runaways for each in found] == [(), ()]


@pytest.mark.parametrize("is_over", [True, False])
def test_days_of_a_suspension_whose_beginning_nobody_could_tell_are_read_again(
    site: Site, is_over: bool
) -> None:
    """The accounting may hear of its end later than slurmctld, or a job's text may forge it."""
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    site.slurm.forgers = [job]
    assert seconds(measure(site)) == 90 * 3600

    site.move_to(NOON + HOUR)
    site.slurm.forgers = []
    if is_over:
        job.state, job.paused = "RUNNING", [Window(NOON - 80 * HOUR, NOON)]

    assert seconds(measure(site)) == (11 if is_over else 10) * 3600


def test_days_of_a_suspension_that_slurmctld_knows_are_read_once(site: Site) -> None:
    with_many_days(site)
    job = site.job("alpha", "ann", NOON - 90 * HOUR)
    job.state, job.paused = "SUSPENDED", [Window(NOON - 80 * HOUR, FOREVER)]
    first = measure(site)
    before = readings(site)
    site.move_to(NOON + HOUR)

    assert seconds(measure(site)) == seconds(first) == (21 + 10) * 3600
    assert readings(site) - before <= 2

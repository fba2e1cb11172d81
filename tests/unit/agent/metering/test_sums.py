"""How long the parts are that records are read in: few processes, and none that grows large."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.push.site import HOUR, NOON, UTC_ZONE, Site
from waldur_slurm.agent.metering import sums as records
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.metering.sums import Sums, next_length
from waldur_slurm.agent.metering.witness import WitnessedRecords
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName

DAY = timedelta(days=1)
ALPHA = AccountName("alpha")
CPU = TresName("cpu")
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


class Counting(FakeSlurm):
    """Notes what each part held."""

    parts: list[tuple[timedelta, int]]

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        found = list(super().read_job_records(window))
        self.parts.append((window.end - window.start, len(found)))
        return iter(found)


@pytest.mark.parametrize(
    ("length", "found", "began", "following"),
    [
        (DAY, 0, 0, 2 * DAY),
        (12 * DAY, 10, 10, 16 * DAY),
        (DAY, 8_000, 6_000, 2 * DAY),
        (DAY, 20_000, 20_000, DAY),
        (DAY, 20_000, 12_000, DAY),
        (DAY, 15_000, 11_000, timedelta(hours=34)),
        (DAY, 160_000, 160_000, timedelta(hours=3)),
        (DAY, 160_000_000, 160_000_000, HOUR),
        # Those that run for long come again in parts of any length.
        (DAY, 30_000, 8_000, 12 * HOUR),
        (DAY, 30_000, 0, 2 * DAY),
        (HOUR, 30_000, 100, 2 * HOUR),
    ],
)
def test_the_next_part_holds_as_many_as_one_may_hold(
    length: timedelta, found: int, began: int, following: timedelta
) -> None:
    assert next_length(Window(MARCH, MARCH + length), length, found, began) == following


def test_a_part_that_ended_with_its_window_shortens_the_next_one_by_nothing_but_its_jobs() -> None:
    last = Window(MARCH, MARCH + 3 * HOUR)

    assert next_length(last, DAY, 100, 100) == 2 * DAY
    assert next_length(last, DAY, 20_000, 20_000) == 3 * HOUR


@pytest.fixture
def slurm(today: Site, monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Where twenty records are many."""
    monkeypatch.setattr(records, "MANY_RECORDS", 20)
    monkeypatch.setattr(records, "FEW_RECORDS", 5)
    slurm = today.slurm = Counting(now=MARCH + 31 * DAY)
    slurm.parts = []
    return slurm


def one_an_hour(site: Site, start: datetime, end: datetime) -> None:
    """Each for three hours."""
    while start < end:
        site.job("alpha", "ann", start, start + 3 * HOUR)
        start += HOUR


def test_a_busy_time_is_read_in_short_parts_and_a_quiet_one_in_long_ones(
    today: Site, slurm: Counting
) -> None:
    one_an_hour(today, MARCH, MARCH + 10 * DAY)

    sums = Sums(Basis.ALLOCATED, frozenset())
    sums.read(WitnessedRecords(slurm), Window(MARCH, MARCH + 31 * DAY))

    lengths, counts = zip(*slurm.parts, strict=True)
    assert counts[0] == 12  # half a day: nothing is known yet
    assert max(counts[1:]) <= 20 + 3  # as many as run at once may come on top
    assert max(lengths) > 4 * DAY


def test_jobs_that_wait_are_not_taken_for_ones_that_begin() -> None:
    class Waiting(FakeSlurm):
        def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
            waiting = JobRecord(
                id="1",
                account=ALPHA,
                user=UserName("ann"),
                state="COMPLETED",
                submitted=MARCH,
                start=window.end + HOUR,
                end=window.end,
                seconds=0,
                allocated={},
                requested={},
            )
            yield from [waiting] * 20_000

    sums = Sums(Basis.ALLOCATED, frozenset())
    sums.read(WitnessedRecords(Waiting()), Window(MARCH, MARCH + DAY / 2))

    assert sums.next_part == DAY


def test_the_newest_days_are_read_as_the_days_before_foresee(today: Site, slurm: Counting) -> None:
    now = slurm.now = MARCH + 20 * DAY
    one_an_hour(today, MARCH, now)
    meter = Meter(slurm, today.state, UTC_ZONE, [CPU])
    meter.measure([Month(2026, 3)], now, {ALPHA})
    slurm.parts = []

    meter.measure([Month(2026, 3)], now, {ALPHA})

    assert [found for _, found in slurm.parts] == [18 + 2, 6 + 2]


def test_after_quiet_days_the_newest_ones_may_be_busy(today: Site, slurm: Counting) -> None:
    now = slurm.now = MARCH + 20 * DAY + 12 * HOUR
    today.job("alpha", "ann", now - HOUR, now)
    meter = Meter(slurm, today.state, UTC_ZONE, [CPU])
    for _ in range(2):
        slurm.parts = []
        meter.measure([Month(2026, 3)], now, {ALPHA})

    assert slurm.parts[0][0] == DAY


def test_after_the_first_a_quiet_day_is_one_part(today: Site, slurm: Counting) -> None:
    one_an_hour(today, MARCH, MARCH + 12 * HOUR)
    for day in range(1, 4):
        today.job("alpha", "ann", MARCH + day * DAY, MARCH + day * DAY + HOUR)
    meter = Meter(slurm, today.state, UTC_ZONE, [CPU])

    meter.measure_days(Window(MARCH, MARCH + 4 * DAY), slurm.now, {ALPHA})

    assert [length for length, _ in slurm.parts] == [DAY / 2, DAY / 2, DAY, DAY, DAY]


def test_memory_does_not_grow_with_the_number_of_jobs(today: Site) -> None:
    few, many = measured_peak(today, 2_000), measured_peak(today, 50_000)

    assert many < 2 * few + 100_000


def measured_peak(site: Site, jobs: int) -> int:
    """The most memory that reading a day of so many jobs took, in bytes."""
    site.slurm = CrowdedSlurm(now=NOON, crowd=jobs)
    tracemalloc.start()
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [TresName("cpu")])
    day = Window(NOON - HOUR, NOON)
    (measurement,) = meter.measure_days(day, NOON, [AccountName("alpha")]).values()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(measurement.tally.values()) == jobs * 60
    return peak


@dataclass
class CrowdedSlurm(FakeSlurm):
    """So many short jobs of one account, made while they are read."""

    crowd: int = 0

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        for number in range(self.crowd):
            yield JobRecord(
                id=str(number),
                account=AccountName("alpha"),
                user=UserName(f"u{number % 50}"),
                state="COMPLETED",
                submitted=window.start,
                start=window.start,
                end=window.end,
                seconds=60,
                allocated={TresName("cpu"): 1},
                requested={TresName("cpu"): 1},
            )

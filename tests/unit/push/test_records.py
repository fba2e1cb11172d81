"""How long the parts are that records are read in: few processes, and none that grows large."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.push.site import HOUR, Site
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.period import Window
from waldur_slurm.model.usage import Basis
from waldur_slurm.push import records
from waldur_slurm.push.records import Sums, next_length
from waldur_slurm.push.witness import WitnessedRecords

DAY = timedelta(days=1)
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
    assert next_length(Window(MARCH, MARCH + length), found, began) == following


def test_a_busy_time_is_read_in_short_parts_and_a_quiet_one_in_long_ones(
    today: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MANY_RECORDS", 20)
    monkeypatch.setattr(records, "FEW_RECORDS", 5)
    slurm = Counting(now=MARCH + 31 * DAY)
    slurm.parts = []
    today.slurm = slurm
    for number in range(10 * 24):  # ten busy days: one an hour, each for three
        start = MARCH + number * HOUR
        today.job("alpha", "ann", start, start + 3 * HOUR)

    sums = Sums(Basis.ALLOCATED, frozenset())
    sums.read(WitnessedRecords(slurm), Window(MARCH, MARCH + 31 * DAY))

    lengths, counts = zip(*slurm.parts, strict=True)
    assert counts[0] == 24  # the first day: nothing is known yet
    assert max(counts[1:]) <= 20 + 3  # as many as run at once may come on top
    assert max(lengths) > 4 * DAY

"""A reading is of one moment, by clocks that agree."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.push.site import CPU, HOUR, NOON, NOVEMBER, Site
from waldur_slurm.agent.push.reader import ClocksDiffer
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.period import Window


def test_clocks_that_differ_tell_nothing(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.waldur.now = NOON + HOUR

    with pytest.raises(ClocksDiffer, match="clock"):
        site.cycle().run()
    assert site.told == []


def test_a_cycle_that_takes_hours_is_right_for_the_moment_it_began(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)
    site.slurm = SlowSlurm(now=NOON, jobs=site.slurm.jobs)
    site.slurm.clock = site.move_to
    site.account("alpha", "ann")

    site.cycle().run()

    assert site.now > NOON + HOUR
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("1.00")


class SlowSlurm(FakeSlurm):
    """Half an hour passes with every reading of records."""

    clock: Callable[[datetime], None]

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        self.clock(self.now + timedelta(minutes=30))
        return super().read_job_records(window)

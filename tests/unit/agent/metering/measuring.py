"""Measuring a site in memory, and what a measurement holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.push.site import HOUR, Site
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.usage import Basis, Measurement, Share
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName

NOVEMBER = Month(2026, 11)
ALPHA = AccountName("alpha")
CPU = TresName("cpu")
DAY = timedelta(days=1)


def measure(site: Site, *, basis: Basis = Basis.ALLOCATED, remember: bool = True) -> Measurement:
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [CPU], basis)
    return meter.measure([NOVEMBER], site.now, {ALPHA}, remember=remember)[NOVEMBER]


def seconds(measurement: Measurement, user: str = "ann") -> int:
    return measurement.tally.get(Share(ALPHA, UserName(user), CPU), 0)


def readings(site: Site) -> int:
    return site.slurm.calls["read_job_records"]


def with_many_days(site: Site) -> Site:
    for day in range(21):
        start = datetime(2026, 11, 1, 10, tzinfo=UTC) + day * DAY
        site.job("alpha", "ann", start, start + HOUR)
    return site


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

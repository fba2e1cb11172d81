"""An empty answer is believed only where a wider one with records in it agrees."""

from collections.abc import Iterator

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.unit.agent.metering.measuring import (
    DAY,
    Forgetful,
    measure,
    readings,
    seconds,
    with_many_days,
)
from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.period import Window


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

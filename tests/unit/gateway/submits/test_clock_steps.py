"""One key, one job, while the host's clock is set."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.errors import OutcomeUnknown
from waldur_slurm.gateway.submits.reading import utc_now


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.fault("the clock is set back")
def test_a_clock_that_is_set_back_after_a_key_was_written_down_makes_no_second_job(
    desk: Desk,
) -> None:
    """The job looks older than its key by what the clock was set; nobody else has that mark."""
    desk.lose("answers")
    desk.cluster.put(desk.cluster.jobs[1]._replace(submitted=utc_now() - timedelta(hours=3)))
    desk.wait(minutes=2)

    with pytest.raises(OutcomeUnknown, match="clocks differ"):
        desk.submit()
    assert len(desk.queue.jobs) == 1


@pytest.mark.fault("the clock is set forward")
def test_a_clock_that_is_set_forward_does_not_end_the_wait_for_a_job_on_its_way(
    desk: Desk,
) -> None:
    """sbatch may hand it in for so long as was said, whatever the time of day is by then."""
    desk.doubt = timedelta(seconds=30)
    desk.start()
    desk.lose("requests")
    ahead = timedelta(minutes=1)
    for key, attempt in desk.journal.kept.items():
        until = attempt.doubt_until - ahead
        desk.journal.kept[key] = replace(attempt, opened=attempt.opened - ahead, doubt_until=until)

    with pytest.raises(OutcomeUnknown, match="on its way") as told:
        desk.submit()
    assert 20 < told.value.after_s <= 30
    assert desk.queue.jobs == []

"""What is told of a job that ended is certain as long as slurmctld has it for certain."""

from datetime import timedelta

import pytest

from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.details import holding
from waldur_slurm.gateway.picture.details import CLOCKS_APART, Certain, kept_after_end
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import LiveJob

KEPT = timedelta(minutes=5)
TOOK = timedelta(seconds=2)


def is_told(job: LiveJob, kept: timedelta = KEPT) -> bool:
    """Whether details are told of it that were read at `BEGAN`, in two seconds."""
    told = {job.run: holding()}
    picture = Picture(generation=1, began=0.0, as_of=BEGAN, took_s=2.0, value=told)
    return Certain(picture, kept).of(job) is not None


def ended(ago: timedelta) -> LiveJob:
    return live_job(state="FAILED", end=BEGAN - ago)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUSPENDED"])
def test_a_job_that_has_not_ended_is_there(state: str) -> None:
    assert is_told(live_job(state=state, end=BEGAN - timedelta(days=1)))


def test_a_job_is_there_for_as_long_as_slurmctld_keeps_it_on_either_clock() -> None:
    longest = KEPT - CLOCKS_APART - TOOK

    assert is_told(ended(longest - timedelta(seconds=1)))
    assert not is_told(ended(longest))


def test_a_job_that_ended_nobody_knows_when_may_be_gone() -> None:
    assert not is_told(live_job(state="CANCELLED", end=None))


def test_a_job_of_which_nothing_was_told_has_no_details() -> None:
    nothing: dict[Run, JobDetails] = {}
    picture = Picture(generation=1, began=0.0, as_of=BEGAN, took_s=0.0, value=nothing)
    assert Certain(picture, KEPT).of(live_job()) is None


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("300 sec", timedelta(minutes=5)),
        ("0 sec", timedelta.max),
        ("soon", timedelta(0)),
    ],
)
def test_slurms_configuration_says_for_how_long_jobs_are_kept(
    printed: str, kept: timedelta
) -> None:
    assert kept_after_end({"MinJobAge": printed}) == kept


def test_a_configuration_that_does_not_say_it_makes_nothing_certain() -> None:
    assert kept_after_end({}) == timedelta(0)
    assert not is_told(ended(timedelta(0)), kept_after_end({}))


def test_where_jobs_are_kept_for_ever_all_are_there() -> None:
    assert is_told(ended(timedelta(days=9_000)), timedelta.max)

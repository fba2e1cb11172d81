"""Summaries: every run once, where it belongs, whatever they are grouped by."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.past import BEGAN, past_run
from tests.unit.gateway.past.test_efficiency import step
from waldur_slurm.gateway.past.summary import GROUPS, Sum, summarize
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob, PastRun
from waldur_slurm.model.tres import tres_name

HOUR = timedelta(hours=1)
GPU = tres_name("gres/gpu")


def job(*runs: PastRun) -> PastJob:
    return PastJob(runs)


def ended(
    number: int = 1, *, state: str = "COMPLETED", hours: int = 1, user: str = "ann"
) -> PastRun:
    return past_run(
        number,
        state=JobState(state),
        user=UserName(user),
        submitted=BEGAN,
        start=BEGAN + HOUR,
        end=BEGAN + HOUR + hours * HOUR,
        elapsed_s=3600 * hours,
        cpus=4,
        allocated={GPU: 1},
    )


def test_jobs_are_added_up_by_what_they_are_grouped_by() -> None:
    found = summarize([job(ended()), job(ended(2)), job(ended(3, user="bob"))], ["user"], BEGAN)

    assert list(found) == [("ann",), ("bob",)]
    ann = found["ann",]
    assert (ann.jobs, ann.cpu_seconds, ann.gpu_seconds, ann.mean_wait_s) == (
        2,
        2 * 4 * 3600,
        2 * 3600,
        3600,
    )


def test_a_requeued_job_is_one_job_and_holds_what_both_runs_did() -> None:
    first = ended(state="NODE_FAIL")
    second = past_run(
        submitted=first.end, start=first.end, end=BEGAN + 5 * HOUR, elapsed_s=3600, cpus=4
    )

    found = summarize([job(first, second)], ["account"], BEGAN)["physics",]

    assert (found.jobs, found.runs, found.failed, found.cpu_seconds) == (1, 2, 0, 2 * 4 * 3600)


def test_one_that_failed_is_counted_and_one_that_never_began_held_nothing() -> None:
    waiting = past_run(2, state=JobState("CANCELLED"), start=None, end=BEGAN, elapsed_s=0)

    found = summarize([job(ended(state="TIMEOUT")), job(waiting)], ["user"], BEGAN)["ann",]

    assert (found.jobs, found.failed, found.begun) == (2, 2, 1)


def test_a_run_belongs_to_the_day_on_which_it_ended_or_to_today() -> None:
    running = past_run(2, state=JobState("RUNNING"), end=None)

    found = summarize([job(ended(hours=12)), job(running)], ["day"], BEGAN + timedelta(days=9))

    assert list(found) == [("2026-11-22",), ("2026-11-30",)]


def test_efficiency_is_what_was_used_of_what_was_held_by_runs_that_are_measured() -> None:
    jobs = [job(ended(1)), job(ended(2)), job(ended(3))]
    half, whole = step(cpu_seconds=2 * 3600.0), step(cpu_seconds=4 * 3600.0)

    found = summarize(jobs, ["user"], BEGAN, {JobId(1): [half], JobId(2): [whole]})

    assert found["ann",].cpu_efficiency == 0.75
    assert summarize(jobs, ["user"], BEGAN)["ann",].cpu_efficiency is None


runs = st.builds(
    ended,
    st.integers(1, 99),
    state=st.sampled_from(["COMPLETED", "FAILED", "TIMEOUT"]),
    hours=st.integers(0, 50),
    user=st.sampled_from(["ann", "bob", "eve"]),
)


@given(
    st.lists(runs),
    st.lists(st.sampled_from(sorted(GROUPS)), min_size=1, max_size=4, unique=True),
)
def test_the_groups_together_are_the_whole(found: Sequence[PastRun], by: list[str]) -> None:
    jobs = [job(run) for run in found]
    sums = summarize(jobs, by, BEGAN).values()
    whole = summarize(jobs, [], BEGAN).get((), Sum())

    assert sum(each.jobs for each in sums) == whole.jobs == len(jobs)
    assert sum(each.cpu_seconds for each in sums) == whole.cpu_seconds
    assert sum(each.failed for each in sums) == whole.failed

"""Which jobs are found, shown in which order, and what became different between two pictures."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cluster import BEGAN, live_job
from waldur_slurm.gateway.picture.changes import Came, Left, Turned, changes
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.wanted import Bound, JobsWanted, page_of, select
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import JobListing, LiveJob
from waldur_slurm.model.names import AccountName, UserName


def picture(*jobs: LiveJob) -> JobsNow:
    return JobsNow(JobListing(jobs))


ANN, BOB = UserName("ann"), UserName("bob")

QUEUE = picture(
    live_job(1, user=ANN, partition="main", priority=5),
    live_job(2, user=BOB, partition="gpu,main", account=AccountName("bio"), name="fold-7"),
    live_job(3, user=ANN, state="RUNNING", hosts="n[1-3]", partition="gpu"),
    live_job(40, id=job_id("4_[1-3,7%2]"), user=BOB),
    live_job(41, id=job_id("4_4"), user=BOB, state="RUNNING", hosts="n9"),
)


def numbers(jobs: list[LiveJob]) -> list[int]:
    return [job.number for job in jobs]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (JobsWanted(), [1, 2, 3, 40, 41]),
        (JobsWanted(users=frozenset({"ann"})), [1, 3]),
        (JobsWanted(partitions=frozenset({"main"})), [1, 2, 40, 41]),
        (JobsWanted(accounts=frozenset({"bio"})), [2]),
        (JobsWanted(states=frozenset({"RUNNING"})), [3, 41]),
        (JobsWanted(patterns=("fold-*",)), [2]),
        (JobsWanted(nodes=frozenset({"n2"})), [3]),
        (JobsWanted(ids=frozenset({job_id("4")})), [40, 41]),
        (JobsWanted(ids=frozenset({job_id("4_7")})), [40]),
        (JobsWanted(ids=frozenset({job_id("4_4")})), [41]),
        (JobsWanted(ids=frozenset({job_id("4_5"), job_id("77")})), []),
        (JobsWanted(bounds=(Bound("job_id", "gte", 2), Bound("job_id", "lt", 4))), [2, 3]),
        (JobsWanted(bounds=(Bound("priority", "gt", 4),)), [1]),
        (JobsWanted(users=frozenset({"ann"}), states=frozenset({"RUNNING"})), [3]),
    ],
)
def test_a_filter_finds_what_it_names(wanted: JobsWanted, found: list[int]) -> None:
    assert sorted(numbers(select(QUEUE, wanted, owners=None))) == found


@pytest.mark.parametrize(
    "wanted",
    [JobsWanted(), JobsWanted(users=frozenset({"bob"})), JobsWanted(ids=frozenset({job_id("2")}))],
)
def test_no_filter_shows_a_job_of_somebody_else(wanted: JobsWanted) -> None:
    assert {job.user for job in select(QUEUE, wanted, owners={"ann"})} <= {ANN}


jobs = st.lists(
    st.builds(
        live_job,
        st.integers(1, 60),
        priority=st.integers(0, 3),
        user=st.sampled_from([ANN, BOB]),
        submitted=st.integers(0, 3).map(lambda s: BEGAN + timedelta(seconds=s)),
    ),
    unique_by=lambda job: job.number,
    max_size=30,
)


@given(
    jobs,
    st.sampled_from(["job_id", "priority", "user", "submit_time"]),
    st.booleans(),
    st.integers(1, 7),
)
def test_pages_hold_every_job_once_and_in_order(
    queue: list[LiveJob], sort: str, downward: bool, limit: int
) -> None:
    found: list[int] = []
    page = page_of(queue, sort, limit, None, downward=downward)
    found += numbers(list(page.jobs))
    while page.after is not None:
        page = page_of(queue, sort, limit, page.after, downward=downward)
        found += numbers(list(page.jobs))

    whole = page_of(queue, sort, len(queue) + 1, None, downward=downward)
    assert found == numbers(list(whole.jobs))
    assert sorted(found) == sorted(numbers(queue))


@given(jobs, jobs, st.integers(1, 7))
def test_a_job_that_stayed_is_on_one_page_although_the_list_changed_between_them(
    before: list[LiveJob], after: list[LiveJob], limit: int
) -> None:
    """The second page is cut from a newer list, in which the same job may be another one."""
    stayed = [job for job in before if job in after]
    first = page_of(before, "job_id", limit, None, downward=False)
    rest = page_of(after, "job_id", 100, first.after, downward=False) if first.after else None

    shown = [*first.jobs, *(rest.jobs if rest else ())]
    if rest is not None:
        assert all(shown.count(job) == 1 for job in stayed)


def described(found: list[Any]) -> list[tuple[str, int]]:
    return [(type(change).__name__, change.job.number) for change in found]


def test_changes_tell_what_came_what_turned_and_what_left() -> None:
    after = picture(
        live_job(1, user=ANN, priority=9),
        live_job(3, user=ANN, state="COMPLETED"),
        live_job(5, user=ANN),
    )

    assert described(list(changes(picture(live_job(1), live_job(2), live_job(3)), after))) == [
        ("Turned", 3),
        ("Came", 5),
        ("Left", 2),
    ]


def test_a_number_that_is_used_again_is_another_job() -> None:
    again = live_job(1, submitted=BEGAN + timedelta(days=1))

    found = list(changes(picture(live_job(1)), picture(again)))

    assert found == [Came(again), Left(live_job(1))]


def test_nothing_came_with_the_first_picture() -> None:
    assert list(changes(None, QUEUE)) == []


@given(jobs, jobs)
def test_changes_lead_from_one_picture_to_the_next(
    before: list[LiveJob], after: list[LiveJob]
) -> None:
    known = {job.run: job.state for job in before}
    for change in changes(picture(*before), picture(*after)):
        match change:
            case Came(job) | Turned(_, job):
                known[job.run] = job.state
            case Left(job):
                del known[job.run]

    assert known == {job.run: job.state for job in after}


def test_a_turn_shows_both_states() -> None:
    running = live_job(1, state="RUNNING")

    assert list(changes(picture(live_job(1)), picture(running))) == [Turned(live_job(1), running)]
    assert JobState("PENDING") == live_job(1).state

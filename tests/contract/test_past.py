"""The past is told whole, the newest job first, and never as empty where nobody answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.batch_site import ACCOUNT, ANN, BOB
from tests.contract.past_site import PastSite
from waldur_slurm.errors import AccountingDown, SlurmError
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import PastJob, PastQuery
from waldur_slurm.slurm.past.port import History


def jobs(site: PastSite, query: PastQuery | None = None) -> list[PastJob]:
    site.settle()
    found = [*site.history.read_jobs(query or site.query())]
    assert all(isinstance(job, PastJob) for job in found)
    return [job for job in found if isinstance(job, PastJob)]


def ids(found: list[PastJob]) -> list[JobId]:
    return [job.id for job in found]


def test_jobs_come_the_newest_first_each_once(past_site: PastSite) -> None:
    numbers = [past_site.finish() for _ in range(3)]
    assert ids(jobs(past_site)) == numbers[::-1]


def test_a_job_is_told_with_its_owner_its_times_and_its_end(past_site: PastSite) -> None:
    past_site.finish(BOB, name="my name", comment="my words")
    (job,) = jobs(past_site)
    run = job.last
    assert (run.user, run.account, run.partition, run.qos) == (BOB, ACCOUNT, "main", "normal")
    assert (run.name, run.comment, run.work_dir) == ("my name", "my words", "/tmp")  # noqa: S108 - as submitted
    assert run.state.base == "COMPLETED"
    assert run.exit == (0, 0)
    assert run.start is not None
    assert run.end is not None
    assert run.submitted <= run.start <= run.end
    assert (run.node_count, run.cpus) == (1, 1)
    assert run.hosts.startswith("n")


def test_one_users_jobs_are_told_without_anybody_elses(past_site: PastSite) -> None:
    past_site.finish(ANN, name="mine")
    theirs = past_site.finish(BOB, name="theirs, and|theirs")
    past_site.settle()
    query = past_site.query()
    for narrowed in (
        replace(query, users=frozenset({BOB})),
        replace(query, users=frozenset({BOB, UserName("nobody-at-all")})),
        replace(query, names=frozenset({"theirs, and|theirs"})),
    ):
        assert ids(jobs(past_site, narrowed)) == [theirs]


def test_what_is_asked_for_and_is_not_there_is_nothing(past_site: PastSite) -> None:
    past_site.finish()
    past_site.settle()
    query = past_site.query()
    assert len(jobs(past_site, query)) == 1
    for narrowed in (
        replace(query, users=frozenset({UserName("nobody-at-all")})),
        replace(query, accounts=frozenset({AccountName("nosuch")})),
        replace(query, partitions=frozenset({"nosuch"})),
        replace(query, qos=frozenset({"nosuch"})),
        replace(query, states=frozenset({"FAILED"})),
        replace(query, names=frozenset({"nosuch"})),
        replace(query, ids=frozenset({JobId(999_999)})),
        replace(query, first=999_999),
        replace(query, last=0),
    ):
        assert jobs(past_site, narrowed) == []


def test_numbers_are_compared(past_site: PastSite) -> None:
    numbers = [past_site.finish() for _ in range(3)]
    middle = numbers[1].number
    query = past_site.query()
    assert ids(jobs(past_site, replace(query, first=middle))) == [numbers[2], numbers[1]]
    assert ids(jobs(past_site, replace(query, first=middle, last=middle))) == [numbers[1]]


def test_an_arrays_number_stands_for_its_tasks(past_site: PastSite) -> None:
    array = past_site.finish(array="1-2")
    past_site.finish()
    tasks = [JobId(array.number, Task(task)) for task in (2, 1)]
    query = past_site.query()
    assert set(ids(jobs(past_site, replace(query, ids=frozenset({array}))))) == {*tasks}
    assert ids(jobs(past_site, replace(query, ids=frozenset({tasks[0]})))) == tasks[:1]


def test_the_runs_of_a_requeued_job_are_together(past_site: PastSite) -> None:
    number = past_site.run_twice()
    (job,) = jobs(past_site)
    assert job.id == number
    assert [run.state.base for run in job.runs] == ["REQUEUED", "CANCELLED"]
    assert job.submitted == job.runs[0].submitted
    assert job.runs[0].precedes(job.runs[1])
    assert ids(jobs(past_site, replace(past_site.query(), ids=frozenset({number})))) == [number]
    requeued = replace(past_site.query(), states=frozenset({"REQUEUED"}))
    assert jobs(past_site, requeued) == []


def test_pages_hold_each_job_once(past_site: PastSite) -> None:
    numbers = [past_site.finish() for _ in range(3)]
    past_site.settle()
    query = past_site.query()
    first = past_site.history.read_page(query, limit=2)
    assert ids([*first.jobs]) == [numbers[2], numbers[1]]
    assert first.after == first.jobs[-1].position
    second = past_site.history.read_page(query, limit=2, after=first.after)
    assert (ids([*second.jobs]), second.after) == ([numbers[0]], None)
    whole = past_site.history.read_page(query, limit=3)
    assert (len(whole.jobs), whole.after) == (3, None)


def test_steps_tell_what_was_used(past_site: PastSite) -> None:
    job = past_site.finish()
    past_site.settle()
    steps = past_site.history.read_steps([job], past_site.query().since)
    assert [step.step for step in steps[job]] == ["batch"]
    assert steps[job][0].cpu_seconds >= 0
    assert past_site.history.read_steps([JobId(999_999)], past_site.query().since) == {}


def test_where_a_job_wrote_is_told_by_releases_that_keep_it(past_site: PastSite) -> None:
    job = past_site.finish()
    past_site.settle()
    found = past_site.history.read_outputs([job, JobId(999_999)], past_site.query().since)
    told = {output.job: (output.stdout, output.stderr) for output in found.values()}
    assert told == ({job: ("/dev/null", "")} if past_site.keeps_outputs else {})
    assert all(each.submitted == jobs(past_site)[0].submitted for each in found.values())


def test_people_and_their_accounts_are_told(past_site: PastSite) -> None:
    assert {ANN, BOB} <= {person.name for person in past_site.history.read_people()}
    memberships = past_site.history.read_memberships()
    assert {(ACCOUNT, ANN), (ACCOUNT, BOB)} <= {(each.account, each.user) for each in memberships}
    assert len({each.id for each in memberships}) == len(memberships)


def test_an_accounting_that_hides_nothing_says_so(past_site: PastSite) -> None:
    assert past_site.history.read_private() == ()


def test_accounts_are_told_each_once_with_the_one_above(past_site: PastSite) -> None:
    accounts = past_site.history.read_accounts()
    above = {account.name: account.parent for account in accounts}
    assert (above[AccountName("root")], above[AccountName(ACCOUNT)]) == (None, "root")
    assert len(above) == len(accounts)


def test_a_job_that_the_accounting_has_not_heard_of_is_there_a_little_later(
    past_site: PastSite,
) -> None:
    job = past_site.submit()
    at_once = [*past_site.history.read_jobs(past_site.query())]
    assert ids(jobs(past_site)) == [job]
    assert len(at_once) <= 1
    assert not jobs(past_site)[0].last.state.is_terminal


CALLS: dict[str, Callable[[History, PastQuery], object]] = {
    "read_jobs": lambda history, query: [*history.read_jobs(query)],
    "read_page": lambda history, query: history.read_page(query, limit=1),
    "read_numbers": lambda history, query: [
        *history.read_jobs(replace(query, ids=frozenset({JobId(1)})))
    ],
    "read_steps": lambda history, query: history.read_steps([JobId(1)], query.since),
    "read_outputs": lambda history, query: history.read_outputs([JobId(1)], query.since),
    "read_private": lambda history, _: history.read_private(),
    "read_people": lambda history, _: history.read_people(),
    "read_accounts": lambda history, _: history.read_accounts(),
    "read_memberships": lambda history, _: history.read_memberships(),
}


def test_an_accounting_that_is_away_is_not_empty(past_site: PastSite) -> None:
    query = past_site.query()
    for call in CALLS.values():
        call(past_site.history, query)
    with past_site.down():
        for call in CALLS.values():
            with pytest.raises(AccountingDown):
                call(past_site.history, query)
    for call in CALLS.values():
        call(past_site.history, query)


def test_an_accounting_that_does_not_answer_is_not_empty(past_site: PastSite) -> None:
    query = past_site.query()
    with past_site.frozen():
        for call in CALLS.values():
            with pytest.raises(SlurmError) as silence:
                call(past_site.history, query)
            assert silence.value.transient


def test_a_window_in_which_nothing_was_is_empty(past_site: PastSite) -> None:
    since = datetime(2001, 1, 1, tzinfo=UTC)
    assert jobs(past_site, PastQuery(since, since + timedelta(days=40))) == []

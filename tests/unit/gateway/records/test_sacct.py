"""Records by sacct: a page is read no further than it goes, and nothing odd is asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.past import FakeHistory
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.records.record import Numbers, RecordsWanted
from waldur_slurm.gateway.records.sacct import SacctRecords
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import PastJob, PastQuery, PastRun, UnreadablePast
from waldur_slurm.model.tres import TresName

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOON = NOW - timedelta(seconds=5)
CPU, MEM = TresName("cpu"), TresName("mem")


def run(number: int, **changes: object) -> PastRun:
    submitted = NOW - timedelta(hours=1) + timedelta(seconds=number)
    made = PastRun(
        id=JobId(number), number=number, uid=1000, priority=1, state=JobState("COMPLETED"),
        user=UserName("ann"), account=AccountName("a"), association=4, partition="main",
        qos="normal", submitted=submitted, eligible=submitted, start=submitted,
        end=submitted + timedelta(seconds=1), elapsed_s=1, limit_s=3600, exit=ExitCode(0, 0),
        node_count=2, cpus=4, hosts="n[1-2]", allocated={}, requested={CPU: 4, MEM: 400},
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # a typo fails at once


class Counted(FakeHistory):
    """Counts what was read of it, and keeps what was asked."""

    def __init__(self, runs: list[PastRun]) -> None:
        super().__init__(runs=runs)
        self.read = 0
        self.asked: list[PastQuery] = []

    def read_jobs(self, query: PastQuery) -> Iterator[PastJob | UnreadablePast]:
        self.asked.append(query)
        for job in super().read_jobs(query):
            self.read += 1
            yield job


def records(*runs: PastRun) -> tuple[SacctRecords, Counted]:
    history = Counted([*runs])
    return SacctRecords(history, timedelta(days=30), now=lambda: NOW), history


def numbers(found: SacctRecords, **wanted: object) -> list[int]:
    asked = RecordsWanted(**{"limit": 10, **wanted})  # type: ignore[arg-type]  # a typo fails at once
    return [each.number for each in found.read_jobs(asked)]


def test_a_page_begins_after_the_offset_and_reads_no_further_than_its_second() -> None:
    found, history = records(*(run(number) for number in range(1, 101)))
    assert numbers(found, limit=3, offset=2) == [98, 97, 96]
    assert history.read == 6


def test_tasks_of_an_array_stand_among_others_of_their_second_by_their_own_numbers() -> None:
    tasks = [run(40 + task, id=JobId(40, Task(task)), submitted=SOON) for task in (1, 3)]
    found, _ = records(run(42, submitted=SOON), *tasks)
    assert numbers(found) == [43, 42, 41]


def test_it_looks_back_as_far_as_it_is_told() -> None:
    found, history = records()
    numbers(found)
    assert (history.asked[0].since, history.asked[0].until) == (NOW - timedelta(days=30), NOW)


def test_a_task_of_an_array_is_found_by_its_own_number_alone() -> None:
    tasks = [run(40 + task, id=JobId(40, Task(task))) for task in (1, 2)]
    found, _ = records(*tasks, run(40))
    assert numbers(found, numbers=Numbers(42, 42)) == [42]
    assert numbers(found, numbers=Numbers(40, 40)) == [40]


def test_a_requeued_job_is_one_with_the_words_of_its_last_run_and_its_first_submission() -> None:
    first = run(7, state=JobState("NODE_FAIL"))
    again = run(7, submitted=first.end, state=JobState("RUNNING"), end=None)
    found, _ = records(first, again)
    (record,) = found.read_jobs(RecordsWanted(limit=10))
    assert (record.state, record.end, record.submitted) == ("RUNNING", None, first.submitted)


def test_memory_is_a_nodes_and_a_job_that_waits_has_no_nodes() -> None:
    found, _ = records(run(2, start=None, end=None, hosts="", state=JobState("PENDING")), run(1))
    waits, ran = found.read_jobs(RecordsWanted(limit=10))
    assert (ran.memory_mib, ran.node_count, ran.cpus) == (200, 2, 4)
    assert (waits.node_count, waits.hosts) == (0, "")


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 0},
        {"owners": frozenset()},
        {"owners": frozenset({UserName("Bob;rm -rf")})},
        {"user": UserName("Bob;rm -rf"), "owners": None},
        {"user": UserName("--help")},
        {"user": UserName("bob"), "owners": frozenset({UserName("ann")})},
        {"numbers": Numbers(-5, -5)},
        {"numbers": Numbers(2**32, 2**32)},
        {"numbers": Numbers(9, 3)},
    ],
)
def test_what_no_job_can_be_is_not_even_asked(wanted: dict[str, object]) -> None:
    found, history = records(run(1))
    assert numbers(found, **wanted) == []
    assert history.asked == []


def test_only_owners_jobs_are_asked_for() -> None:
    found, history = records(run(1), run(2, user=UserName("bob")))
    assert numbers(found, owners=frozenset({UserName("bob")})) == [2]
    assert history.asked[0].users == {"bob"}


def test_every_filter_restricts() -> None:
    found, _ = records(run(1), run(2, name="x", partition="low", association=5))
    assert numbers(found, name="x") == numbers(found, partition="low") == [2]
    assert numbers(found, association=4) == [1]
    assert numbers(found, state="RUNNING") == []
    assert numbers(found, hidden=frozenset({"low"})) == [1]


def test_an_accounting_that_is_away_is_no_empty_list() -> None:
    found, history = records(run(1))
    history.go_down()
    with pytest.raises(AccountingDown):
        numbers(found)
    with pytest.raises(AccountingDown):
        found.read_belongings()

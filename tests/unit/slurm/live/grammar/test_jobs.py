"""Each row of the queue is a job, or one unreadable job."""

from datetime import UTC, datetime

import pytest

from tests.unit.slurm.live.queue import PLAIN, printed
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import Component, JobId, Span, Task, Tasks
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import ExitCode, LiveJob
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.live.grammar.columns import QueueRow
from waldur_slurm.slurm.live.grammar.jobs import parse_jobs

MARK = mark_of("QmFzZTY0dXJs")


def parsed(row: QueueRow) -> LiveJob:
    listing = parse_jobs(printed(MARK, row), MARK)
    assert listing is not None
    assert listing.unreadable == ()
    (job,) = listing.jobs
    return job


def test_a_job_is_read_with_all_that_squeue_says() -> None:
    job = parsed(PLAIN)

    assert (str(job.id), job.number, str(job.state), job.reason) == ("7", 7, "RUNNING", "")
    assert job.submitted == datetime.fromtimestamp(1796014212, UTC)
    assert (job.limit_s, job.elapsed_s, job.nice) == (86_460, 55, -5)
    assert dict(job.tres) == {"cpu": 4, "mem": 7680, "node": 2, "billing": 4, "gres/gpu": 1}
    assert (job.hosts, job.scheduled_hosts, job.licenses) == ("n[1-2]", "", "ansys:2")
    assert job.stdout == job.stderr == "/home/ann/slurm-7.out"
    assert job.comment == ""
    assert job.run == Run("7", job.submitted)


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ("3_[1-5,9%2]", JobId(3, Tasks((Span(1, 5), Span(9, 9)), at_once=2))),
        ("3_4", JobId(3, Task(4))),
        ("4+1", JobId(4, Component(1))),
    ],
)
def test_arrays_and_components_keep_their_parts(text: str, job_id: JobId) -> None:
    assert parsed(PLAIN._replace(id=text)).id == job_id


@pytest.mark.parametrize(
    ("text", "code"), [("768", (3, 0)), ("9", (0, 9)), ("3:0", (3, 0)), ("0:9", (0, 9))]
)
def test_an_exit_code_is_read_as_every_release_prints_it(text: str, code: tuple[int, int]) -> None:
    assert parsed(PLAIN._replace(exit=text)).exit == ExitCode(*code)


def test_a_job_without_a_limit_that_runs_has_no_end() -> None:
    job = parsed(PLAIN._replace(limit="UNLIMITED", end="NONE"))

    assert (job.limit_s, job.end) == (None, None)


def test_a_job_that_waits_has_no_times_yet() -> None:
    job = parsed(PLAIN._replace(state="PENDING", start="N/A", end="N/A", tasks="4294967294"))

    assert (job.start, job.end, job.tasks) == (None, None, None)


@pytest.mark.parametrize("text", ["a|b", "x\n99|COMPLETED|root|", "N/A", "\\n", " ", "\ttab"])
def test_what_its_owner_wrote_stays_as_it_is(text: str) -> None:
    job = parsed(PLAIN._replace(name=text, comment=text, work_dir=text, command=text))

    assert (job.name, job.comment, job.work_dir, job.command) == (text,) * 4


@pytest.mark.parametrize(
    "changes",
    [{"state": "?"}, {"id": "x"}, {"submitted": "N/A"}, {"cpus": "-"}, {"limit": "soon"}],
)
def test_a_row_that_cannot_be_read_is_one_unreadable_job(changes: dict[str, str]) -> None:
    rows = [PLAIN, PLAIN._replace(**changes), PLAIN._replace(id="8")]
    listing = parse_jobs(printed(MARK, *rows), MARK)

    assert listing is not None
    assert [str(job.id) for job in listing.jobs] == ["7", "8"]
    assert [job.cells for job in listing.unreadable] == [tuple(rows[1])]


def test_an_answer_without_a_heading_is_none() -> None:
    assert parse_jobs([], MARK) is None


@pytest.mark.parametrize("above", [[], ["CLUSTER: lab"], ["", "Welcome to lab!"]])
def test_a_heading_alone_is_an_empty_queue_whatever_stands_above_it(above: list[str]) -> None:
    listing = parse_jobs([*above, *printed(MARK)], MARK)

    assert listing is not None
    assert (listing.jobs, listing.unreadable) == ((), ())


def test_rows_without_a_heading_and_other_columns_are_refused() -> None:
    with pytest.raises(UnparsableOutput):
        parse_jobs(printed(MARK, PLAIN, heading=False), MARK)
    with pytest.raises(UnparsableOutput):
        parse_jobs(["             JOBID PARTITION     NAME"], MARK)


def test_what_comes_again_is_kept_once() -> None:
    again = {"hosts": "".join(["n", "[1-2]"])}
    listing = parse_jobs(printed(MARK, PLAIN, PLAIN._replace(**again)), MARK)

    assert listing is not None
    one, other = listing.jobs
    assert one.hosts is other.hosts
    assert one.tres is other.tres


def test_columns_are_in_the_order_of_a_jobs_fields() -> None:
    """So a row's meanings are a job's fields, without naming each once more."""
    units = {"limit_s": "limit", "elapsed_s": "elapsed"}
    told = [units.get(name, name) for name in LiveJob._fields]

    assert told == [*QueueRow._fields]

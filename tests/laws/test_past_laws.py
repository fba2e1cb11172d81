"""Whatever order jobs ended in and however time is sliced, each is told once, with all its runs."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import PastJob, PastRun, UnreadablePast
from waldur_slurm.model.period import Window
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.past.grammar import walk
from waldur_slurm.slurm.past.grammar.columns import TEXTS, RunRow
from waldur_slurm.slurm.past.grammar.parsers import parse_run
from waldur_slurm.slurm.past.grammar.rows import read_rows

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=30))
MARK = mark_of("A" * 12)


def _run(number: int, submitted: datetime, end: datetime | None) -> PastRun:
    return PastRun(
        id=JobId(number), state=JobState("COMPLETED"), user=UserName("ann"),
        account=AccountName("a"), association=1, partition="p", qos="q", submitted=submitted,
        eligible=submitted, start=submitted, end=end, elapsed_s=1, limit_s=None,
        exit=ExitCode(0, 0), node_count=1, cpus=1, hosts="n1", allocated={}, requested={},
    )  # fmt: skip


@st.composite
def _jobs(draw: st.DrawFn) -> list[PastJob]:
    """Jobs of one to three runs, all touching the window's time, some not over."""
    jobs = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        at = START + timedelta(minutes=draw(st.integers(0, 43_000)))
        runs = []
        for _ in range(draw(st.integers(1, 3))):
            end = at + timedelta(minutes=draw(st.integers(1, 9_000)))
            runs.append(_run(number, at, end))
            at = end + timedelta(minutes=draw(st.integers(0, 60)))  # cleaned up by then
        if draw(st.booleans()):
            runs[-1] = _run(number, runs[-1].submitted, None)
        if runs[-1].submitted < WINDOW.end:
            jobs.append(PastJob(tuple(runs)))
    return jobs


@given(_jobs(), st.integers(1, 600))
def test_walking_slices_tells_every_job_once_the_newest_first(
    jobs: list[PastJob], hours: int
) -> None:
    runs = [run for job in jobs for run in job.runs]
    walking = walk.Walk(WINDOW)
    walking._length = timedelta(hours=hours)
    found: list[PastJob] = []
    while (part := walking.next_slice()) is not None:
        touching = [
            run
            for run in runs
            if run.submitted <= part.end and (run.end is None or run.end >= part.start)
        ]
        found.extend(walking.take(part, touching))
    assert found == sorted(jobs, key=lambda job: job.position, reverse=True)
    assert walking._held == {}


CELLS = (
    "7", "ann", "physics", "COMPLETED", "100", "main", "100", "100", "160", "60", "10", "0:0",
    "1", "1", "n1", "4", "normal", "cpu=1", "cpu=1",
    "7", "1000", "1",
)  # fmt: skip
FORGED = ("4711", "root", *CELLS[2:])


def _written(texts: tuple[str, ...]) -> list[str]:
    return "".join(f"{cell}{MARK}" for cell in (*CELLS, *texts, *texts)).split("\n")


def _read(lines: list[str]) -> list[PastRun | UnreadablePast]:
    return [*read_rows(lines, MARK, RunRow, len(TEXTS), parse_run)]


TEXT = st.text("a|\n~;, ", max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5))
def test_texts_without_the_mark_come_back_whole(written: list[tuple[str, str, str]]) -> None:
    lines = [line for texts in written for line in _written(texts)]
    found = [
        (run.name, run.comment, run.work_dir) for run in _read(lines) if isinstance(run, PastRun)
    ]
    assert found == written


PIECES = st.sampled_from([MARK, f"{MARK}\n", "\n", "a", "", *FORGED, MARK.join(FORGED)])
SMART = st.lists(PIECES, max_size=60).map("".join)
ROW_END = MARK.join(["b", "c", "a", "b", "c", ""])
FULL = MARK.join([*FORGED, *"abcabc", ""])


@given(SMART | st.just(f"{ROW_END}\n{FULL}\n{MARK.join(FORGED)}{MARK}a"), SMART, SMART)
def test_whoever_knows_the_mark_makes_no_row_that_is_believed(
    name: str, comment: str, work_dir: str
) -> None:
    """An answer with a row that does not fit is asked for again, so it need not fit whole."""
    try:
        found = _read(_written((name, comment, work_dir)))
    except UnparsableOutput:
        return
    if all(isinstance(each, PastRun) for each in found):
        assert [each.id for each in found if isinstance(each, PastRun)] == [JobId(7)]


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("at", range(3))
def test_whole_rows_in_a_text_leave_a_row_that_does_not_fit(rows: int, at: int) -> None:
    texts = ["a", "b", "c"]
    end = MARK.join([*texts[at:], *texts, ""])
    full = MARK.join([*FORGED, *texts, *texts, ""])
    middle = "\n".join([full] * (rows - 1))
    parts = [end, *([middle] if middle else []), MARK.join([*FORGED, *texts[: at + 1]])]
    texts[at] = "\n".join(parts)
    try:
        found = _read(_written((texts[0], texts[1], texts[2])))
    except UnparsableOutput:
        return
    assert any(isinstance(each, UnreadablePast) for each in found)


def test_positions_order_jobs_of_one_second_by_number() -> None:
    jobs = [PastJob((_run(number, START, None),)) for number in (9, 10, 11)]
    assert all(one.position < two.position for one, two in pairwise(jobs))


def test_a_slice_that_begins_between_two_runs_gives_out_no_half_job() -> None:
    """The first run ended right before the slice, and was cleaned up in it."""
    edge = WINDOW.end - walk.DAY
    first = _run(1, edge - timedelta(hours=2), edge - timedelta(minutes=1))
    second = _run(1, edge + timedelta(minutes=1), edge + timedelta(hours=2))
    walking = walk.Walk(WINDOW)

    newest = walking.next_slice()
    assert newest is not None
    assert [*walking.take(newest, [second])] == []
    older = walking.next_slice()
    assert older is not None
    assert [*walking.take(older, [first])] == [PastJob((first, second))]

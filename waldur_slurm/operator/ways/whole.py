"""A job from its rows: the tasks of an array, or the components of one job, are one. Pure.

It has ended when all its parts have; until then it is where the one is that is furthest, and after
that it came to what the worst came to. The texts are of that part.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from waldur_slurm.model.batch import JobId, Task, Tasks
from waldur_slurm.model.job_state import JobOutcome, JobState, Phase
from waldur_slurm.operator.jobs.port import SeenJob, TaskCounts

_GOES_ON = (Phase.RUNNING, Phase.SUSPENDED, Phase.UNKNOWN, Phase.PENDING)
"""The furthest first. What is not understood may hold nodes, and certainly has not ended."""

_WORST: tuple[JobOutcome | None, ...] = (
    JobOutcome.NODE_FAIL,
    JobOutcome.BOOT_FAIL,
    JobOutcome.OUT_OF_MEMORY,
    JobOutcome.TIMEOUT,
    JobOutcome.DEADLINE,
    JobOutcome.FAILED,
    JobOutcome.PREEMPTED,
    JobOutcome.CANCELLED,
    None,
    JobOutcome.SUCCESS,
)


@dataclass(frozen=True, slots=True)
class Row:
    """What Slurm says of a job, of one task, or of tasks that wait together."""

    id: JobId
    seen: SeenJob

    @property
    def tasks(self) -> int:
        """How many tasks it stands for."""
        part = self.id.part
        return part.count if isinstance(part, Tasks) else int(isinstance(part, Task))


def are_several(rows: Collection[Row]) -> bool:
    """Whether they are of more than one job: which of them is meant nobody could tell."""
    return len({(row.id.number, row.seen.ref.user) for row in rows}) > 1


def whole_of(rows: Sequence[Row]) -> SeenJob:
    """Put the rows of one job together; there is at least one."""
    chief = min(rows, key=_rank).seen
    times = [row.seen.ref.submitted for row in rows if row.seen.ref.submitted is not None]
    starts = [row.seen.started for row in rows if row.seen.started is not None]
    ends = [row.seen.ended for row in rows if row.seen.ended is not None]
    has_ended = chief.state.is_terminal
    return replace(
        chief,
        ref=replace(
            chief.ref, job_id=str(rows[0].id.whole), submitted=min(times) if times else None
        ),
        started=min(starts) if starts else None,
        ended=max(ends) if ends and has_ended else None,
        tasks=_counts(rows),
    )


def _rank(row: Row) -> tuple[int, str]:
    """Of parts that are alike the first one; a script runs on the first component alone."""
    state = row.seen.state
    if not state.is_terminal:
        return _GOES_ON.index(state.phase), str(row.id)
    return len(_GOES_ON) + _WORST.index(state.outcome), str(row.id)


def _counts(rows: Sequence[Row]) -> TaskCounts | None:
    total = sum(row.tasks for row in rows)
    if not total:
        return None
    pending = sum(row.tasks for row in rows if row.seen.state.phase is Phase.PENDING)
    succeeded = sum(row.tasks for row in rows if _is_success(row.seen.state))
    ended = sum(row.tasks for row in rows if row.seen.state.is_terminal)
    return TaskCounts(
        total=total,
        pending=pending,
        running=total - pending - ended,
        succeeded=succeeded,
        failed=ended - succeeded,
    )


def _is_success(state: JobState) -> bool:
    return state.outcome is JobOutcome.SUCCESS

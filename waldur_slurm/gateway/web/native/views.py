"""Things as the native API shows them: the same words whatever release of Slurm is behind. Pure.

Times are RFC 3339 in UTC. What Slurm does not tell is null. What users wrote (names, comments,
paths) is passed on as it is.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from waldur_slurm.gateway.submits.marks import marked
from waldur_slurm.gateway.wire import (
    ArrayView,
    ExitView,
    JobView,
    ResourcesView,
    StateView,
    TimesView,
)
from waldur_slurm.model.batch import Component, Task, Tasks
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.tres import Tres
from waldur_slurm.slurm.grammar.output_names import asked_pattern


class _StateWords(NamedTuple):
    """What a state comes to; many jobs have the same, and each is looked at once."""

    state: StateView
    phase: str
    is_terminal: bool
    outcome: str | None


def job_view(job: LiveJob, cluster: str, as_of: datetime) -> JobView:
    part, comment, words = job.id.part, marked(job.comment), _state_words(job.state, job.reason)
    return JobView(
        job_id=str(job.id),
        array=array_view(job.id.number, part),
        het=part.offset if isinstance(part, Component) else None,
        name=job.name,
        user=job.user,
        uid=job.uid,
        account=job.account,
        partition=job.partition,
        qos=job.qos,
        state=words.state,
        phase=words.phase,
        terminal=words.is_terminal,
        outcome=words.outcome,
        exit=ExitView(job.exit.code, job.exit.signal) if words.is_terminal else None,
        priority=job.priority,
        restarts=job.restarts,
        resources=resources_view(job.tres, job.cpus, job.node_count),
        nodes=job.hosts,
        times=_times(job, as_of, words.phase),
        work_dir=job.work_dir,
        stdout=asked_pattern(job.stdout, job.id, job.number, job.work_dir),
        stderr=asked_pattern(job.stderr, job.id, job.number, job.work_dir),
        command=job.command,
        dependency=job.dependency,
        mark=comment.mark,
        comment=comment.words,
        cluster=cluster,
    )


@lru_cache(maxsize=4096)
def _state_words(state: JobState, reason: str) -> _StateWords:
    return _StateWords(
        state=StateView(state.base, state.flags, str(state), reason),
        phase=state.phase.value,
        is_terminal=state.is_terminal,
        outcome=outcome_word(state),
    )


def outcome_word(state: JobState) -> str | None:
    return state.outcome.value if state.outcome else None


def resources_view(tres: Tres, cpus: int, nodes: int) -> ResourcesView:
    amounts = {str(name): amount for name, amount in tres.items()}
    return ResourcesView(
        cpus=cpus,
        mem_mb=amounts.get("mem"),
        nodes=nodes,
        gpus=amounts.get("gres/gpu", 0),
        tres=amounts,
    )


def array_view(number: int, part: Task | Tasks | Component | None) -> ArrayView | None:
    match part:
        case Task():
            return ArrayView(number, part.number, None)
        case Tasks():
            return ArrayView(number, None, str(part)[1:])
        case _:
            return None


def _times(job: LiveJob, as_of: datetime, phase: str) -> TimesView:
    is_begun = job.start is not None and job.start <= as_of and phase != "pending"
    begun = job.start if is_begun else as_of
    since = job.eligible or job.submitted
    return TimesView(
        submit=job.submitted,
        eligible=job.eligible,
        start=job.start,
        end=job.end,
        limit_s=job.limit_s,
        elapsed_s=job.elapsed_s,
        wait_s=None if begun is None else max(int((begun - since).total_seconds()), 0),
    )

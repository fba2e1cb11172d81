"""One look at a job, wherever it was seen: in slurmctld's list, or in the accounting. Pure.

Another job of the same number is none of it. A job that was requeued is the same one: it is
submitted anew, and has restarted once more than before. The restart is counted at once, and the new
submission comes when its run is cleaned up, which may take long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from waldur_slurm.gateway.past.efficiency import Efficiency, efficiency
from waldur_slurm.gateway.post.letter import Facts, Occasion
from waldur_slurm.gateway.reasons.words import meaning_of
from waldur_slurm.gateway.watch.monitor import Monitor, Sight
from waldur_slurm.model.batch import Component, JobId, Task, Tasks
from waldur_slurm.model.job_state import JobState, Phase
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastJob

_REQUEUED = frozenset({"REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
_CLEANED_UP = "COMPLETING"


@dataclass(frozen=True, slots=True)
class Glance:
    """`happened` is all that is certain by now, however long ago it was."""

    state: str
    happened: frozenset[Occasion]
    sight: Sight
    facts: Facts
    submitted: datetime
    """When the job was handed in first, as far as is known."""
    is_short: bool = False
    """Nobody shows some of its tasks, nor any that goes on."""

    @property
    def has_ended(self) -> bool:
        return Occasion.TERMINAL in self.happened


def is_his(monitor: Monitor, row: LiveJob) -> bool:
    """Whether the row is of the very job that is watched."""
    if row.user != monitor.user:
        return False
    if monitor.submitted is None or row.submitted == monitor.submitted:
        return True
    sight = monitor.sight
    run = sight.run if sight else monitor.submitted
    known = sight.restarts if sight and sight.open_tasks is None else 0
    if row.submitted <= run:
        return row.submitted == run
    is_counted = row.restarts == known > 0 and _CLEANED_UP in monitor.state
    return row.restarts > known or is_counted


def was_his(monitor: Monitor, past: PastJob) -> bool:
    """Whether the accounting speaks of the very job that is watched."""
    if past.last.user != monitor.user:
        return False
    known = {monitor.submitted, monitor.sight.run if monitor.sight else None} - {None}
    return not known or any(run.submitted in known for run in past.runs)


def names(wanted: JobId, found: JobId, bare: int | None) -> bool:
    """Whether what is wanted is this part: a heterogeneous job goes by its leader."""
    if wanted.number != found.number:
        return wanted.part is None and wanted.number == bare
    match wanted.part, found.part:
        case None, Component(offset):
            return offset == 0
        case Task(number), Tasks() as waiting:
            return waiting.holds(number)
        case part, other:
            return part == other


def of_row(monitor: Monitor, row: LiveJob) -> Glance:
    state = row.state
    has_ended = state.is_terminal
    submitted = monitor.submitted or row.submitted
    has_started = bool(row.hosts) and _is_past_start(state)
    facts = Facts(
        cluster=monitor.cluster,
        job_id=str(monitor.job),
        name=row.name,
        user=row.user,
        state=str(state),
        exit_code=str(row.exit) if has_ended else None,
        elapsed_s=row.elapsed_s,
        submitted=submitted,
        started=row.start if has_started else None,
        ended=row.end if has_ended else None,
        nodes=row.hosts,
        uuid=monitor.uuid,
        efficiency=Efficiency(time=_share(row.elapsed_s, row.limit_s) if has_ended else None),
        waits=_why(row),
    )
    known = monitor.sight.restarts if monitor.sight else row.restarts
    has_restarted = row.restarts > known or _is_back_since(monitor, row)
    return Glance(
        state=str(state),
        happened=frozenset(_happened(state, has_started=has_started, has_restarted=has_restarted)),
        sight=sight_of(facts, row.submitted, max(known, row.restarts), row.limit_s),
        facts=facts,
        submitted=submitted,
    )


def of_past(monitor: Monitor, past: PastJob) -> Glance:
    run, restarts = past.last, len(past.runs) - 1
    has_ended = run.state.is_terminal
    has_started = bool(run.hosts) and run.start is not None and _is_past_start(run.state)
    known = monitor.sight.restarts if monitor.sight else restarts
    has_restarted = restarts > known
    facts = Facts(
        cluster=monitor.cluster,
        job_id=str(monitor.job),
        name=run.name,
        user=run.user,
        state=str(run.state),
        exit_code=str(run.exit) if has_ended else None,
        elapsed_s=run.elapsed_s,
        submitted=past.submitted,
        started=run.start if has_started else None,
        ended=run.end if has_ended else None,
        nodes=run.hosts,
        uuid=monitor.uuid,
        efficiency=efficiency(run, ()),
    )
    return Glance(
        state=str(run.state),
        happened=frozenset(
            _happened(run.state, has_started=has_started, has_restarted=has_restarted)
        ),
        sight=sight_of(facts, run.submitted, max(known, restarts), run.limit_s),
        facts=facts,
        submitted=monitor.submitted or past.submitted,
    )


def sight_of(facts: Facts, run: datetime, restarts: int, limit_s: int | None) -> Sight:
    """Keep what does not change while the job goes on: nothing is written for mere time."""
    return Sight(
        run=run,
        restarts=restarts,
        name=facts.name,
        exit_code=facts.exit_code,
        elapsed_s=facts.elapsed_s if facts.ended else None,
        limit_s=limit_s,
        started=facts.started,
        ended=facts.ended,
        nodes=facts.nodes,
    )


def _is_back_since(monitor: Monitor, row: LiveJob) -> bool:
    """Whether it was requeued since the last look, or since it was asked about.

    Of a whole array nobody can tell: some of its tasks may have been requeued before that.
    """
    if monitor.sight:
        return monitor.sight.open_tasks is None and row.submitted > monitor.sight.run
    if monitor.submitted is None or monitor.job is None:
        return False
    is_of_whole = monitor.job.part is None and isinstance(row.id.part, Task | Tasks)
    return not is_of_whole and row.restarts > 0 and row.submitted > monitor.submitted


def _happened(state: JobState, *, has_started: bool, has_restarted: bool) -> Iterator[Occasion]:
    if has_started:
        yield Occasion.STARTED
    if has_restarted or state.base in _REQUEUED:
        yield Occasion.REQUEUED
    if state.phase is Phase.SUSPENDED:
        yield Occasion.SUSPENDED
    if state.is_terminal:
        yield Occasion.TERMINAL


def _is_past_start(state: JobState) -> bool:
    """Whether a job with nodes began on them: they may still have to boot."""
    return state.base != "CONFIGURING" and state.phase in (
        Phase.RUNNING,
        Phase.SUSPENDED,
        Phase.FINISHED,
    )


def _why(row: LiveJob) -> str:
    """Say why it waits: of one that was put back and is held somebody has to know."""
    if row.state.phase is not Phase.PENDING:
        return ""
    meaning = meaning_of(row.reason)
    return f"{meaning.says} {meaning.advice}"


def _share(elapsed_s: int, limit_s: int | None) -> float | None:
    return round(elapsed_s / limit_s, 4) if limit_s else None

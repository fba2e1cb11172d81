"""What is wanted and what was found, as steps in an order safe to stop after any of them. Pure.

Whoever is deleted comes first, then who is held or released, then who is only followed; new jobs
come last and so many at once, so that a storm of them keeps nobody from being cancelled. Where
nobody can say how things are, nothing is decided but to say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType

from waldur_slurm.operator.jobs import status, words
from waldur_slurm.operator.jobs.collecting import is_open, plan_companion
from waldur_slurm.operator.jobs.ending import plan_deserted, plan_ending, unanswered
from waldur_slurm.operator.jobs.holding import plan_holding
from waldur_slurm.operator.jobs.memory import Attempt
from waldur_slurm.operator.jobs.phases import JobPhase, standing_of
from waldur_slurm.operator.jobs.placement import Placed, Unplaced, place
from waldur_slurm.operator.jobs.port import SeenJob, Wanted
from waldur_slurm.operator.jobs.sight import Absence, Doubt, Sight, was_there
from waldur_slurm.operator.jobs.steps import (
    Accept,
    LetGo,
    SetStatus,
    Steer,
    Step,
    Submit,
    Tail,
    Tell,
)
from waldur_slurm.operator.jobs.words import Word
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.operator.model.slurm_job import CLUSTER, SlurmJob

MOST_SUBMITS = 50
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
"""Between two attempts to settle what came of a submission."""


OUTCOME_UNKNOWN = "OutcomeUnknown"


class Urgency(IntEnum):
    ENDING = 0
    HOLDING = 1
    FOLLOWING = 2
    SUBMITTING = 3


@dataclass(frozen=True, slots=True)
class JobPlan:
    """Steps for one SlurmJob, each of which waits for the one before it."""

    job: SlurmJob
    steps: tuple[Step, ...]

    @property
    def urgency(self) -> Urgency:
        if self.job.is_deleted:
            return Urgency.ENDING
        if any(isinstance(step, Steer) for step in self.steps):
            return Urgency.HOLDING
        if any(isinstance(step, Submit) for step in self.steps):
            return Urgency.SUBMITTING
        return Urgency.FOLLOWING

    @property
    def only_tells(self) -> bool:
        """Whether Kubernetes is told how it stands, and nothing else is done."""
        words = (Accept, SetStatus, Tell)
        is_followed = self.urgency is Urgency.FOLLOWING
        return is_followed and all(isinstance(step, words) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Plan:
    jobs: tuple[JobPlan, ...]
    put_off: int = 0
    """How many are handed in later, since so many are now."""

    @property
    def before(self) -> tuple[JobPlan, ...]:
        """Return what is done one after the other, before all else."""
        rest = (each for each in self.jobs if each.urgency is not Urgency.SUBMITTING)
        return tuple(each for each in rest if not each.only_tells)

    @property
    def telling(self) -> tuple[JobPlan, ...]:
        return tuple(each for each in self.jobs if each.only_tells)

    @property
    def new(self) -> tuple[JobPlan, ...]:
        return tuple(each for each in self.jobs if each.urgency is Urgency.SUBMITTING)


def concerns(job: SlurmJob) -> bool:
    """Whether anything is to be found out about it."""
    if job.is_deleted:
        return job.is_held or job.is_ours
    return job.is_ours and not is_settled(job)


def is_settled(job: SlurmJob) -> bool:
    """Whether its job is over, all of it was told, and its results are where they should be."""
    return is_told(job) and not is_open(job)


def is_told(job: SlurmJob) -> bool:
    """Whether its job is over, and all of it was told."""
    has_output = "output" in job.status or "array" in job.status or not job.status.get("jobId")
    return status.is_complete(job) and has_output


def cut(
    plans: Iterable[JobPlan],
    most: int = MOST_SUBMITS,
    vain: Mapping[str, int] = MappingProxyType({}),
) -> Plan:
    """Put them in their order, and put off what is too much at once.

    `vain` says, by uid, how often asking for one was in vain: it holds up none of its equals.
    """
    ordered = sorted(
        (each for each in plans if each.steps),
        key=lambda each: (each.urgency, vain.get(each.job.uid, 0)),
    )
    new = sum(each.urgency is Urgency.SUBMITTING for each in ordered)
    put_off = max(new - most, 0)
    return Plan(tuple(ordered[: len(ordered) - put_off]), put_off)


def home_of(job: SlurmJob, clusters: Mapping[str, Cluster]) -> str:
    """Name the cluster that looks after it; empty where it has nowhere to go."""
    if job.place:
        return job.place
    placed = place(job, clusters)
    return placed.cluster.name if isinstance(placed, Placed) else ""


def plan_homeless(
    job: SlurmJob, clusters: Mapping[str, Cluster], now: datetime
) -> tuple[Step, ...]:
    """Say of one that no cluster looks after what is to be done about it."""
    if not concerns(job):
        return ()
    if job.place:
        return plan_deserted(job, now)
    if job.is_deleted:
        return (LetGo(),) if job.is_held else ()
    placed = place(job, clusters)
    return _refuse(job, placed, now) if isinstance(placed, Unplaced) else ()


def plan_job(job: SlurmJob, sight: Sight) -> tuple[Step, ...]:
    if job.is_deleted:
        return plan_ending(job, sight) if concerns(job) else ()
    if not job.is_ours:
        return ()
    if is_told(job):
        is_seen = job.status.get("observedGeneration") == job.generation
        return plan_companion(job, sight) if is_seen else (SetStatus(status.observed(job)),)
    match sight.answer(job):
        case SeenJob() as seen:
            return _follow(job, seen, sight)
        case Absence.NEVER:
            return _begin(job, sight)
        case Absence.LOST:
            said = [words.lost(str(job.status.get("jobId")), sight.cluster.name)]
            return _say(job, said, status.unsure(job, "Lost", said, sight.now))
        case Doubt() as doubt:
            return _doubt(job, doubt, sight)


def _follow(job: SlurmJob, seen: SeenJob, sight: Sight) -> tuple[Step, ...]:
    cluster, standing = sight.cluster.name, standing_of(seen)
    about = words.about(seen, standing, cluster)
    held, steer = plan_holding(job, seen)
    if held:
        about.append(held)
    now = status.followed(job, seen, cluster, about, sight.now)
    steps = (
        *_accept(job, cluster, seen.ref.user if job.spec.ssh else ""),
        *_say(job, about, now, _tail(job, seen)),
        *((steer,) if steer else ()),
    )
    return steps or plan_companion(job, sight)


def _tail(job: SlurmJob, seen: SeenJob) -> Tail | None:
    """Of an array each task has an output of its own."""
    phase = standing_of(seen).phase
    if not phase.is_over or seen.tasks or "output" in job.status:
        return None
    if phase is JobPhase.SUCCEEDED:
        return Tail(seen.ref, ("out",))
    return Tail(seen.ref, ("err", "out"))


def _begin(job: SlurmJob, sight: Sight, why: str = "") -> tuple[Step, ...]:
    """Hand it in, or say why not; `why`: it was before, and what came of that is open."""
    if job.status.get("reason") == OUTCOME_UNKNOWN:
        return ()
    placed = place(job, sight.clusters)
    if isinstance(placed, Unplaced):
        return _refuse(job, placed, sight.now)
    if placed.cluster.name != sight.cluster.name:
        return ()
    attempt = sight.memory.attempts.get(job.uid)
    if attempt and attempt.is_open and _cannot_be_found_out(attempt, sight):
        said = [words.outcome_unknown(sight.cluster.name, sight.mark_of(job))]
        return _say(job, said, status.unsure(job, OUTCOME_UNKNOWN, said, sight.now))
    about = [_accepted(placed), words.reachable(sight.cluster.name)]
    if job.spec.suspend:
        about.append(words.kept_back())
        now = status.pending(job, placed.cluster.name, "Suspended", about, sight.now)
        return _say(job, about, now)
    if attempt and sight.now < attempt.last + _pause(attempt):
        return _say_unsettled(job, sight, why) if why else ()
    return (
        *_accept(job, placed.cluster.name, placed.ssh.user if placed.ssh else ""),
        Submit(_wanted(job, placed, sight), placed.cluster.name, tuple(about)),
    )


def _wanted(job: SlurmJob, placed: Placed, sight: Sight) -> Wanted:
    mark = sight.mark_of(job)
    return Wanted(job.uid, mark, job.spec.batch, placed.user, placed.options)


def _accepted(placed: Placed) -> Word:
    if placed.cluster.is_open_to_all:
        return words.open_to_all(placed)
    return words.accepted(placed)


def _cannot_be_found_out(attempt: Attempt, sight: Sight) -> bool:
    """Whether so much time has passed that a mark may be gone, since no accounting keeps it."""
    facts = sight.facts
    if facts is None or facts.keeps_comments:
        return False
    return sight.now - attempt.first > facts.min_job_age


def _pause(attempt: Attempt) -> timedelta:
    if not attempt.is_open:
        return LONGEST_PAUSE if attempt.is_denied else timedelta()
    grown: int = 2 ** min(attempt.times - 1, 8)
    return min(FIRST_PAUSE * grown, LONGEST_PAUSE)


def _doubt(job: SlurmJob, doubt: Doubt, sight: Sight) -> tuple[Step, ...]:
    if doubt.is_tried and not was_there(job):
        return _begin(job, sight, doubt.why)
    is_clear = doubt.is_shut and not was_there(job)
    if not is_clear and sight.doubted_for(job) < words.LONG_ENOUGH:
        return ()
    said = [unanswered(job, doubt, sight)]
    return _say(job, said, status.noted(job, said, sight.now))


def _say_unsettled(job: SlurmJob, sight: Sight, why: str) -> tuple[Step, ...]:
    if sight.doubted_for(job) < words.LONG_ENOUGH:
        return ()
    said = [words.unsettled(sight.cluster.name, why)]
    return _say(job, said, status.noted(job, said, sight.now))


def _refuse(job: SlurmJob, unplaced: Unplaced, now: datetime) -> tuple[Step, ...]:
    said = [words.not_accepted(unplaced)]
    return _say(job, said, status.pending(job, job.place, unplaced.reason, said, now))


def _accept(job: SlurmJob, cluster: str, login: str) -> tuple[Step, ...]:
    is_taken = job.is_held and job.annotations.get(CLUSTER) == cluster and job.login == login
    return () if is_taken else (Accept(cluster, login),)


def _say(
    job: SlurmJob, said: Iterable[Word], now: status.Status, tail: Tail | None = None
) -> tuple[Step, ...]:
    """Tell what is new, and then let the status say it: killed in between, it is told again."""
    if now == job.status and not tail:
        return ()
    return (*(Tell(word.told()) for word in status.news(job, said)), SetStatus(now, tail))

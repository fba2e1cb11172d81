"""How an open attempt is settled: by what was read after it could have had its last effect. Pure.

A mark is believed of a job of the same user that is not older than the attempt, and of no other:
marks are copied. One of the gateway's own on an older job proves nothing either: it was copied, or
the clock was set back. That there is no job is concluded from a list that is young enough, while
slurmctld cannot have forgotten one yet; later the accounting has to say so too. Where it keeps no
comments, nobody can tell any more, and never will: that is for a person to decide.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waldur_slurm.gateway.submits.attempt import Attempt, Placed
from waldur_slurm.gateway.submits.marks import carries, is_own
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob
from waldur_slurm.slurm.grammar.keeping import Rules
from waldur_slurm.slurm.past.port import LAG

IN_STEP = timedelta(seconds=2)
"""How far clocks that are kept in step may be apart, in whole seconds."""

CLOCKS = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart at all: munge bears no more."""

SLOW = timedelta(seconds=10)
"""A list that took longer may be older than a job that waited for slurmctld as long."""


@dataclass(frozen=True, slots=True)
class Sighted:
    """A job that carries the mark, wherever it was seen."""

    job_id: JobId
    user: UserName
    submitted: datetime
    work_dir: str | None
    stdout: str | None = None
    stderr: str | None = None

    def placed(self, cluster: str) -> Placed:
        return Placed(self.job_id, cluster, self.submitted, self.work_dir, self.stdout, self.stderr)


@dataclass(frozen=True, slots=True)
class Listed:
    """What slurmctld lists; `is_torn`: there is a row with the mark that is not understood."""

    began: datetime
    took: timedelta
    jobs: tuple[Sighted, ...]
    is_torn: bool = False


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the accounting says of the user's jobs since the attempt; `is_torn` as of a list.

    `is_behind`: slurmctld has still to tell it of jobs.
    """

    began: datetime
    jobs: tuple[Sighted, ...]
    is_torn: bool = False
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class Adopt:
    """This is its job."""

    job: Sighted


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no job, and there will be none: it may be handed in again."""


@dataclass(frozen=True, slots=True)
class AskAccounting:
    """slurmctld may have forgotten it by now; the accounting says more."""


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """`for_ever`: no later reading can tell; a person has to decide."""

    why: str
    for_ever: bool = False


Settlement = Adopt | Absent | StillUnknown


def settle(
    attempt: Attempt, known: Collection[JobId], rules: Rules, listed: Listed
) -> Settlement | AskAccounting:
    """`known` are jobs of other attempts with the same mark, which are theirs for ever."""
    found = _found(attempt, known, listed.jobs)
    if found is not None:
        return found
    if listed.is_torn:
        return _TORN
    if listed.began < attempt.doubt_until:
        return StillUnknown("it may still be on its way to slurmctld")
    if listed.took > SLOW:
        return StillUnknown("slurmctld was too slow for its answer to prove anything")
    if rules.min_job_age is None or listed.began < attempt.opened + rules.min_job_age:
        return Absent()
    if rules.stores_comments:
        return AskAccounting()
    return StillUnknown(
        "slurmctld may have forgotten it, and the accounting keeps no comments", for_ever=True
    )


def settle_by_accounting(
    attempt: Attempt, known: Collection[JobId], listed: Listed, recalled: Recalled
) -> Settlement:
    """Go on where the list alone proves nothing."""
    found = _found(attempt, known, (*listed.jobs, *recalled.jobs))
    if found is not None:
        return found
    if recalled.is_torn:
        return _TORN
    if recalled.is_behind or recalled.began < attempt.doubt_until + LAG:
        return StillUnknown("the accounting may not have heard of it yet")
    if attempt.may_wait:
        return StillUnknown(
            "slurmctld may have forgotten it, and the accounting knows nothing of a job that ended"
            " before it might begin",
            for_ever=True,
        )
    return Absent()


_TORN = StillUnknown("a job that may be it is not understood")


def _found(
    attempt: Attempt, known: Collection[JobId], sighted: Iterable[Sighted]
) -> Adopt | StillUnknown | None:
    """Of several, the one that came while the attempt was under way; a requeue makes one later."""
    candidates = [
        job for job in _whole(sighted) if job.user == attempt.user and job.job_id not in known
    ]
    ours = [job for job in candidates if job.submitted >= attempt.opened - IN_STEP]
    prompt = [job for job in ours if job.submitted <= attempt.doubt_until + IN_STEP]
    for some in (ours, prompt):
        if len(some) == 1:
            return Adopt(some[0])
    if ours:
        return StillUnknown("several jobs carry its mark", for_ever=True)
    if any(is_own(attempt.mark) or job.submitted >= attempt.opened - CLOCKS for job in candidates):
        return StillUnknown(
            "a job that is older carries its mark, and clocks differ", for_ever=True
        )
    return None


def of_list(attempt: Attempt, jobs: Iterable[LiveJob]) -> tuple[Sighted, ...]:
    """Find what carries its mark; the parts of an array are one job, as old as the oldest."""
    return _whole(
        Sighted(job.id.whole, job.user, job.submitted, job.work_dir, job.stdout, job.stderr)
        for job in jobs
        if carries(job.comment, attempt.mark)
    )


def of_accounting(attempt: Attempt, jobs: Iterable[PastJob]) -> tuple[Sighted, ...]:
    """Likewise; a job that ran several times was handed in with its first run."""
    return _whole(
        Sighted(job.id.whole, job.last.user, job.submitted, job.last.work_dir or None)
        for job in jobs
        if any(carries(run.comment, attempt.mark) for run in job.runs)
    )


def _whole(parts: Iterable[Sighted]) -> tuple[Sighted, ...]:
    found: dict[JobId, Sighted] = {}
    for part in parts:
        first = found.get(part.job_id)
        if first is None or part.submitted < first.submitted:
            found[part.job_id] = part
    return tuple(found.values())

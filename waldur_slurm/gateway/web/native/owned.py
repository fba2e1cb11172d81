"""A job of somebody for whom the asker may act: whose files and output he may read.

Whoever may not is told the same as where there is no such job.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from waldur_slurm.errors import InvalidName, StateError
from waldur_slurm.gateway.doors.decide import Yes, decide_acting
from waldur_slurm.gateway.errors import NotNow, NotThere, WrongAsk
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.whereabouts import find
from waldur_slurm.model.batch import Component, JobId, Task, Tasks
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob
from waldur_slurm.slurm.grammar.output_names import NOWHERE, NamedJob, output_path

KEPT_S = 60.0
"""How old an answer of the accounting about an ended job's output may be: it does not change."""


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job, or a task of one; patterns are None where nobody remembers them."""

    named: NamedJob
    user: UserName
    submitted: datetime
    state: JobState
    stdout: str | None
    stderr: str | None
    last_submitted: datetime
    """When its last run was: that of one which was requeued is later."""

    @property
    def id(self) -> JobId:
        return self.named.id

    @property
    def folder(self) -> str:
        return self.named.work_dir.rstrip("/")

    @property
    def is_over(self) -> bool:
        return self.state.is_terminal

    @property
    def comes_first(self) -> bool:
        """Whether its script runs: of components only the first one's does."""
        return not isinstance(self.id.part, Component) or self.id.part.offset == 0

    def output(self, stream: str) -> str:
        """Return where it writes; errors go where all goes unless the job said otherwise."""
        pattern = self.stdout if stream == "out" else self.stderr or self.stdout
        if pattern is None:
            raise NotThere(
                f"where job {self.id} wrote is not remembered: slurmctld has let go of it, and this"
                " accounting keeps no names of files; its folder may still have the file"
            )
        path = output_path(pattern, self.named)
        if path is None:
            raise NotThere(
                f"the file that job {self.id} writes to is called in a way that releases of Slurm"
                " read differently; its folder may have it"
            )
        if path == NOWHERE:
            raise NotThere(f"job {self.id} writes this to {NOWHERE}: nothing is kept of it")
        return path


async def find_owned(ask: Ask, wanted: JobId) -> OwnedJob:
    """Return the job, or any part of it; numbers come again, and the newest is meant.

    Raises `NotOffered` first, which says nothing of any job, or `NotThere`, alike where there is
    none and where it is another's.
    """
    ask.site.actors.demand(ask.cluster.name)

    async def shown(users: frozenset[UserName]) -> Collection[UserName]:
        return await acted_for(ask, users)

    found = await find(ask, wanted, shown)
    parts = (*map(_of_row, found.rows), *map(_of_past, found.past))
    if not parts:
        raise NotThere(f"there is no job {wanted}, or none that you may see")
    return max(parts, key=lambda part: (part.submitted, part.comes_first))


async def acted_for(ask: Ask, users: frozenset[UserName]) -> frozenset[UserName]:
    """Return whom he may act for; whether it can be done at all, the act itself will say."""
    who, actors = ask.principal, ask.site.actors
    named = frozenset(user for user in users if isinstance(decide_acting(who, user), Yes))
    rest = users - named
    if not rest or not who.run_as.groups:
        return named
    return named | await ask.site.crossing.hands.run(lambda: actors.acted_for(who, rest))


async def find_one(ask: Ask, wanted: JobId) -> OwnedJob:
    """Return the one job, or task, that is meant, with where it writes as far as that is known.

    Of tasks that wait together it is the one that was asked for.
    """
    found = await find_owned(ask, wanted)
    if isinstance(wanted.part, Task):
        task = replace(found, named=found.named._replace(id=wanted))
        return await _with_output(ask, task)
    if isinstance(found.id.part, Task | Tasks) and found.id.number == wanted.number:
        raise WrongAsk(f"job {wanted} is an array; say which task, as by `task=1`")
    return await _with_output(ask, found)


async def _with_output(ask: Ask, job: OwnedJob) -> OwnedJob:
    """Find out where a job of the past wrote: from the journal of submits, or the accounting."""
    if job.stdout is not None:
        return job
    placed = await _noted(ask, job)
    if placed and placed.stdout:
        return replace(job, stdout=placed.stdout, stderr=placed.stderr)
    kept = await ask.past.outputs.find(job.id, monotonic() - KEPT_S, ask.site.crossing.accounting)
    if kept and kept.submitted == job.last_submitted and kept.stdout:
        return replace(job, stdout=kept.stdout, stderr=kept.stderr)
    return job


async def _noted(ask: Ask, job: OwnedJob) -> Placed | None:
    cluster, submitter = ask.cluster.name, ask.site.submitter
    try:
        return await ask.site.crossing.store.run(
            lambda: submitter.placed_as(cluster, job.id.whole, job.submitted)
        )
    except StateError as error:
        raise NotNow("the journal of submits cannot be read now") from error


def _of_row(row: LiveJob) -> OwnedJob:
    named = NamedJob(row.id, row.number, row.user, row.name, row.batch_host, row.work_dir)
    return OwnedJob(
        named, row.user, row.submitted, row.state, row.stdout, row.stderr, row.submitted
    )


def _of_past(past: PastJob) -> OwnedJob:
    run = past.last
    named = NamedJob(
        run.id, run.number or run.id.number, run.user, run.name, _first(run.hosts), run.work_dir
    )
    return OwnedJob(named, run.user, past.submitted, run.state, None, None, run.submitted)


def _first(hosts: str) -> str:
    try:
        return expand_hosts(hosts)[0]
    except (InvalidName, IndexError):
        return ""

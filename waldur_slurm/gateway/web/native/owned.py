"""A job of somebody for whom the asker may act: whose files and output he may read.

Whoever may not is told the same as where there is no such job.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from waldur_slurm.errors import InvalidName, StateError
from waldur_slurm.gateway.doors.decide import Yes, decide_acting
from waldur_slurm.gateway.errors import Denied, NotNow, NotThere, WrongAsk
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.whereabouts import find, within_reach
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


async def find_owned(ask: Ask, wanted: JobId) -> tuple[OwnedJob, ...]:
    """Return all its parts. Raises `NotThere` alike where there is none and where it is another's.

    `NotOffered` comes first: it says nothing of any job. Numbers come again: the newest is meant.
    """
    ask.site.actors.demand(ask.cluster.name)
    found = await within_reach(ask, await find(ask, wanted))
    parts = (*map(_of_row, found.rows), *map(_of_past, found.past))
    none = NotThere(f"there is no job {wanted}, or none that you may see")
    if not parts:
        raise none
    owner = newest(parts).user
    await _demand_owner(ask, owner, none)
    return tuple(part for part in parts if part.user == owner)


def newest(parts: Collection[OwnedJob]) -> OwnedJob:
    """Return the part handed in last; of those handed in together, one whose script runs."""
    return max(parts, key=lambda part: (part.submitted, part.comes_first))


async def find_one(ask: Ask, wanted: JobId) -> OwnedJob:
    """Return the one job, or task, that is meant, with where it writes as far as that is known.

    Of tasks that wait together it is the one that was asked for.
    """
    parts = await find_owned(ask, wanted)
    first = newest(parts)
    if isinstance(wanted.part, Task):
        first = replace(first, named=first.named._replace(id=wanted))
        return await _with_output(ask, first)
    is_array = isinstance(first.id.part, Task | Tasks) and first.id.number == wanted.number
    if is_array:
        raise WrongAsk(f"job {wanted} is an array; say which task, as by `task=1`")
    return await _with_output(ask, first)


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


async def _demand_owner(ask: Ask, user: UserName, none: NotThere) -> None:
    cluster = ask.cluster.name
    try:
        await ask.site.crossing.hands.run(lambda: ask.site.actors.find(ask.caller, user, cluster))
    except Denied:
        if isinstance(decide_acting(ask.principal, user), Yes):
            raise
        raise none from None


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

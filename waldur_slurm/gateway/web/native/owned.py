"""A job of somebody for whom the asker may act: whose files and output he may read.

Whoever may not is told the same as where there is no such job.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.doors.decide import Yes, decide_acting
from waldur_slurm.gateway.errors import Denied, NotThere, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.whereabouts import Whereabouts, find, is_the_one_job
from waldur_slurm.model.batch import JobId, Task, Tasks
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import JobState, Phase
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob
from waldur_slurm.slurm.grammar.output_names import NOWHERE, NamedJob, output_path


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job, or a task of one; patterns are None where nobody remembers them."""

    named: NamedJob
    user: UserName
    submitted: datetime
    state: JobState
    stdout: str | None
    stderr: str | None

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
    def waits(self) -> bool:
        """Whether it has not run yet; one that runs again has the output of before."""
        return self.state.phase is Phase.PENDING

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

    `NotOffered` comes first: it says nothing of any job.
    """
    ask.site.actors.demand(ask.cluster.name)
    found = await find(ask, wanted)
    none = NotThere(f"there is no job {wanted}, or none that you may see")
    if not found.rows and not found.past:
        raise none
    await _demand_owner(ask, found, none)
    return (*map(_of_row, found.rows), *map(_of_past, found.past))


async def find_one(ask: Ask, wanted: JobId) -> OwnedJob:
    """Return the one job, or task, that is meant; of several components the first runs the script.

    Of tasks that wait together it is the one that was asked for.
    """
    parts = await find_owned(ask, wanted)
    first = min(parts, key=lambda part: str(part.id))
    if isinstance(wanted.part, Task):
        return replace(first, named=first.named._replace(id=wanted))
    is_array = isinstance(first.id.part, Task | Tasks) and first.id.number == wanted.number
    if is_array:
        raise WrongAsk(f"job {wanted} is an array; say which task, as by `task=1`")
    return first


async def _demand_owner(ask: Ask, found: Whereabouts, none: NotThere) -> None:
    if not await is_the_one_job(ask, found):
        raise none
    user = found.rows[0].user if found.rows else found.past[0].last.user
    cluster = ask.cluster.name
    try:
        await ask.site.crossing.hands.run(lambda: ask.site.actors.find(ask.caller, user, cluster))
    except Denied:
        if isinstance(decide_acting(ask.principal, user), Yes):
            raise
        raise none from None


def _of_row(row: LiveJob) -> OwnedJob:
    named = NamedJob(row.id, row.number, row.user, row.name, row.batch_host, row.work_dir)
    return OwnedJob(named, row.user, row.submitted, row.state, row.stdout, row.stderr)


def _of_past(past: PastJob) -> OwnedJob:
    run = past.last
    named = NamedJob(
        run.id, run.number or run.id.number, run.user, run.name, _first(run.hosts), run.work_dir
    )
    return OwnedJob(named, run.user, run.submitted, run.state, None, None)


def _first(hosts: str) -> str:
    try:
        return expand_hosts(hosts)[0]
    except (InvalidName, IndexError):
        return ""

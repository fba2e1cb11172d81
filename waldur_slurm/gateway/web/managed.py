"""Managed jobs, as both surfaces serve them: found, looked at, and changed one at a time.

What Slurm says of them comes from the picture that everybody is shown. Only where that lacks a run
is the accounting asked, together with all who ask it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar
from uuid import uuid4

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.acting.audit import Act
from waldur_slurm.gateway.apps.app import App, uuid_of
from waldur_slurm.gateway.apps.apply import Applying
from waldur_slurm.gateway.apps.job import End, ManagedJob, Run, Stage
from waldur_slurm.gateway.apps.plan import (
    Gone,
    Idle,
    Live,
    Over,
    Said,
    Silent,
    Unsent,
    Wish,
    plan,
)
from waldur_slurm.gateway.doors.people import Person
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import Denied, NotNow, NotOffered, NotThere, OutcomeUnknown
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob
from waldur_slurm.slurm.grammar.output_names import NamedJob, output_path

T = TypeVar("T")

_WHAT = {
    Wish.MAKE: "app.job.make",
    Wish.START: "app.job.start",
    Wish.STOP: "app.job.stop",
    Wish.PRUNE: "app.job.prune",
    Wish.PRUNE_ANYWAY: "app.job.prune",
    Wish.DELETE: "app.job.delete",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """A job, and what Slurm says of its last run."""

    job: ManagedJob
    said: Said


def managed(ask: Ask) -> Managed:
    """Return what is needed for apps; raises `NotOffered` where there are none."""
    if ask.site.managed is None:
        raise NotOffered("there are no apps here; GATEWAY_APPS_DIR says where their jobs would lie")
    return ask.site.managed


async def stored(ask: Ask, work: Callable[[], T]) -> T:
    """Ask the store, in its lane; raises `NotNow` where it does not answer."""
    try:
        return await ask.site.crossing.store.run(work)
    except StateError as error:
        raise NotNow(f"the gateway's database does not serve: {error}", 5.0) from error


async def find_app(ask: Ask) -> App:
    """Find the app of the path, whoever asks; raises `NotThere`."""
    app_id = uuid_of(ask.request.path_params["app_id"])
    found = await stored(ask, lambda: managed(ask).apps.find(app_id)) if app_id else None
    if found is None:
        raise NotThere("there is no such app")
    return found


def opens(ask: Ask, app: App) -> bool:
    """Whether who asks may use it: by a token of its own, or as who manages all apps."""
    return ask.principal.app == app.id or Scope.APPS_ADMIN in ask.principal.scopes


async def ensure_person(ask: Ask, user: str) -> Person:
    """Find whom the caller acts as; raises `Denied` for who is not there, or is not his to be."""
    return await ask.site.crossing.hands.run(lambda: ask.site.actors.find_person(ask.caller, user))


async def find_job(ask: Ask, app: App, user: UserName, named: str) -> ManagedJob:
    """Find a job; one of somebody else's is not there, as one that never was."""
    job_id = uuid_of(named)
    found = await stored(ask, lambda: managed(ask).jobs.find(app.id, job_id)) if job_id else None
    if found is None or found.stage is not Stage.READY or not _is_his(found, app, user):
        raise NotThere("there is no such job")
    return found


async def list_jobs(ask: Ask, app: App, user: UserName) -> Sequence[ManagedJob]:
    jobs = await stored(ask, lambda: managed(ask).jobs.of_app(app.id))
    return [job for job in jobs if _is_his(job, app, user)]


def _is_his(job: ManagedJob, app: App, user: UserName) -> bool:
    return job.user == user or app.cross_user


async def make_job(
    ask: Ask, app: App, user: Person, name: str, script: str, job_id: str = ""
) -> ManagedJob:
    """Make a job that is not started: its directory and its script, as the user."""
    now = datetime.now(UTC).replace(microsecond=0)
    job = ManagedJob(job_id or str(uuid4()), app.id, user.name, user.uid, name, now)
    with managed(ask).claims.held(job.id):
        await _apply(ask, job, Wish.MAKE, Idle(), script)
    return replace(job, stage=Stage.READY)


async def change(ask: Ask, job: ManagedJob, wish: Wish) -> None:
    """Do what is wished with it; raises `Busy` where somebody else does at the moment."""
    site = managed(ask)
    with site.claims.held(job.id):
        found = await stored(ask, lambda: site.jobs.find(job.app, job.id))
        if found is None or found.stage is not Stage.READY:
            raise NotThere("there is no such job")
        looked = await look(ask, found)
        await _apply(ask, looked.job, wish, looked.said)


async def _apply(ask: Ask, job: ManagedJob, wish: Wish, said: Said, script: str = "") -> None:
    steps = plan(job, wish, said)
    if not steps:
        return
    site, cluster = managed(ask), ask.cluster
    directory = site.places.directory(job.app, job.id)
    about = {"app": job.app, "job": job.id}

    def work() -> None:
        actor = ask.site.actors.find(ask.caller, job.user, cluster.name)
        applying = Applying(site.jobs, ask.site.submitter, actor, cluster.name, directory, script)
        act = Act(caller=actor.caller, user=job.user, what=_WHAT[wish], about=about)
        with ask.site.audit.doing(act):
            applying.make(job, steps) if wish is Wish.MAKE else applying.apply(job, steps)

    try:
        await ask.site.crossing.hands.run(work)
    except StateError as error:
        raise OutcomeUnknown(f"it may have been done in part: {error}", 5.0) from error
    finally:
        cluster.jobs.forget()


async def look(ask: Ask, job: ManagedJob) -> Looked:
    """Find out how its last run is, and write down what will not be known for ever."""
    run = job.open_run
    if run is None:
        return Looked(job, Idle())
    said = await _say(ask, job, run)
    noted = _noted(run, said)
    if noted != run:
        await stored(ask, lambda: _note(managed(ask), run, noted))
        job = replace(job, runs=(*job.runs[:-1], noted))
    return Looked(job, said)


async def look_at_all(ask: Ask, jobs: Sequence[ManagedJob]) -> Sequence[Looked]:
    """Look at several with one picture, and one question to the accounting."""
    return await asyncio.gather(*(look(ask, job) for job in jobs))


def _note(site: Managed, before: Run, after: Run) -> None:
    site.jobs.note_seen(after.id, after.account, after.stdout)
    if after.end is not None and before.end is None:
        site.jobs.note_end(after.id, after.end)


def _noted(run: Run, said: Said) -> Run:
    match said:
        case Live(job):
            seen = replace(run, account=run.account or job.account)
            return replace(seen, stdout=run.stdout or _stdout(job))
        case Over(end, account, stdout):
            seen = replace(run, account=run.account or account, end=end)
            return replace(seen, stdout=run.stdout or stdout)
        case _:
            return run


async def _say(ask: Ask, job: ManagedJob, run: Run) -> Said:
    """Absent is only what a list younger than the question lacks, and the accounting too."""
    if run.slurm_id is None:
        return Unsent()
    asked_at, jobs = monotonic(), ask.cluster.jobs
    try:
        seen = await ask.see(jobs)
        row = _row(seen.picture.value, run.slurm_id, job.user)
        if row is None:
            seen = await ask.see_after(jobs, asked_at)
            row = _row(seen.picture.value, run.slurm_id, job.user)
        if row is not None:
            return _said_by(row)
        if seen.silence:
            return Silent(seen.silence)
    except NotNow as error:
        return Silent(str(error))
    if seen.picture.value.unreadable:
        return Silent("some of slurmctld's rows are not understood")
    return await _say_by_accounting(ask, job, run, run.slurm_id, seen.picture.began)


async def _say_by_accounting(
    ask: Ask, job: ManagedJob, run: Run, slurm_id: int, since: float
) -> Said:
    """Ask how it ended; that it is not there any more slurmctld has said already."""
    lane = ask.site.crossing.accounting
    try:
        past = await ask.past.jobs.find(JobId(slurm_id), since, lane)
    except NotNow:
        return Gone()
    return _said_by_accounting(job, run, past or ())


def _row(jobs: JobsNow, slurm_id: int, user: UserName) -> LiveJob | None:
    """Find its row; of an array, one that has not ended."""
    rows = [row for row in jobs.find(JobId(slurm_id)) if row.user == user]
    return min(rows, key=lambda row: row.state.is_terminal, default=None)


def _said_by(row: LiveJob) -> Live | Over:
    if not row.state.is_terminal:
        return Live(row)
    end = End(row.state.base, row.exit.code, row.exit.signal, row.start, row.end, row.reason)
    return Over(end, row.account, _stdout(row))


def _stdout(row: LiveJob) -> str:
    """Slurm tells the pattern; a job that is placed has its host, and so its file's name."""
    named = NamedJob(row.id, row.number, row.user, row.name, row.batch_host, row.work_dir)
    return output_path(row.stdout, named) or ""


def _said_by_accounting(job: ManagedJob, run: Run, past: Sequence[PastJob]) -> Said:
    """A job of that number from before the run was asked for is another one."""
    ours = [each.last for each in past if each.last.user == job.user and each.last.end]
    ours = [each for each in ours if each.end and each.end >= run.asked]
    if not ours:
        return Gone()
    last = max(ours, key=lambda each: each.end or run.asked)
    end = End(last.state.base, last.exit.code, last.exit.signal, last.start, last.end)
    return Over(end, last.account)


def ensure_opened(ask: Ask, app: App) -> None:
    """Raises `Denied` where a token was shown that does not open it."""
    if not opens(ask, app):
        raise Denied("this token does not open this app")

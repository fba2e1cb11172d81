"""Managed jobs: made from a template, started again and again, each start a run that is kept.

Whose job it is, is said by `user`, for whom the app's token has to be good.
"""

from typing import Any

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.app import is_app_name
from waldur_slurm.gateway.apps.job import SCRIPT, ManagedJob, Run
from waldur_slurm.gateway.apps.places import STOCK
from waldur_slurm.gateway.apps.plan import Idle, Live, Said, Wish
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import NotThere, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import (
    Looked,
    change,
    ensure_person,
    find_job,
    list_jobs,
    look,
    look_at_all,
    make_job,
    managed,
)
from waldur_slurm.gateway.web.native.app_views import (
    ManagedJobsAnswer,
    RunsAnswer,
    managed_job_view,
    run_view,
)
from waldur_slurm.gateway.web.native.apps import answered, find_template, opened_app
from waldur_slurm.gateway.web.native.following import Source
from waldur_slurm.gateway.web.native.output import TEXT, answer_output
from waldur_slurm.gateway.web.native.owned import OwnedJob
from waldur_slurm.gateway.web.native.pieces import OutputQuery
from waldur_slurm.gateway.web.native.serving import Sent, send
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.slurm.grammar.output_names import NamedJob

MOST_JOB = 1024 * 1024


class UserQuery(msgspec.Struct, frozen=True):
    """`user` is whose jobs are meant."""

    user: str = ""


class PruneQuery(UserQuery, frozen=True):
    """With `force` also where the job is started."""

    force: bool = False


class RunOutputQuery(OutputQuery, frozen=True):
    """Of the run with this number; of the newest one where none is named."""

    user: str = ""
    run: int | None = None


class ManagedJobWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its script is the template with these `parameters`. With `start` it begins at once."""

    user: str
    parameters: dict[str, Any]
    template: str = STOCK
    name: str = ""
    start: bool = False


async def list_managed_jobs(ask: Ask) -> Response:
    app, query = await opened_app(ask), ask.query(UserQuery)
    user = await ensure_person(ask, _named(query.user))
    looked = await look_at_all(ask, await list_jobs(ask, app, user.name))
    return answered(
        ManagedJobsAnswer(tuple(managed_job_view(each.job, each.said) for each in looked))
    )


async def make_managed_job(ask: Ask) -> Response:
    app, wanted = await opened_app(ask), await ask.body(ManagedJobWanted, MOST_JOB)
    user = await ensure_person(ask, _named(wanted.user))
    if not is_app_name(wanted.name):
        raise WrongAsk("name: expected one line of at most 200 letters")
    template = await find_template(ask, app, wanted.template)
    script = template.render(wanted.parameters)
    name = wanted.name or str(wanted.parameters.get("job_name") or "")
    job = await make_job(ask, app, user, name, script)
    if not wanted.start:
        return answered(managed_job_view(job, Idle()), 201)
    await change(ask, job, Wish.START)
    found = await find_job(ask, app, user.name, job.id)
    looked = await look(ask, found)
    return answered(managed_job_view(looked.job, looked.said), 201)


async def show_managed_job(ask: Ask) -> Response:
    return await _shown(ask, await asked_job(ask, ask.query(UserQuery).user))


async def drop_managed_job(ask: Ask) -> Response:
    await change(ask, await asked_job(ask, ask.query(UserQuery).user), Wish.DELETE)
    return Response(status_code=204)


async def start_managed_job(ask: Ask) -> Response:
    return await _changed(ask, ask.query(UserQuery).user, Wish.START)


async def stop_managed_job(ask: Ask) -> Response:
    return await _changed(ask, ask.query(UserQuery).user, Wish.STOP)


async def prune_managed_job(ask: Ask) -> Response:
    query = ask.query(PruneQuery)
    return await _changed(ask, query.user, Wish.PRUNE_ANYWAY if query.force else Wish.PRUNE)


async def list_runs(ask: Ask) -> Response:
    looked = await look(ask, await asked_job(ask, ask.query(UserQuery).user))
    return answered(RunsAnswer(tuple(map(run_view, looked.job.runs))))


async def show_script(ask: Ask) -> Response:
    job = await asked_job(ask, ask.query(UserQuery).user)
    return await send(ask, Sent(job.user, f"{directory_of(ask, job)}/{SCRIPT}", TEXT))


async def show_run_output(ask: Ask) -> Response:
    return await answer_output(ask, ask.query(RunOutputQuery), OF_A_RUN)


async def _find_run(ask: Ask, query: OutputQuery) -> OwnedJob:
    """Find the job again, for who still may use its app."""
    if not isinstance(query, RunOutputQuery):
        raise AssertionError("an output of a run is asked for by its number")  # noqa: TRY004 - a defect, no wrong type
    return owned_run(ask, await look(ask, await asked_job(ask, query.user)), query.run)


def owned_run(ask: Ask, looked: Looked, number: int | None) -> OwnedJob:
    """Return what one run of it writes; raises `NotThere`."""
    run = _run_of(looked.job, number)
    if not run.stdout:
        raise NotThere("Slurm does not tell where the output of this run goes, or not yet")
    return _owned(looked.job, run, looked.said, directory_of(ask, looked.job))


OF_A_RUN = Source(_find_run, Scope.APPS_USE)


def _run_of(job: ManagedJob, number: int | None) -> Run:
    sent = [run for run in job.runs if run.slurm_id is not None]
    if number is not None:
        sent = [run for run in sent if run.number == number]
    if not sent:
        raise NotThere("the job has no such run, or it was never started")
    return sent[-1]


def _owned(job: ManagedJob, run: Run, said: Said, directory: str) -> OwnedJob:
    """Errors go where all goes; what is over is over however it ended."""
    number = run.slurm_id or 0
    is_last = job.last is not None and run.id == job.last.id
    live = said.job if isinstance(said, Live) and is_last else None
    pattern = run.stdout.replace("%", "%%")
    return OwnedJob(
        named=NamedJob(JobId(number), number, job.user, job.name, "", directory),
        user=job.user,
        submitted=run.asked,
        last_submitted=run.asked,
        state=live.state if live else JobState("COMPLETED" if run.end else "RUNNING"),
        stdout=pattern,
        stderr=None,
    )


async def asked_job(ask: Ask, user: str) -> ManagedJob:
    """Find the job of the path, for who may use its app and is its user."""
    app = await opened_app(ask)
    person = await ensure_person(ask, _named(user))
    return await find_job(ask, app, person.name, ask.request.path_params["job_id"])


def directory_of(ask: Ask, job: ManagedJob) -> str:
    return managed(ask).places.directory(job.app, job.id)


async def _changed(ask: Ask, user: str, wish: Wish) -> Response:
    job = await asked_job(ask, user)
    await change(ask, job, wish)
    return await _shown(ask, await asked_job(ask, user))


async def _shown(ask: Ask, job: ManagedJob) -> Response:
    looked = await look(ask, job)
    return answered(managed_job_view(looked.job, looked.said))


def _named(user: str) -> str:
    if not user:
        raise WrongAsk("user: expected whose job it is")
    return user

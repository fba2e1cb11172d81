"""One managed job: how it is, each of its runs, what it wrote, its script, its files."""

from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.job import SCRIPT, ManagedJob
from waldur_slurm.gateway.apps.plan import Silent
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import Looked, find_app, look
from waldur_slurm.gateway.web.native.app_files import JobFilesAnswer, find_files
from waldur_slurm.gateway.web.native.app_jobs import asked_job, directory_of, owned_run
from waldur_slurm.gateway.web.native.app_views import managed_job_view, run_view
from waldur_slurm.gateway.web.native.pieces import OutputQuery, read_piece
from waldur_slurm.gateway.web.pages.app_deeds import SAID, offered
from waldur_slurm.gateway.web.pages.apps import of_user, user_of
from waldur_slurm.gateway.web.pages.forms import session_of
from waldur_slurm.gateway.web.pages.rendering import page, shown, what_was_done

TAIL = 16 * 1024
MOST_SCRIPT = 64 * 1024
MOST_FILES = 200


class AppJobQuery(msgspec.Struct, frozen=True):
    """`run`: whose output, the newest run's where none is named; `done`: what was just done."""

    user: str = ""
    run: int | None = None
    done: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A text of the job's, or why it is not had; `is_cut`: there is more of it."""

    text: str = ""
    said: str = ""
    is_cut: bool = False


@page
async def show_job(ask: Ask) -> Response:
    query = ask.query(AppJobQuery)
    user = user_of(ask, query.user).user
    job = await asked_job(ask, user)
    looked = await look(ask, job)
    app, view = await find_app(ask), managed_job_view(looked.job, looked.said)
    runs = tuple(map(run_view, reversed(looked.job.runs)))
    files, no_files = await _files(ask, job)
    return await shown(
        ask,
        "app_job.html",
        title=job.name or f"Job {job.id[:8]}",
        app=app,
        job=view,
        user=user,
        run=query.run,
        runs=runs,
        acts=offered(view) if session_of(ask) else (),
        silence=looked.said.why if isinstance(looked.said, Silent) else "",
        output=await _output(ask, looked, query.run) if looked.job.newest_submitted else None,
        script=await _script(ask, job),
        files=files,
        no_files=no_files,
        folder=directory_of(ask, job),
        api=f"/api/v1/apps/{quote(app.id)}/jobs/{quote(job.id)}",
        of_user=of_user,
        done=what_was_done(ask, SAID, query.done),
    )


async def _output(ask: Ask, looked: Looked, number: int | None) -> Told:
    try:
        piece = await read_piece(ask, owned_run(ask, looked, number), OutputQuery(tail=TAIL))
    except GatewayError as error:
        return Told(said=str(error))
    return Told(piece.data.decode("utf-8", "replace"), is_cut=piece.offset > 0)


async def _script(ask: Ask, job: ManagedJob) -> Told:
    path = f"{directory_of(ask, job)}/{SCRIPT}"
    try:
        data = await ask.acting(
            job.user,
            lambda actor: b"".join(
                actor.files.take(path, offset=0, length=MOST_SCRIPT + 1).content
            ),
        )
    except GatewayError as error:
        return Told(said=str(error))
    text = data[:MOST_SCRIPT].decode("utf-8", "replace")
    return Told(text, is_cut=len(data) > MOST_SCRIPT)


async def _files(ask: Ask, job: ManagedJob) -> tuple[JobFilesAnswer, str]:
    try:
        return await find_files(ask, job, MOST_FILES), ""
    except GatewayError as error:
        return JobFilesAnswer((), whole=True), str(error)

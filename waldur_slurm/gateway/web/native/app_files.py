"""The files of a managed job: its directory, which is its user's, and all in it as an archive."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Act
from waldur_slurm.gateway.apps.job import ManagedJob
from waldur_slurm.gateway.errors import Denied, WrongType
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import managed
from waldur_slurm.gateway.web.native.app_jobs import UserQuery, asked_job, directory_of
from waldur_slurm.gateway.web.native.apps import answered
from waldur_slurm.gateway.web.native.serving import Sent, attachment, send
from waldur_slurm.gateway.web.pouring import ZIP, pour_out, poured_in, unpack

MOST_LISTED = 10_000
DEEPEST = 64


class JobFilesQuery(UserQuery, frozen=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 1000


class JobFileView(msgspec.Struct, frozen=True):
    """`path` is relative to the job's directory; of a name that is no UTF-8 it shows U+FFFD."""

    path: str
    kind: str
    size: int
    mode: int
    mtime: datetime


class JobFilesAnswer(msgspec.Struct, frozen=True):
    """`whole` says whether that is all."""

    files: tuple[JobFileView, ...]
    whole: bool


async def list_job_files(ask: Ask) -> Response:
    query = ask.query(JobFilesQuery)
    return answered(await find_files(ask, await asked_job(ask, query.user), query.limit))


async def find_files(ask: Ask, job: ManagedJob, most: int) -> JobFilesAnswer:
    directory = directory_of(ask, job)
    found = await ask.acting(
        job.user, lambda actor: actor.files.list(directory, depth=DEEPEST, most=most)
    )
    views = (
        JobFileView(
            path=each.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
            kind=each.facts.kind,
            size=each.facts.size,
            mode=each.facts.mode,
            mtime=datetime.fromtimestamp(each.facts.mtime_ns // 10**9, UTC),
        )
        for each in found.entries
    )
    return JobFilesAnswer(tuple(views), found.is_whole)


async def show_job_file(ask: Ask) -> Response:
    job = await asked_job(ask, ask.query(UserQuery).user)
    path = _path(ask, job)
    more = {"Content-Disposition": attachment(path.rpartition("/")[2])}
    return await send(ask, Sent(job.user, path, more=more))


async def put_job_file(ask: Ask) -> Response:
    """Write it whole, or not at all; directories on the way are made."""
    job = await asked_job(ask, ask.query(UserQuery).user)
    path, most = _path(ask, job), managed(ask).most_bytes
    directory = path.rpartition("/")[0]
    pieces = aiter(ask.request.stream())

    def put(actor: Actor) -> None:
        with ask.site.audit.doing(_act(actor, job, "put", path)):
            if directory != directory_of(ask, job):
                actor.files.make(directory, parents=True)
            actor.files.put(path, poured_in(pieces), most=most)

    await ask.acting(job.user, put)
    return Response(status_code=204)


async def drop_job_file(ask: Ask) -> Response:
    job = await asked_job(ask, ask.query(UserQuery).user)
    path = _path(ask, job)

    def remove(actor: Actor) -> None:
        with ask.site.audit.doing(_act(actor, job, "remove", path)):
            actor.files.remove(path)

    await ask.acting(job.user, remove)
    return Response(status_code=204)


async def show_archive(ask: Ask) -> Response:
    job = await asked_job(ask, ask.query(UserQuery).user)
    return await pour_out(ask, job.user, directory_of(ask, job), managed(ask).most_bytes)


async def take_archive(ask: Ask) -> Response:
    job = await asked_job(ask, ask.query(UserQuery).user)
    kind = ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != ZIP:
        raise WrongType(f"the body is of type {kind or 'nothing'}; {ZIP} is expected")
    pieces: AsyncIterator[bytes] = aiter(ask.request.stream())
    await unpack(ask, job, directory_of(ask, job), pieces, managed(ask).most_bytes)
    return Response(status_code=204)


def _path(ask: Ask, job: ManagedJob) -> str:
    """Return where the file lies; a path leads down, name by name, and never up."""
    names = ask.request.path_params["path"].split("/")
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        raise Denied("a path leads down from the job's directory, name by name, and never up")
    return "/".join((directory_of(ask, job), *names))


def _act(actor: Actor, job: ManagedJob, verb: str, path: str) -> Act:
    about = {"app": job.app, "job": job.id, "path": path}
    return Act(caller=actor.caller, user=job.user, what=f"app.file.{verb}", about=about)

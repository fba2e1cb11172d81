"""The files of a job's folder, read as the job's user: listed, and sent.

Below the folder and nowhere else: no name leads up, and no link is followed, wherever it leads.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Literal
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from waldur_slurm.errors import FileFailed
from waldur_slurm.gateway.errors import Denied, NotThere, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.globs import Glob, parse_glob
from waldur_slurm.gateway.web.native.owned import OwnedJob, find_owned
from waldur_slurm.gateway.web.native.ranges import WHOLE
from waldur_slurm.gateway.web.native.serving import (
    SAFE,
    Reading,
    Sending,
    Sent,
    attachment,
    send,
)
from waldur_slurm.gateway.wire import DigestView, FileView
from waldur_slurm.slurm.transports.files import Files, Listed, Listing

MOST_LISTED = 10_000
MOST_LOOKED_AT = 50_000
"""Of what is below where to look: a user's home may have millions."""

SIGN_OF_LIFE_S = 10.0
"""While a large file is read for its digest: proxies take a quiet answer for a dead one."""


class FilesQuery(msgspec.Struct, frozen=True):
    """`glob`, such as `out/*.csv` or `**/*.log`: `**` is any number of directories."""

    glob: str = "*"
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = MOST_LISTED


class FileQuery(msgspec.Struct, frozen=True):
    """With `digest` the answer is not the file but its digest, which may take long to read."""

    digest: Literal["", "sha-256"] = ""


async def list_files(ask: Ask) -> Response:
    """List files, and neither links nor directories; `X-Truncated` says whether there are more."""
    query = ask.query(FilesQuery)
    try:
        glob = parse_glob(query.glob)
    except ValueError as error:
        raise WrongAsk(f"glob: expected {error}") from None
    job = await _find(ask)
    found = await ask.acting(job.user, lambda actor: _listed(actor.files, job.folder, glob))
    fitting = [each for each in found.entries if _is_meant(each, glob)]
    base = _raw_path(ask.request).decode("ascii").rstrip("/")
    views = [_view(base, glob, each) for each in fitting[: query.limit]]
    is_whole = found.is_whole and len(fitting) <= query.limit
    headers = {**SAFE, "Cache-Control": "no-store", "X-Truncated": str(not is_whole).lower()}
    return Response(msgspec.json.encode(views), headers=headers, media_type=JSON)


async def show_file(ask: Ask) -> Response:
    query = ask.query(FileQuery)
    names = _names_of(ask.request)
    job = await _find(ask)
    path = "/".join((job.folder, *names))
    try:
        if query.digest:
            return await _show_digest(ask, job.user, path)
        more = {"Content-Disposition": attachment(names[-1])}
        return await send(ask, Sent(job.user, path, more=more))
    except NotThere:
        await ask.acting(job.user, lambda actor: _demand_no_links(actor.files, job.folder, names))
        raise


async def _show_digest(ask: Ask, user: str, path: str) -> Response:
    """Answer at once where the file was sent whole before, else as soon as it is read."""
    reading = await Reading.begin(ask, user, path, WHOLE)
    size, headers = reading.taken.facts.size, {**SAFE, "Cache-Control": "no-store"}
    known = ask.site.digests.find(reading.key)
    if known:
        await reading.end()
        body = msgspec.json.encode(DigestView(size, reading.key.etag, known))
        return Response(body, headers=headers, media_type=JSON)

    async def pieces() -> AsyncIterator[bytes]:
        """Blanks before it belong to JSON, and say that something is being done."""
        spoke = monotonic()
        async for _ in reading.pieces():
            if monotonic() - spoke >= SIGN_OF_LIFE_S:
                yield b" "
                spoke = monotonic()
        yield msgspec.json.encode(DigestView(size, reading.key.etag, reading.digest))

    return Sending(reading, pieces(), 200, headers, JSON)


async def _find(ask: Ask) -> OwnedJob:
    """Return any part of it: all tasks and components of a job have one folder."""
    wanted = read_id(ask.request.path_params["job_id"])
    return await find_owned(ask, wanted)


def _raw_path(request: Request) -> bytes:
    raw: bytes = request.scope["raw_path"]
    return raw.partition(b"?")[0]


def _names_of(request: Request) -> tuple[str, ...]:
    """Read the names as they were sent, byte for byte: not all are UTF-8."""
    rest = _raw_path(request).partition(b"/jobs/")[2].partition(b"/files/")[2]
    names = tuple(
        unquote_to_bytes(part).decode("utf-8", "surrogateescape") for part in rest.split(b"/")
    )
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise Denied("a path leads down from the job's folder, name by name, and never up")
    return names


def _demand_no_links(files: Files, folder: str, names: Sequence[str]) -> None:
    """Say of a link on the way that it is one: to the hand it is no directory."""
    for depth in range(1, len(names)):
        facts = files.look("/".join((folder, *names[:depth])))
        if facts is not None and facts.kind == "link":
            raise Denied("/".join(names[:depth]) + " is a link, which is not followed")


def _listed(files: Files, folder: str, glob: Glob) -> Listing:
    """List what may fit; where a directory that the pattern names is missing nothing does."""
    try:
        place = "/".join((folder, *glob.folder))
        return files.list(place, depth=glob.depth, most=MOST_LOOKED_AT)
    except FileFailed as error:
        if not glob.folder or error.errno not in ("ENOENT", "ENOTDIR"):
            raise
    _demand_no_links(files, folder, (*glob.folder, ""))
    return Listing((), is_whole=True)


def _is_meant(listed: Listed, glob: Glob) -> bool:
    return listed.facts.kind == "file" and glob.fits(listed.path)


def _view(base: str, glob: Glob, listed: Listed) -> FileView:
    path = "/".join((*glob.folder, listed.path)).encode("utf-8", "surrogateescape")
    return FileView(
        path=path.decode("utf-8", "replace"),
        size=listed.facts.size,
        mtime=datetime.fromtimestamp(listed.facts.mtime_ns // 10**9, UTC),
        href=f"{base}/{quote(path)}",
    )

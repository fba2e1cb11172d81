"""A job's output: a piece of it, a part as of any file, or all of it as it comes."""

from time import monotonic

import anyio
from starlette.responses import Response

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.events import EVENT_STREAM
from waldur_slurm.gateway.web.native.following import BY_NUMBER, Source, follow
from waldur_slurm.gateway.web.native.owned import OwnedJob
from waldur_slurm.gateway.web.native.pieces import (
    FIRST_PAUSE_S,
    OutputQuery,
    Piece,
    longer,
    read_piece,
)
from waldur_slurm.gateway.web.native.serving import SAFE, Sent, send

TEXT = "text/plain; charset=utf-8"


async def show_output(ask: Ask) -> Response:
    return await answer_output(ask, ask.query(OutputQuery), BY_NUMBER)


async def answer_output(ask: Ask, query: OutputQuery, source: Source) -> Response:
    """Answer with the output of the job that the source finds."""
    if query.tail is not None and query.offset is not None:
        raise WrongAsk("expected either an `offset` or a `tail`")
    job = await source.find(ask, query)
    if EVENT_STREAM in ask.request.headers.get("accept", ""):
        return await follow(ask, job, query, source)
    if "range" in ask.request.headers:
        return await _send_part(ask, job, query)
    piece = await _wait_for_piece(ask, job, query, source)
    headers = {
        **SAFE,
        "Cache-Control": "no-store",
        "X-Next-Offset": str(piece.following),
        "X-Complete": str(piece.is_last).lower(),
    }
    return Response(piece.data, headers=headers, media_type=TEXT)


async def _send_part(ask: Ask, job: OwnedJob, query: OutputQuery) -> Response:
    """Answer as for any file (206, 416): a client that goes on with a download does so."""
    if query.offset is not None or query.tail is not None or query.wait:
        raise WrongAsk("expected either a `Range`, or `offset`, `tail` and `wait`")
    return await send(ask, Sent(job.user, job.output(query.stream), TEXT))


async def _wait_for_piece(ask: Ask, job: OwnedJob, query: OutputQuery, source: Source) -> Piece:
    """Look again, ever more rarely; nothing is held meanwhile, neither a thread nor a file."""
    end, pause = monotonic() + query.wait, FIRST_PAUSE_S
    while True:
        piece = await read_piece(ask, job, query)
        left = end - monotonic()
        if piece.data or piece.is_last or left <= 0 or ask.site.is_stopping():
            return piece
        await anyio.sleep(min(pause, left))
        pause = longer(pause)
        job = await source.find(ask, query)

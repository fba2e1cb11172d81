"""Archives of a job's directory, both ways between a client and a hand: a piece at a time.

The hand's side is a generator that blocks, in a thread; the client's is asynchronous. Neither gets
ahead of the other, so that nothing is held but the piece under way.
"""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from waldur_slurm.errors import NotPermitted
from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Act
from waldur_slurm.gateway.apps.job import ManagedJob
from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.web.ask import Ask

ZIP = "application/zip"


async def pour_out(ask: Ask, user: str, directory: str, most: int) -> StreamingResponse:
    """Answer with a directory as an archive; it refuses before the answer begins, or breaks off."""

    def begin(actor: Actor) -> tuple[bytes, Iterator[bytes]]:
        source = actor.files.zip_out(directory, most=most)
        return next(source, b""), source

    with ExitStack() as seat:
        seat.enter_context(ask.site.open_files.one_more())
        first, source = await ask.acting(user, begin)
        return _Pouring(ask, first, source, seat.pop_all())


class _Pouring(StreamingResponse):
    """Lets the hand go however the answer ends."""

    def __init__(self, ask: Ask, first: bytes, source: Iterator[bytes], seat: ExitStack) -> None:
        super().__init__(self._pieces(first), headers={"Content-Type": ZIP})
        self._lane = ask.site.crossing.files
        self._source = source
        self._seat = seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_close, self._source)
            self._seat.close()

    async def _pieces(self, first: bytes) -> AsyncIterator[bytes]:
        piece: bytes | None = first
        while piece:
            yield piece
            piece = await self._lane.run(lambda: next(self._source, None))


async def unpack(
    ask: Ask, job: ManagedJob, directory: str, pieces: AsyncIterator[bytes], most: int
) -> None:
    """Unpack what comes over the directory: all of it, or nothing. Raises `WrongAsk`."""
    about = {"app": job.app, "job": job.id}

    def work(actor: Actor) -> None:
        actor.files.look(directory)  # refuses what is not about the archive
        act = Act(caller=actor.caller, user=job.user, what="app.job.upload", about=about)
        with ask.site.audit.doing(act):
            try:
                actor.files.zip_in(directory, poured_in(pieces), most=most)
            except NotPermitted as error:
                raise WrongAsk(str(error)) from error

    await ask.acting(job.user, work)


def poured_in(pieces: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Yield in a thread what a client sends; for work that `Ask.acting` runs."""

    async def following() -> bytes | None:
        return await anext(pieces, None)

    while (piece := anyio.from_thread.run(following)) is not None:
        yield piece


def _close(source: Iterator[bytes]) -> None:
    if isinstance(source, Generator):
        source.close()

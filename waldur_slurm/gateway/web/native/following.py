"""A job's output as server-sent events: as it comes, to its end.

Each event's number is where the next one begins: who comes back with the last one he heard misses
nothing and hears nothing twice. What is no UTF-8 is shown as U+FFFD; for the bytes themselves there
are plain reads.
"""

import codecs
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic

import anyio
import msgspec
from starlette.responses import Response, StreamingResponse

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import BeyondEnd, Denied, GatewayError, TryLater, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.events import EVENT_STREAM, HEARTBEAT_S, LOOKED_AT_AGAIN_S
from waldur_slurm.gateway.web.native.filters import read_number
from waldur_slurm.gateway.web.native.owned import OwnedJob, find_one
from waldur_slurm.gateway.web.native.pieces import (
    FIRST_PAUSE_S,
    OutputQuery,
    Piece,
    longer,
    read_piece,
    wanted,
)

A_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Finds the job again and again, for whoever still may: the scope is looked at, too."""

    find: Callable[[Ask, OutputQuery], Awaitable[OwnedJob]]
    scope: Scope


async def _find_by_number(ask: Ask, query: OutputQuery) -> OwnedJob:
    return await find_one(ask, wanted(ask, query))


BY_NUMBER = Source(_find_by_number, Scope.OUTPUT_READ)
"""The job that the path names by its number."""


async def follow(ask: Ask, job: OwnedJob, query: OutputQuery, source: Source) -> Response:
    """Begin at `Last-Event-ID`, at `offset`, or with the last `tail` bytes; else at the start."""
    heard = ask.request.headers.get("last-event-id", "")
    if heard:
        query = msgspec.structs.replace(query, offset=_offset(heard), tail=None)
    query = msgspec.structs.replace(query, limit=A_PIECE)
    first = await read_piece(ask, job, query)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _Followed(ask, query, source).told(first)
    return StreamingResponse(stream, headers=headers, media_type=EVENT_STREAM)


def _offset(text: str) -> int:
    number = read_number(text)
    if not 0 <= number < 2**40:
        raise WrongAsk("Last-Event-ID: expected the number of the last event that was heard")
    return number


class _Followed:
    """One who follows: how far he has heard, and how often it is looked."""

    def __init__(self, ask: Ask, query: OutputQuery, source: Source) -> None:
        self._ask = ask
        self._source = source
        self._query = query
        self._pause = FIRST_PAUSE_S
        self._spoke = self._looked = monotonic()

    async def told(self, first: Piece) -> AsyncIterator[bytes]:
        """Yield events until the output is complete, or may no longer be followed."""
        yield b"retry: 3000\n\n"
        piece: Piece | None = first
        try:
            while not self._ask.site.is_stopping():
                events = self._events(piece)
                for event in events:
                    yield event
                if piece and piece.is_last:
                    return
                if monotonic() - self._spoke >= HEARTBEAT_S:
                    self._spoke = monotonic()
                    yield b": still here\n\n"
                if not events:
                    await anyio.sleep(self._pause)
                    self._pause = longer(self._pause)
                await self._look_who_asks()
                piece = await self._next()
        except GatewayError as error:
            yield _event("gone", {"type": error.kind, "detail": str(error)})

    def _events(self, piece: Piece | None) -> list[bytes]:
        """Tell the text of a piece; half a character waits for the rest of it."""
        if piece is None:
            return []
        text, used = whole_text(piece.data, is_last=piece.is_last)
        following = piece.offset + used
        self._query = msgspec.structs.replace(self._query, offset=following, tail=None)
        events = []
        if text:
            self._spoke, self._pause = monotonic(), FIRST_PAUSE_S
            events.append(_event("output", {"offset": piece.offset, "text": text}, following))
        if piece.is_last:
            events.append(_event("end", {"offset": following, "complete": True}, following))
        return events

    async def _next(self) -> Piece | None:
        """Read on; None where it cannot be known at the moment."""
        try:
            job = await self._source.find(self._ask, self._query)
            return await read_piece(self._ask, job, self._query)
        except TryLater:
            return None
        except BeyondEnd:
            self._query = msgspec.structs.replace(self._query, offset=0)
            return None

    async def _look_who_asks(self) -> None:
        """Raises where a token was ended, or may not read this any more."""
        if monotonic() - self._looked < LOOKED_AT_AGAIN_S:
            return
        now = await self._ask.again()
        answer = decide(now, self._source.scope, is_of_one_job=True)
        if not isinstance(answer, Yes):
            raise Denied(answer.why)
        self._ask = replace(self._ask, principal=now)
        self._looked = monotonic()


def whole_text(data: bytes, *, is_last: bool) -> tuple[str, int]:
    """Return the text of what are whole characters, and how many bytes of it that is."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, is_last)
    waiting, _ = decoder.getstate()
    return text, len(data) - len(waiting)


def _event(kind: str, data: dict[str, object], number: int | None = None) -> bytes:
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))

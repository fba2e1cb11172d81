"""A user's file sent to a client: whole or a part, in little memory, for as long as it takes.

What is sent is what the file was when it was opened; one that shrinks meanwhile breaks the answer
off, so that nobody takes a part for the whole. Files are other people's: a browser is told to run
nothing of what it gets, and to save it rather than show it.
"""

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from time import time_ns
from typing import Self
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from waldur_slurm.errors import TransportError
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.errors import BeyondEnd
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.held import FileKey
from waldur_slurm.gateway.web.native.ranges import NOTHING, WHOLE, Part, content_range, parse_range
from waldur_slurm.hand.requests import MOST_BYTES
from waldur_slurm.slurm.transports.files import FileFacts, Taken

BYTES = "application/octet-stream"
_SETTLED_NS = 2 * 10**9
"""How long after a change a file's time may still hide another one."""

SAFE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Whatever a user wrote into his file: in a browser it is data, and nothing runs."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is to be sent of which file: `more` are headers beside the usual ones."""

    user: str
    path: str
    media_type: str = BYTES
    more: Mapping[str, str] = field(default_factory=dict)


async def send(ask: Ask, sent: Sent) -> Response:
    """Answer with the file, or the part of it that is asked for; raises `BeyondEnd`."""
    asked = ask.request.headers
    wanted = parse_range(asked.get("range", ""))
    reading = await Reading.begin(ask, sent.user, sent.path, wanted or WHOLE)
    if wanted and not _is_still(reading.key.etag, asked.get("if-range")):
        await reading.end()
        wanted, reading = None, await Reading.begin(ask, sent.user, sent.path, WHOLE)
    headers = {**SAFE, **sent.more, **_validators(reading.key.etag)}
    if _is_had(reading.key.etag, asked.get("if-none-match", "")):
        return await _without_body(reading, 304, headers)
    if wanted:
        size = reading.taken.facts.size
        if not reading.left:
            await reading.end()
            raise BeyondEnd(f"the file has {size} bytes", size)
        headers["Content-Range"] = content_range(reading.part, size)
    headers["Content-Length"] = str(reading.left)
    status = 206 if wanted else 200
    if ask.request.method == "HEAD" or not reading.left:
        return await _without_body(reading, status, headers | {"Content-Type": sent.media_type})
    return Sending(reading, reading.pieces(), status, headers, sent.media_type)


class Reading:
    """One open file, and how much of it is still to be read."""

    def __init__(self, ask: Ask, taken: Taken, key: FileKey, part: Part, seat: ExitStack) -> None:
        self.taken = taken
        self.part = part
        self.left = part.length or 0
        self._ask = ask
        self.key = key
        self._seat = seat
        self._digest = sha256()

    @classmethod
    async def begin(cls, ask: Ask, user: str, path: str, wanted: Part) -> Self:
        """Open it; raises `NotNow` where too many are open."""
        first = max(min(wanted.first, MOST_BYTES), -MOST_BYTES)
        length = None if wanted.length is None else min(wanted.length, MOST_BYTES)
        with ExitStack() as seat:
            seat.enter_context(ask.site.open_files.one_more())
            taken = await ask.acting(
                user, lambda actor: actor.files.take(path, offset=first, length=length)
            )
            part = wanted.within(taken.facts.size) or NOTHING
            key = FileKey(ask.cluster.name, user, path, etag(taken.facts))
            return cls(ask, taken, key, part, seat.pop_all())

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read it in the lane of files, each piece when the one before was taken."""
        while self.left:
            yield await self._ask.site.crossing.files.run(self._next)
        if self.part == Part(0, self.taken.facts.size):
            self._ask.site.digests.keep(self.key, self.digest)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what was read so far."""
        return self._digest.hexdigest()

    async def end(self) -> None:
        """Let the hand go; also where whoever asked has gone."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_close, self.taken.content)
        self._seat.close()

    def _next(self) -> bytes:
        with refusals():
            data = next(self.taken.content, b"")[: self.left]
            if not data:
                raise TransportError("the file became shorter while it was read")
        self.left -= len(data)
        self._digest.update(data)
        return data


class Sending(StreamingResponse):
    """Ends the reading however the answer ends, also before it has begun."""

    def __init__(
        self,
        reading: Reading,
        content: AsyncIterator[bytes],
        status: int,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(content, status, headers, media_type)
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._reading.end()


async def _without_body(reading: Reading, status: int, headers: Mapping[str, str]) -> Response:
    await reading.end()
    return Response(status_code=status, headers=headers)


def _validators(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}


def etag(facts: FileFacts) -> str:
    """Name the file's content: weakly while its time may hide another change."""
    text = f"{facts.inode} {facts.size} {facts.mtime_ns}"
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    return tag if time_ns() - facts.mtime_ns > _SETTLED_NS else f"W/{tag}"


def attachment(name: str) -> str:
    """Write `Content-Disposition`: to be saved under this name, whatever stands in it."""
    plain = "".join(
        each if (each.isascii() and each.isalnum()) or each in "-_." else "_" for each in name
    )
    exact = quote(name.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _is_had(tag: str, header: str) -> bool:
    """Compare weakly, as is right here (RFC 9110, 13.1.2)."""
    shown = {part.strip().removeprefix("W/") for part in header.split(",")}
    return tag.removeprefix("W/") in shown


def _is_still(tag: str, shown: str | None) -> bool:
    """Whether a part may be added to what was had before; a weak tag does not say so."""
    return shown is None or (shown == tag and not tag.startswith("W/"))


def _close(content: Iterator[bytes]) -> None:
    if isinstance(content, Generator):
        content.close()

"""One connection: how long and how large what it sends may be, and how many there may be.

What a connection costs is bounded here, whoever asks and however slowly he sends or reads: uvicorn
bounds none of it.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from waldur_slurm.gateway.doors.networks import Network, address, is_within
from waldur_slurm.gateway.doors.shown import Connection, Place
from waldur_slurm.gateway.web.showing import CONNECTION

MOST_HEAD = 64 * 1024
"""Bytes of a request's line and headers together."""

_FOR_OURSELVES = 256
"""Descriptors kept for Slurm's commands, the database and the log."""


def most_connections() -> int:
    """As many as there are descriptors: with none left Slurm could not be asked either."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - _FOR_OURSELVES, soft // 2)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take."""

    head_s: float = 20.0
    """From a connection's beginning, or a request's first byte, to the end of its head."""
    body_s: float = 60.0
    """From there to the end of its body, which is small in all that the gateway takes."""
    stall_s: float = 60.0
    """Until he has taken what waits for him, which is never more than a slice of an answer."""


@dataclass(slots=True)
class Crowd:
    """Who is connected. One address has half of all places, so that it shuts nobody else out.

    A proxy's connections are those of many: it bounds them itself, and is not counted.
    """

    most: int = field(default_factory=most_connections)
    proxies: Sequence[Network] = ()
    _all: int = 0
    _from: Counter[str] = field(default_factory=Counter)

    def enter(self, host: str) -> bool:
        """Count one more; say whether it may stay."""
        self._all += 1
        self._from[host] += 1
        place = address(host)
        is_proxy = place is not None and is_within(place, self.proxies)
        return self._all <= self.most and (is_proxy or self._from[host] <= self.most // 2)

    def leave(self, host: str) -> None:
        self._all -= 1
        self._from[host] -= 1
        if not self._from[host]:
            del self._from[host]


class HeadTooLarge(Exception):
    """The parser turns it into its own error, which is answered with 400."""


class Protocol(HttpToolsProtocol):
    """Lets all requests of one connection share what was found out about it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: Crowd,
        patience: Patience,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._crowd = crowd
        self._patience = patience
        self._host = ""
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        # What the kernel does not take at once is a client who does not read.
        transport.set_write_buffer_limits(high=1)  # 0 stalls TLS at once
        self._is_in_head, self._head = True, 0
        self._timer = self._after(self._patience.head_s, transport.close)
        peer, listener = self.client, self.server
        self.app_state = {
            CONNECTION: Connection(
                peer=Place(*peer) if peer else None,
                listener=Place(listener[0], listener[1] or 0) if listener else None,
            )
        }
        self._host = peer[0] if peer else ""
        if not self._crowd.enter(self._host):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._crowd.leave(self._host)
        super().connection_lost(exc)
        if self._stalled:
            self._stalled.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > MOST_HEAD:
            self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._timer.cancel()
        self._is_in_head, self._head = True, 0
        self._timer = self._after(self._patience.head_s, self.transport.close)

    def on_headers_complete(self) -> None:
        self._timer.cancel()
        self._is_in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MOST_HEAD:
            raise HeadTooLarge
        self._timer = self._after(self._patience.body_s, self.transport.close)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._timer.cancel()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self._after(self._patience.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()

    def _after(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, do)

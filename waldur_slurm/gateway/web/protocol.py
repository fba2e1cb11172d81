"""One connection: how long and how large the head of a request may be, and how many there may be.

What a connection costs before it is known who asks is bounded here: uvicorn bounds neither.
"""

import asyncio
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from waldur_slurm.gateway.doors.shown import Connection, Place
from waldur_slurm.gateway.web.showing import CONNECTION

MOST_HEAD = 64 * 1024
"""Bytes of a request's line and headers together."""

LONGEST_HEAD_S = 20.0
"""From a connection's beginning, or a request's first byte, to the end of its head."""

_FOR_OURSELVES = 256
"""Descriptors kept for Slurm's commands, the database and the log."""


def most_connections() -> int:
    """As many as there are descriptors: with none left Slurm could not be asked either."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - _FOR_OURSELVES, soft // 2)


class HeadTooLarge(Exception):
    """The parser turns it into its own error, which is answered with 400."""


class Protocol(HttpToolsProtocol):
    """Lets all requests of one connection share what was found out about it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._is_in_head, self._head, self._timer = True, 0, self._begin_timer()
        peer, listener = self.client, self.server
        self.app_state = {
            CONNECTION: Connection(
                peer=Place(*peer) if peer else None,
                listener=Place(listener[0], listener[1] or 0) if listener else None,
            )
        }
        if len(self.connections) > most_connections():
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

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
        self._is_in_head, self._head, self._timer = True, 0, self._begin_timer()

    def on_headers_complete(self) -> None:
        self._timer.cancel()
        self._is_in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MOST_HEAD:
            raise HeadTooLarge
        super().on_headers_complete()

    def _begin_timer(self) -> asyncio.TimerHandle:
        return self.loop.call_later(LONGEST_HEAD_S, self.transport.close)

"""An end in time for one exchange, whatever the other side drips.

A read time-out starts anew with every byte, so that a server which sends one a second is never
late. Here a timer shuts the socket down: the pending read ends, and the caller sees why.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock, Timer
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


class Deadline:
    """The moment after which the watched socket is no longer worth reading."""

    def __init__(self) -> None:
        self.has_passed = False
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self.has_passed:
                self._shut()

    def pass_by(self) -> None:
        with self._lock:
            self.has_passed = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it may have ended by itself a moment ago
                # Not the TLS socket's own method: that one would drop its state under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Bound what this thread reads through a `WatchedAdapter` inside the block."""
    current = Deadline()
    timer = Timer(seconds, current.pass_by)
    timer.daemon = True
    token = _CURRENT.set(current)
    timer.start()
    try:
        yield current
    finally:
        timer.cancel()
        _CURRENT.reset(token)


class _WatchedHTTP(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 overrides it so
        _watch(self.sock)
        return super().getresponse()


class _WatchedHTTPS(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 overrides it so
        _watch(self.sock)
        return super().getresponse()


def _watch(sock: socket.socket | None) -> None:
    """What both kinds of connection do before they wait for an answer."""
    current = _CURRENT.get()
    if current is not None and sock is not None:
        current.watch(sock)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class WatchedAdapter(HTTPAdapter):
    """requests' own adapter, with connections that obey the current deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

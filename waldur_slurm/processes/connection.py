"""A conversation over a unix socket, read as it comes: what `Child` is to a command.

What goes there may come in pieces that are made meanwhile. Silence on both sides ends it.
"""

import socket
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from waldur_slurm.errors import TransportError

CHUNK = 262_144


class Connection:
    """One connection to whoever listens at `path`."""

    def __init__(self, path: Path, *, sent: Iterable[bytes], timeout: timedelta) -> None:
        self._path = path
        self._timeout = timeout
        self._to_write = memoryview(b"")
        self._to_come = iter(sent)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout.total_seconds())
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise TransportError(f"nobody can be reached at {path}: {error}") from error

    def received(self) -> Generator[bytes, None, None]:
        """Yield what comes, until the other side ends; write meanwhile."""
        with closing(self._socket), DefaultSelector() as selector:
            self._socket.setblocking(False)
            selector.register(self._socket, EVENT_READ | EVENT_WRITE)
            heard = time.monotonic()
            while True:
                ready = selector.select(self._timeout.total_seconds())
                if not ready:
                    raise TransportError(
                        f"no word from {self._path} within {time.monotonic() - heard:.0f} s"
                    )
                mask = ready[0][1]
                if mask & EVENT_WRITE and self._write_some():
                    selector.modify(self._socket, EVENT_READ)
                if mask & EVENT_READ:
                    data = self._read()
                    if not data:
                        return
                    yield data
                heard = time.monotonic()

    def _write_some(self) -> bool:
        """Write a piece; say whether there is nothing more to write."""
        while not self._to_write:
            piece = next(self._to_come, None)
            if piece is None:
                return True
            self._to_write = memoryview(piece)
        try:
            self._to_write = self._to_write[self._socket.send(self._to_write[:CHUNK]) :]
        except BlockingIOError:
            return False
        except OSError:
            return True  # it stopped reading; its answer says why
        return False

    def _read(self) -> bytes:
        try:
            return self._socket.recv(CHUNK)
        except BlockingIOError as error:
            raise TransportError(f"{self._path}: {error}") from error
        except ConnectionResetError:
            return b""

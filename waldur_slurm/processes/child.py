"""The one place that starts processes. A child has an end: its own, or the time-out's.

A child gets its own process group, which is killed whole when the time is up, when the output
grows beyond its bound, or when nobody reads on. One that became somebody else, as sudo does, cannot
be killed: its pipes are closed, and it has to end by that.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from waldur_slurm.errors import CannotStart, TransportError

CHUNK = 65_536
PARTING_S = 5
"""How long a child that cannot be killed is waited for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that happens to a child."""

    code: int


class Child:
    """One running command, read as it comes.

    Its stdin may come in pieces that are made while it runs. Where it `may_go_on`, the time-out is
    for silence on both sides, not for the whole.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        *,
        stdin: bytes | Iterable[bytes],
        environ: Mapping[str, str],
        timeout: timedelta,
        may_go_on: bool = False,
    ) -> None:
        self._name = argv[0]
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout.total_seconds()
        self._may_go_on = may_go_on
        self._to_write = memoryview(stdin if isinstance(stdin, bytes) else b"")
        self._to_come = iter(()) if isinstance(stdin, bytes) else iter(stdin)
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if stdin == b"" else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise CannotStart(f"{argv[0]} cannot be started: {error}") from error

    def events(self) -> Iterator[tuple[bool, bytes] | Ended]:
        """Yield (is stdout, data) while the child talks, then `Ended`; kill it if left early."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._bury)
            selector = stack.enter_context(selectors.DefaultSelector())
            for pipe, mask in self._pipes():
                stack.enter_context(contextlib.closing(pipe))
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, mask)
            while selector.get_map():
                for key, _ in selector.select(self._remaining()):
                    if key.fileobj is self._process.stdin:
                        self._feed(selector)
                    elif data := os.read(key.fd, CHUNK):
                        yield key.fileobj is self._process.stdout, data
                    else:
                        selector.unregister(key.fileobj)
                    self._renew()
            yield Ended(self._wait())

    def _pipes(self) -> Iterator[tuple[IO[bytes], int]]:
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                yield pipe, selectors.EVENT_READ
        if self._process.stdin is not None:
            yield self._process.stdin, selectors.EVENT_WRITE

    def _feed(self, selector: selectors.BaseSelector) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            is_over = self._write_some(pipe.fileno())
        except BrokenPipeError:
            is_over = True  # it stopped reading; its exit code says why
        if is_over:
            selector.unregister(pipe)
            pipe.close()

    def _write_some(self, descriptor: int) -> bool:
        """Write a piece; say whether it was the last."""
        while not self._to_write:
            piece = next(self._to_come, None)
            if piece is None:
                return True
            self._to_write = memoryview(piece)
        self._to_write = self._to_write[os.write(descriptor, self._to_write[:CHUNK]) :]
        return False

    def _renew(self) -> None:
        if self._may_go_on:
            self._deadline = time.monotonic() + self._timeout.total_seconds()

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TransportError(
                f"{self._name} did not end within {self._timeout.total_seconds():g} s "
                "and was killed"
            )
        return left

    def _wait(self) -> int:
        try:
            return self._process.wait(self._remaining())
        except subprocess.TimeoutExpired:
            self._remaining()
            raise

    def _bury(self) -> None:
        """End the whole group, unless its leader has ended and its id may be somebody else's."""
        if self._process.poll() is not None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._process.wait()
        except PermissionError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PARTING_S)
        else:
            self._process.wait()

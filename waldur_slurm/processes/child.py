"""The one place that starts processes. A child has an end: its own, or the time-out's.

A child gets its own process group, which is killed whole when the time is up, when the output
grows beyond its bound, or when nobody reads on.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from waldur_slurm.errors import TransportError

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that happens to a child."""

    code: int


class Child:
    """One running command, read as it comes."""

    def __init__(
        self,
        argv: tuple[str, ...],
        *,
        stdin: bytes,
        environ: Mapping[str, str],
        timeout: timedelta,
    ) -> None:
        self._name = argv[0]
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout.total_seconds()
        self._to_write = memoryview(stdin)
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise TransportError(f"{argv[0]} cannot be started: {error}") from error

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
                        continue
                    data = os.read(key.fd, CHUNK)
                    if data:
                        yield key.fileobj is self._process.stdout, data
                    else:
                        selector.unregister(key.fileobj)
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
            written = os.write(pipe.fileno(), self._to_write[:CHUNK])
        except BrokenPipeError:
            written = len(self._to_write)  # it has read enough; its exit code tells the rest
        self._to_write = self._to_write[written:]
        if not self._to_write:
            selector.unregister(pipe)
            pipe.close()

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
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

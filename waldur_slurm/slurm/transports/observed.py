"""A transport that can be watched.

Each command is a sign of life, a line of the transcript, and a moment at which one may stop.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from waldur_slurm.processes.port import Completed, Transport

CommandObserver = Callable[[tuple[str, ...], int | None, float], None]
"""Hears of argv, exit code (None: it never ended) and seconds."""


class ObservedTransport:
    """Passes everything on; `before` may raise to keep a command from being started."""

    def __init__(
        self, inner: Transport, before: Callable[[], None], after: CommandObserver
    ) -> None:
        self._inner = inner
        self._before = before
        self._after = after

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        self._before()
        began = time.monotonic()
        code: int | None = None
        try:
            completed = self._inner.run(argv, stdin=stdin, environ=environ, timeout=timeout)
            code = completed.code
        finally:
            self._after(argv, code, time.monotonic() - began)
        return completed

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        self._before()
        began = time.monotonic()
        code: int | None = None

        def noting(completed: Completed) -> None:
            nonlocal code
            code = completed.code
            believe(completed)

        try:
            yield from self._inner.stream(argv, believe=noting, environ=environ, timeout=timeout)
        finally:
            self._after(argv, code, time.monotonic() - began)

"""A transport whose commands are all told the same variables, beside their own."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from waldur_slurm.processes.port import Completed, Transport


class ToldTransport:
    def __init__(self, inner: Transport, environ: Mapping[str, str]) -> None:
        self._inner = inner
        self._environ = environ

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        told = {**self._environ, **(environ or {})}
        return self._inner.run(argv, stdin=stdin, environ=told, timeout=timeout)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        told = {**self._environ, **(environ or {})}
        return self._inner.stream(argv, believe=believe, environ=told, timeout=timeout)

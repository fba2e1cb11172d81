"""One command, wherever it runs: how it is carried there, and what it leaves behind."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command left behind; the two streams are kept apart."""

    code: int
    out: str
    err: str


class Transport(Protocol):
    """Carries one command to where it runs; raises `TransportError` when it never ended."""

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed: ...

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        """Yield the lines of stdout as they come, in flat memory.

        Nothing yielded may be believed before the iterator is exhausted: at its end, `believe`
        hears the exit code and stderr, and what it raises comes out of the iterator. The command
        of an iterator that is dropped early ends by its time-out at the latest.
        """
        ...

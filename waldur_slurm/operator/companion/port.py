"""What a companion asks of the gateway about its one job.

A gateway that is away is waited for, so nothing here says that it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Stream = Literal["out", "err"]


@dataclass(frozen=True, slots=True)
class JobNow:
    """How the job stands; `state` is Slurm's own word for it."""

    state: str
    is_over: bool
    is_well: bool
    """Whether it ended as it should."""
    is_array: bool = False
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what it wrote; `is_last`: the job is over, and there is no more."""

    data: bytes
    next_offset: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it is now; where `tag` is empty it was changed so recently that none is sure."""

    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Paths below the job's folder that fit a pattern; `is_whole`: there are no more."""

    paths: Sequence[str]
    is_whole: bool


class Into(Protocol):
    """Where a file goes: what was written of it so far stays."""

    @property
    def size(self) -> int: ...

    def write(self, data: bytes, /) -> int: ...


class Source(Protocol):
    """All of it may raise `CompanionError`. A path of None is the job's standard output."""

    def look(self) -> JobNow: ...

    def look_again(self, seconds: float) -> JobNow:
        """Return it as soon as it is over; as it is, where it is not after so long."""
        ...

    def read_output(self, stream: Stream, offset: int) -> Piece:
        """Return what there is now; from the beginning, where it has begun anew."""
        ...

    def list_files(self, pattern: str) -> Listed: ...

    def look_at(self, path: str | None) -> Version: ...

    def take(self, path: str | None, version: Version, into: Into) -> None:
        """Write what is missing of that version; raises `Changing` where it is another now."""
        ...

    def read_digest(self, path: str | None) -> str:
        """Return the SHA-256 that the gateway finds; empty where it tells none of such a thing."""
        ...

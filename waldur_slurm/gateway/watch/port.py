"""What watching needs: a place where monitors are kept. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.watch.monitor import Monitor, Stage, Transition, UnreadableMonitor
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Turn:
    """A monitor as it is now, and what is written down and told of that: together or not at all."""

    monitor: Monitor
    transition: Transition | None = None
    letters: tuple[Letter, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which monitors are asked for; what is None does not restrict.

    Whoever looks is shown those that he made, and those of the users whose jobs he sees.
    """

    owner: str | None = None
    users: Collection[UserName] | None = None
    stage: Stage | None = None
    state: str | None = None
    cluster: str | None = None
    job: JobId | None = None
    uuid: str | None = None
    before: int | None = None
    """Only those with a lower number, as pages go on."""


class Monitors(Protocol):
    """All of it may raise `StateError`; nothing was written then."""

    def add(self, monitor: Monitor, *, among_all: bool = False) -> bool:
        """Write a new one down, unless its owner has one of the same uuid.

        `among_all`: nor has anybody else one of it for the same user.
        """
        ...

    def find(self, monitor_id: str) -> Monitor | None: ...

    def search(self, wanted: Wanted, limit: int) -> Sequence[tuple[int, Monitor]]:
        """Return those that are wanted with their numbers, the newest first."""
        ...

    def watching(self, cluster: str) -> Sequence[Monitor | UnreadableMonitor]:
        """Return all that watch, the oldest first, those without a job too."""
        ...

    def note(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        """Write down what became of monitors that still watch; return what was written."""
        ...

    def transitions(self, monitor_id: str) -> Sequence[Transition]:
        """Return what became of it, the oldest first."""
        ...

    def letters(self, monitor_id: str) -> Sequence[Letter]:
        """Return its letters that are kept, the newest first."""
        ...

    def drop(self, monitor_id: str) -> bool:
        """Forget it, with its transitions; letters that are written already are sent.

        One whose job is being handed in stays: with it the uuid would be free for a second job.
        """
        ...

    def forget(self, before: datetime) -> None:
        """Let those go that stopped watching before then."""
        ...

    def counts(self) -> Mapping[Stage, int]: ...

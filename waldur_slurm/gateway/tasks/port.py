"""Where tasks are kept, each together with its monitor. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Watched:
    """A monitor of the owner's has the uuid already, of a job that no task of his made."""

    job: JobId | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which tasks are asked for: those of an owner, and of users whose jobs he sees.

    None of `users` is everybody's; `before` is the number that a page goes on from.
    """

    owner: str
    users: Collection[UserName] | None
    cluster: str | None = None
    uuid: str | None = None
    before: int | None = None


class Tasks(Protocol):
    """All of it may raise `StateError`; nothing was written then."""

    def reserve(self, task: KeptTask, monitor: Monitor) -> KeptTask | Watched | None:
        """Write a task and its monitor down; else return what has its uuid, and write nothing."""
        ...

    def close(self, task: KeptTask, placed: Placed) -> None:
        """Say which job it made, in its monitor too."""
        ...

    def free(self, task: KeptTask) -> None:
        """Forget a task that certainly made no job, with its monitor; a placed one stays."""
        ...

    def unsettled(self) -> Sequence[KeptTask]:
        """Return those without a job, the oldest first."""
        ...

    def find(self, owner: str, uuid: str) -> KeptTask | None: ...

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, KeptTask]]:
        """Return them with their numbers, the newest first."""
        ...

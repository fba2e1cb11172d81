"""What the life of a SlurmJob asks of Kubernetes.

Writes carry the version of what they were decided on, where another's change in between matters.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from waldur_slurm.operator.model.slurm_job import SlurmJob


class EventKind(StrEnum):
    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence about a SlurmJob, as `kubectl describe` shows it."""

    reason: str
    sentence: str
    kind: EventKind = EventKind.NORMAL


TOO_OLD = timedelta(minutes=1)
"""What is known for longer is not known any more."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All SlurmJobs, and how old that knowledge is at most."""

    jobs: tuple[SlurmJob, ...]
    age: timedelta

    @property
    def is_too_old(self) -> bool:
        return self.age > TOO_OLD


class Kube(Protocol):
    """All of it may raise `KubeError`."""

    def accept(self, job: SlurmJob, cluster: str, login: str) -> None:
        """Hold it, and write down for which cluster, and over whose account, where over one.

        Only if it is still as it was read.
        """
        ...

    def let_go(self, job: SlurmJob) -> None:
        """Hold it no longer; that it is gone already is no error."""
        ...

    def read_kept(self) -> Mapping[str, str]:
        """Return, by their uids, on which cluster jobs were left running on purpose."""
        ...

    def keep(self, uid: str, cluster: str) -> None:
        """Remember that this one's job is left running there."""
        ...

    def forget_kept(self, uids: Collection[str]) -> None: ...

    def patch_status(self, job: SlurmJob, status: Mapping[str, Any]) -> None:
        """Let its status be that, whole."""
        ...

    def tell(self, job: SlurmJob, told: Told) -> None:
        """Write an event; one that was told before is counted, not repeated."""
        ...

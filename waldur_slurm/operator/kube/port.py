"""What the operator asks of Kubernetes.

Writes carry the version of what they were decided on, where another's change in between matters.
"""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All SlurmJobs, and how old that knowledge is at most."""

    jobs: tuple[SlurmJob, ...]
    age: timedelta


class Kube(Protocol):
    """All of it may raise `KubeError`."""

    def read_cluster_id(self) -> str:
        """Return what tells this Kubernetes from all others: the uid of kube-system."""
        ...

    def add_finalizer(self, job: SlurmJob) -> None:
        """Hold it; only if it is still as it was read."""
        ...

    def remove_finalizer(self, job: SlurmJob) -> None:
        """Let it go; that it is gone already is no error."""
        ...

    def patch_status(self, job: SlurmJob, status: Mapping[str, Any]) -> None:
        """Let its status be that, whole."""
        ...

    def tell(self, job: SlurmJob, told: Told) -> None:
        """Write an event; one that was told before is counted, not repeated."""
        ...

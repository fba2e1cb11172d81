"""What the operator asks of Kubernetes.

Writes carry the version of what they were decided on, where another's change in between matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.model.slurm_job import SlurmJob
from waldur_slurm.operator.nodes.plan import Node, Step


class KubeError(ExpectedError):
    """Kubernetes did not do what was asked of it."""


class ChangedMeanwhile(KubeError):
    """It is not what it was any more; read it again and decide anew."""


class Gone(KubeError):
    """There is no such thing any more."""


class NotAllowed(KubeError):
    """The operator's account may not; the words say what it lacks."""


class Silent(KubeError):
    """Nobody answered; it may be asked again."""


class Invalid(KubeError):
    """The API server will not have it so."""


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


class Nodes(Protocol):
    """What the resource daemon asks. All of it may raise `KubeError`."""

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]: ...

    def list_nodes(self) -> tuple[Node, ...]: ...

    def change_node(self, node: str, step: Step) -> None: ...


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

"""How a job in Slurm says which SlurmJob it is of: by its mark, which is its comment.

The uid is made by the API server and never comes again, so neither does a mark. `cluster` is the
Kubernetes cluster's own uid: several of them may hand jobs in to one Slurm.
"""

import re
from dataclasses import dataclass

_MARK = re.compile(r"k8s:(?P<cluster>[0-9a-f-]{36}):(?P<uid>[0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class Identity:
    cluster: str
    uid: str

    @property
    def mark(self) -> str:
        return f"{prefix_of(self.cluster)}{self.uid}"


def prefix_of(cluster: str) -> str:
    """Return what all marks of one Kubernetes cluster begin with."""
    return f"k8s:{cluster}:"


def read_mark(mark: str | None) -> Identity | None:
    """Return whose mark it is; None where it is nobody's."""
    match = _MARK.fullmatch(mark or "")
    return Identity(match["cluster"], match["uid"]) if match else None

"""What the operator's `check` knows: each fact is read once, and one that cannot be is its error.

Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from waldur_slurm.operator.config_map import SlurmConfig
from waldur_slurm.operator.jobs.port import ClusterFacts
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.service.check.known import Known


@dataclass(frozen=True, slots=True)
class Right:
    """Something that the operator's account has to be allowed; everywhere, if nowhere is named."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {self.name}" if self.name else ""
        where = f" in {self.namespace}" if self.namespace else " everywhere"
        return f"{self.verb} {what}{named}{where}"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a gateway lets the bearer of the operator's token do."""

    scopes: frozenset[str]
    users: frozenset[str] | None
    """For whom it acts; None where that is anybody, or whoever is in a group."""


@dataclass(frozen=True, slots=True)
class OneCluster:
    """`facts` is None where no account is there to ask over; `token` where none is needed."""

    cluster: Cluster
    facts: Known[ClusterFacts] | None
    token: Known[TokenFacts] | None = None
    shut: tuple[str, ...] = ()
    """Over which accounts of SlurmJobs it could not be asked, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`lacking` is None where nobody could be asked."""

    server: str
    version: Known[str]
    kind: Known[bool]
    """Whether it knows SlurmJobs, with their status apart."""
    lacking: Known[tuple[Right, ...]]
    source: str
    """Where the ConfigMap lies."""
    config: Known[SlurmConfig]
    is_former: bool = False
    """Whether it has the key `config` alone."""
    clusters: Sequence[OneCluster] = ()

"""A Slurm cluster as the administrator names it, and who may run jobs there as whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

WORKLOAD_MANAGER = "slurm.sylabs.io/workload-manager"
INTEGRATION_TYPE = "slurm.sylabs.io/integration-type"
"""Labels that say of a node, and of a cluster, that Slurm is there, and how it is reached."""

NAMESPACE = "{namespace}"
"""Stands for the namespace's own name where a user or an account is named."""

ALL_OPTIONS: frozenset[str] | None = None
"""Where an administrator names none: every option that the way to Slurm lets through."""


@dataclass(frozen=True, slots=True)
class RunsAs:
    """As whom, on which account, and with which options the jobs of a namespace run."""

    user: str
    account: str = ""
    options: frozenset[str] | None = ALL_OPTIONS
    may_use_ssh: bool = False
    """Whether its jobs may bring an ssh account of their own."""

    def of(self, namespace: str) -> "RunsAs":
        user = self.user.replace(NAMESPACE, namespace)
        account = self.account.replace(NAMESPACE, namespace)
        return RunsAs(user, account, self.options, self.may_use_ssh)


@dataclass(frozen=True, slots=True)
class ByGateway:
    """Reached over HTTP. `token` is the file, or the Secret mounted as one, that has its token."""

    url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class BySsh:
    """Reached over a login host whose keys are known beforehand."""

    host: str
    port: int
    known_hosts: str


@dataclass(frozen=True, slots=True)
class Cluster:
    name: str
    by: ByGateway | BySsh
    is_default: bool = False
    namespaces: Mapping[str, RunsAs] = field(default_factory=dict)
    """By name or glob; what is named exactly comes first, then the longest glob."""
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    is_open_to_all: bool = False
    """Named by the former configuration alone, which lets every namespace in."""

    def runs_as(self, namespace: str) -> RunsAs | None:
        """Say as whom a namespace's jobs run here; None where it may not."""
        for pattern in sorted(self.namespaces, key=lambda each: ("*" in each, -len(each), each)):
            if fnmatchcase(namespace, pattern):
                return self.namespaces[pattern].of(namespace)
        return RunsAs(user="") if self.is_open_to_all else None


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """What the administrator says of one node of Kubernetes."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    slurm_local: str = ""
    slurm_ssh: str = ""

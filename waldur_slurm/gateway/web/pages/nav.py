"""The dashboard's pages, in the order in which people find them. Pure."""

from typing import NamedTuple

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.scopes import Scope


class Entry(NamedTuple):
    """A page of a cluster, by its path below the cluster's own."""

    title: str
    path: str
    scope: Scope


NAV: tuple[Entry, ...] = (
    Entry("Overview", "/overview", Scope.CLUSTER_READ),
    Entry("Queue", "/queue", Scope.JOBS_READ),
    Entry("Usage", "/usage", Scope.CLUSTER_READ),
    Entry("Nodes", "/nodes", Scope.CLUSTER_READ),
    Entry("Load", "/load", Scope.CLUSTER_READ),
    Entry("History", "/history", Scope.HISTORY_READ),
    Entry("Accounts", "/accounts", Scope.ACCOUNTS_READ),
    Entry("Partitions", "/partitions", Scope.CLUSTER_READ),
    Entry("Statistics", "/statistics", Scope.CLUSTER_READ),
)


def entries(principal: Principal) -> tuple[Entry, ...]:
    """Leave what he may look at."""
    return tuple(each for each in NAV if isinstance(decide(principal, each.scope), Yes))

"""The dashboard's pages, in the order in which people find them. Pure."""

from collections.abc import Collection
from typing import NamedTuple

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.scopes import Scope


class Entry(NamedTuple):
    """A page, by its path below its cluster's own, or below `/ui` where it is of all clusters."""

    title: str
    path: str
    scope: Scope
    is_of_a_cluster: bool = True
    needs: str = ""
    """What the site has to have: `apps` or `monitors`."""


NAV: tuple[Entry, ...] = (
    Entry("Overview", "/overview", Scope.CLUSTER_READ),
    Entry("Queue", "/queue", Scope.JOBS_READ),
    Entry("Usage", "/usage", Scope.CLUSTER_READ),
    Entry("Nodes", "/nodes", Scope.CLUSTER_READ),
    Entry("Load", "/load", Scope.CLUSTER_READ),
    Entry("History", "/history", Scope.HISTORY_READ),
    Entry("Accounts", "/accounts", Scope.ACCOUNTS_READ),
    Entry("Partitions", "/partitions", Scope.CLUSTER_READ),
    Entry("Apps", "/apps", Scope.APPS_USE, is_of_a_cluster=False, needs="apps"),
    Entry("Tasks", "/tasks", Scope.MONITOR_READ),
    Entry("Monitors", "/monitors", Scope.MONITOR_READ, needs="monitors"),
    Entry("Letters", "/letters", Scope.MONITOR_READ, is_of_a_cluster=False, needs="monitors"),
    Entry("Statistics", "/statistics", Scope.CLUSTER_READ),
)


def entries(principal: Principal, has: Collection[str]) -> tuple[Entry, ...]:
    """Leave what he may look at, of what the site has."""
    return tuple(each for each in NAV if _is_his(principal, each) and each.needs in {"", *has})


def _is_his(principal: Principal, entry: Entry) -> bool:
    """An app is opened by a token of its own, or by who manages all of them."""
    if entry.scope is Scope.APPS_USE and not principal.app:
        return isinstance(decide(principal, Scope.APPS_ADMIN), Yes)
    return isinstance(decide(principal, entry.scope), Yes)

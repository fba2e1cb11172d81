"""What a principal may be allowed, each kind of deed under one name. Pure.

The names are the gateway's promise: tokens, roles and settings carry them. The table makes the page
of the API and the scopes that a sign-in may ask for.
"""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    CLUSTER_READ = "cluster:read"
    JOBS_READ = "jobs:read"
    JOBS_READ_ALL = "jobs:read:all"
    JOBS_SUBMIT = "jobs:submit"
    JOBS_CANCEL = "jobs:cancel"
    JOBS_CONTROL = "jobs:control"
    OUTPUT_READ = "output:read"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    HISTORY_READ = "history:read"
    ACCOUNTS_READ = "accounts:read"
    APPS_ADMIN = "apps:admin"
    APPS_USE = "apps:use"
    MONITOR_READ = "monitor:read"
    MONITOR_WRITE = "monitor:write"
    METRICS_READ = "metrics:read"


MEANING = {
    Scope.CLUSTER_READ: "see nodes, partitions, reservations, licences, QoS, statistics and load",
    Scope.JOBS_READ: "see one's own jobs in the queue",
    Scope.JOBS_READ_ALL: "see everybody's jobs, in queue and history",
    Scope.JOBS_SUBMIT: "hand in jobs as oneself, or as whom one may act for",
    Scope.JOBS_CANCEL: "cancel such jobs",
    Scope.JOBS_CONTROL: "hold, release, requeue, suspend, resume and change such jobs",
    Scope.OUTPUT_READ: "read the output of such jobs",
    Scope.FILES_READ: "read the files of such jobs, and their output",
    Scope.FILES_WRITE: "write files of such jobs",
    Scope.HISTORY_READ: "see one's own jobs in the accounting",
    Scope.ACCOUNTS_READ: "see accounts, associations and users",
    Scope.APPS_ADMIN: "manage apps, their tokens and templates",
    Scope.APPS_USE: "make, start and stop jobs of the app whose token it is",
    Scope.MONITOR_READ: "see tasks, monitors and letters",
    Scope.MONITOR_WRITE: "make and drop tasks and monitors",
    Scope.METRICS_READ: "read `/metrics`",
}

_ALSO = {
    Scope.JOBS_READ_ALL: frozenset({Scope.JOBS_READ}),
    Scope.APPS_ADMIN: frozenset({Scope.APPS_USE}),
    Scope.FILES_READ: frozenset({Scope.OUTPUT_READ}),
}
"""What somebody who has the one has too."""


def widened(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Add what each of them holds."""
    given = frozenset(scopes)
    return given.union(*(_ALSO.get(scope, frozenset()) for scope in given))


def scope(text: str) -> Scope:
    """Read one; the words of the error follow "expected"."""
    try:
        return Scope(text)
    except ValueError:
        raise ValueError(f"one of {', '.join(Scope)}") from None

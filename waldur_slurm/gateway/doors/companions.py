"""Doors of a gateway that is one account, on its own machine: who asks over loopback is let in.

They know no tokens there, so whoever is on this machine is believed to be the account. From
elsewhere nobody is, and what somebody else hands on comes from elsewhere. Pure.
"""

from typing import Final, Protocol

from waldur_slurm.gateway.doors.errands import Errand
from waldur_slurm.gateway.doors.networks import address, is_within
from waldur_slurm.gateway.doors.principals import Kind, Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.doors.strangers import HERE
from waldur_slurm.model.names import UserName

ALLOWED: Final = widened(
    {
        Scope.CLUSTER_READ,
        Scope.JOBS_SUBMIT,
        Scope.JOBS_READ,
        Scope.JOBS_CANCEL,
        Scope.JOBS_CONTROL,
        Scope.FILES_READ,
    }
)
"""What companions and operators do, and so what a token for one of them opens."""


class Admits(Protocol):
    """The doors behind these."""

    def admit(self, shown: Shown) -> Principal | Errand: ...


class Companions:
    def __init__(self, doors: Admits, account: UserName) -> None:
        self._doors = doors
        self._account = Principal(
            Kind.NETWORK, "loopback", ALLOWED, run_as=RunAs(frozenset({account}))
        )

    def admit(self, shown: Shown) -> Principal | Errand:
        """Say who it is; raises as the doors do for a token that is no good, or a page's asking."""
        found = self._doors.admit(shown)
        if isinstance(found, Principal) and found.kind is Kind.NOBODY and _is_here(shown):
            return self._account
        return found


def _is_here(shown: Shown) -> bool:
    peer = shown.connection.peer
    where = address(peer.host) if peer else None
    return where is not None and is_within(where, HERE) and not shown.is_forwarded

"""Slurm accounts and the people in them, as found in one reading of one cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.tres import Tres


@dataclass(frozen=True, slots=True)
class Association:
    """One person's right to use an account, perhaps in one partition only."""

    user: UserName
    partition: str = ""
    max_submit_jobs: int | None = None
    limits: Tres = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """One account with what Slurm enforces on it in the configured cluster.

    `parent` is None for root, and for an account that has no association in this cluster.
    `limits` is `GrpTRESMins`; the two `grp_*` numbers are `GrpJobs` and `GrpSubmitJobs`.
    """

    name: AccountName
    description: str = ""
    organization: str = ""
    parent: AccountName | None = None
    limits: Tres = field(default_factory=dict)
    grp_jobs: int | None = None
    grp_submit_jobs: int | None = None
    fairshare: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""
    associations: tuple[Association, ...] = ()

    @property
    def users(self) -> frozenset[UserName]:
        """Everybody who may use the account in every partition."""
        return frozenset(a.user for a in self.associations if not a.partition)


def is_in_cluster(account: Account | None) -> bool:
    """An account may be known to the database and still have no place in this cluster."""
    return account is not None and (account.parent is not None or account.name == ROOT)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one bulk reading of the accounting database says about one cluster."""

    accounts: Mapping[AccountName, Account]

    def children(self, name: AccountName) -> tuple[AccountName, ...]:
        return tuple(sorted(a.name for a in self.accounts.values() if a.parent == name))


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made with its limits, so that it never exists without them.

    `description` and `organization` are cleaned on the way.
    """

    name: AccountName
    parent: AccountName
    description: str
    organization: str
    limits: Tres = field(default_factory=dict)
    fairshare: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""

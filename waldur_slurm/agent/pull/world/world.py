"""What one cycle found on both sides, as values; whatever is None is unknown.

A cycle sees everything, or what some orders touch. Of what it did not read nothing is concluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUser,
    OfferingUuid,
    Order,
    Resource,
    ResourceUuid,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.pull.world.ledger import Ledger
from waldur_slurm.agent.pull.world.policy import NO_CONSENT, Consent, PullPolicy
from waldur_slurm.agent.pull.world.taken import Taken
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName

Claims = Mapping[str, tuple[ResourceUuid, ...]]
"""Names of accounts, each with the resources that Waldur calls so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldurSide:
    """`members` lacks resources whose team is unknown; `shown` is None where there is no list.

    `is_unavailable`: Waldur takes no change of the offering's resources. `passes_messages`: a word
    of the provider's about an order reaches its customer. Both are asked only where orders wait.
    """

    orders: tuple[Order, ...]
    resources: tuple[Resource, ...]
    members: Mapping[ResourceUuid, frozenset[UserUuid]]
    offering_users: tuple[OfferingUser, ...]
    shown: Mapping[ResourceUuid, frozenset[str]] | None
    is_unavailable: bool = False
    passes_messages: bool = False
    names: Mapping[UserUuid, str] = field(default_factory=dict)
    """What people without a user name are called in Waldur itself."""
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What must be asked of Slurm because of what the two sides hold; usually nothing."""

    accounts: frozenset[AccountName] = frozenset()
    """Accounts whose jobs matter, as somebody leaves them or they end."""
    joiners: frozenset[UserName] = frozenset()
    """People who must be known where Slurm runs before they are added."""
    leavers: frozenset[UserName] = frozenset()
    """People who leave an account, which may be their default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    jobs: Mapping[AccountName, tuple[QueuedJob, ...]] | None = None
    missing_unix_users: frozenset[UserName] | None = None
    default_accounts: Mapping[UserName, AccountName]
    """Of those who leave an account; who is not in it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a plan is made of."""

    offering: OfferingUuid
    dialect: Dialect
    now: datetime
    waldur: WaldurSide
    snapshot: Snapshot
    components: tuple[Component, ...]
    policy: PullPolicy
    ledger: Ledger = field(default_factory=Ledger)
    quarantined: Mapping[str, str] = field(default_factory=dict)
    """What is left alone for a while, each with the reason."""
    believed: Mapping[str, int] = field(default_factory=dict)
    """Doubts that have lasted long enough to be taken for the truth, up to which size."""
    taken: Taken = field(default_factory=dict)
    """What was taken away within the last day."""
    clock_difference: timedelta = timedelta(0)
    """Between Waldur's clock and ours, right after Waldur was read."""
    consent: Consent = NO_CONSENT
    is_partial: bool = False
    """Whether only what some orders touch was read: who is absent may be there all the same."""
    claims: Claims = field(default_factory=dict)
    """What is known from before of others' names, where only a part was read."""

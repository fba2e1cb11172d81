"""What a push plan is made from: one reading of both sides, and what is remembered. Values."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.model.usage import Measurement
from waldur_slurm.agent.push.plan.months import Booking
from waldur_slurm.agent.push.plan.policy import NO_CONSENT, Consent, PushPolicy
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.model.period import Month

HeldAmounts = Mapping[tuple[ResourceUuid, ComponentType], Decimal]
HeldByUser = Mapping[tuple[ResourceUuid, ComponentType], Mapping[str, Decimal]]

NOTHING = Decimal(0)

_FEW = 2
"""A single account may be a quarter of all, and is still believed to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldurSide:
    """What Waldur holds. `associations` is None where the dialect has no list of them."""

    offered: Mapping[ComponentType, OfferedComponent]
    resources: tuple[Resource, ...]
    usages: Mapping[Month, HeldAmounts] = field(default_factory=dict)
    user_usages: Mapping[Month, HeldByUser] = field(default_factory=dict)
    split: Mapping[Month, frozenset[tuple[ResourceUuid, ComponentType]]] = field(
        default_factory=dict
    )
    """Of what several rows are held, as after a change of plan: `usages` has their sum."""
    totals: Mapping[Month, frozenset[tuple[ResourceUuid, ComponentType]]] = field(
        default_factory=dict
    )
    """Of these, what a report is the month's total of, whatever the rows."""
    usernames: frozenset[str] = frozenset()
    associations: Mapping[ResourceUuid, frozenset[str]] | None = None
    is_unavailable: bool = False
    """Whether Waldur takes no change of the offering's resources; it does take their usage."""
    wants_memberships: bool = False
    """Whether the offering wants to know who is in an account, where there is no such list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What cannot be read back from either side."""

    erred: frozenset[ResourceUuid] = frozenset()
    """Resources that push itself called erred."""
    unerrable: frozenset[ResourceUuid] = frozenset()
    """Resources that Waldur refused to call erred."""
    declined: Mapping[Month, HeldAmounts] = field(default_factory=dict)
    """Amounts that Waldur has refused for closed months, or did not make of several rows."""
    untaken: Mapping[ResourceUuid, Mapping[ComponentType, int]] = field(default_factory=dict)
    """Limits as they were told to a Waldur that did not hold them afterwards."""
    strangers: frozenset[tuple[Month, ResourceUuid, str]] = frozenset()
    """People whose usage Waldur has refused."""
    members: Mapping[ResourceUuid, frozenset[str]] = field(default_factory=dict)
    """Memberships as last told, where Waldur cannot be asked."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Both sides. `truncated`: months that may reach past the oldest record Slurm still has.

    `peaks`: amounts that have fallen within the last day, as they were before.
    """

    waldur: WaldurSide
    snapshot: Snapshot
    measured: Mapping[Month, Measurement]
    bookings: Mapping[Month, Booking]
    components: tuple[Component, ...]
    policy: PushPolicy
    ledger: Ledger = Ledger()
    consent: Consent = NO_CONSENT
    truncated: frozenset[Month] = frozenset()
    peaks: Mapping[Month, HeldAmounts] = field(default_factory=dict)
    believes_missing: bool = True

    @cached_property
    def contested(self) -> frozenset[AccountName]:
        """Accounts that more than one resource names."""
        named = Counter(r.backend_id for r in self.waldur.resources if r.backend_id)
        return frozenset(AccountName(name) for name, count in named.items() if count > 1)

    @cached_property
    def told(self) -> tuple[Resource, ...]:
        """Resources that name an account of their own, by that name."""
        named = (r for r in self.waldur.resources if r.backend_id and r.backend_id != ROOT)
        mine = (r for r in named if r.backend_id not in self.contested)
        return tuple(sorted(mine, key=lambda resource: (resource.backend_id, resource.uuid)))

    def has_account(self, resource: Resource) -> bool:
        account = self.snapshot.accounts.get(AccountName(resource.backend_id))
        return account is not None and account.parent is not None

    def held(self, month: Month, resource: Resource, component: ComponentType) -> Decimal:
        return self.waldur.usages.get(month, {}).get((resource.uuid, component), NOTHING)

    def is_split(self, month: Month, resource: Resource, component: ComponentType) -> bool:
        return (resource.uuid, component) in self.waldur.split.get(month, ())

    def makes_total(self, month: Month, resource: Resource, component: ComponentType) -> bool:
        """Whether a split month can be told all the same."""
        return (resource.uuid, component) in self.waldur.totals.get(month, ())

    def held_by_users(
        self, month: Month, resource: Resource, component: ComponentType
    ) -> Mapping[str, Decimal]:
        return self.waldur.user_usages.get(month, {}).get((resource.uuid, component), {})


def takes_usage(resource: Resource) -> bool:
    return resource.state in (ResourceState.OK, ResourceState.UPDATING, ResourceState.TERMINATING)


def missing_accounts(world: World) -> tuple[Resource, ...]:
    """Resources that Waldur calls OK and whose account is not in Slurm."""
    return tuple(
        resource
        for resource in world.told
        if resource.state is ResourceState.OK and not world.has_account(resource)
    )


def is_doubtful(world: World) -> bool:
    """Whether so many accounts are missing that the answer itself may be too small."""
    expected = sum(resource.state is ResourceState.OK for resource in world.told)
    missing = len(missing_accounts(world))
    return 2 * missing > expected or (missing >= _FEW and 4 * missing >= expected)


def by_usage(held: Iterable[HeldUsage]) -> HeldAmounts:
    sums: defaultdict[tuple[ResourceUuid, ComponentType], Decimal] = defaultdict(Decimal)
    for usage in held:
        sums[usage.resource, usage.component] += usage.amount
    return sums


def split_of(held: Iterable[HeldUsage]) -> frozenset[tuple[ResourceUuid, ComponentType]]:
    """Return what is held in more than one row."""
    rows = Counter((usage.resource, usage.component) for usage in held)
    return frozenset(held for held, count in rows.items() if count > 1)


def totals_of(held: Iterable[HeldUsage]) -> frozenset[tuple[ResourceUuid, ComponentType]]:
    """Return what is held in more than one row, of which Waldur makes a total."""
    rows = list(held)
    others = {(row.resource, row.component) for row in rows if not row.is_of_total}
    return split_of(rows) - others


def by_user(held: Iterable[HeldUserUsage]) -> HeldByUser:
    users: dict[tuple[ResourceUuid, ComponentType], defaultdict[str, Decimal]] = {}
    for usage in held:
        theirs = users.setdefault((usage.resource, usage.component), defaultdict(Decimal))
        theirs[usage.username] += usage.amount
    return users

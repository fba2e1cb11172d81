"""What should be there: one pass after the other, from both sides' data to allocations.

Whose account is whose is settled first, then orders are judged, and only then is said what each
resource should be. Trouble with one order or one resource is a value, never an exception. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from waldur_slurm.agent.model.marketplace import (
    Order,
    OrderType,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.desired.allocations import Allocation, Ending, Kept, Missing, New
from waldur_slurm.agent.pull.desired.hierarchy import Hierarchy, Misplaced, NoPlace
from waldur_slurm.agent.pull.desired.orders import Request, judge_orders
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, held_limits
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import Judgement
from waldur_slurm.agent.pull.world.access import Outsider, find_outsiders
from waldur_slurm.agent.pull.world.doubts import WHEN_BELIEVED, is_gone
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.ownership import Adoptable, Foreign, Holding, Ours, Ownership
from waldur_slurm.agent.pull.world.people import Roster, Turnover, roster_of, turnover
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.model.accounts import Account, NewAccount, is_in_cluster
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres

_LIVE = frozenset(ResourceState) - {ResourceState.TERMINATED, ResourceState.OTHER}
_MOST_LOST = 3


Wanted = New | Kept | Ending | Missing | Refusal | Drift


@dataclass(slots=True, kw_only=True)
class Desired:
    """What all resources should be, with what the passes before found out about them."""

    world: World
    ownership: Ownership
    roster: Roster
    new: list[New] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    new_parents: tuple[tuple[Stage, NewAccount], ...] = ()
    needed_parents: frozenset[AccountName] = frozenset()
    """Accounts of projects and customers under which something is about to be put."""
    judgements: list[Judgement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    misplaced: tuple[Misplaced, ...] = ()
    outsiders: tuple[Outsider, ...] = ()
    """Members of the teams of kept allocations who have no access."""

    @property
    def allocations(self) -> Iterator[Allocation]:
        yield from self.new
        yield from self.kept

    @property
    def people(self) -> frozenset[UserName]:
        """Everybody who is in the account of a kept allocation now."""
        return frozenset(user for kept in self.kept for user in kept.found.users)

    def take(self, items: Iterator[Wanted]) -> None:
        """Put each item where it belongs."""
        for item in items:
            match item:
                case New():
                    self.new.append(item)
                case Kept():
                    self.kept.append(item)
                case Ending():
                    self.endings.append(item)
                case Missing():
                    self.missing.append(item)
                    self.refusals.append(_not_believed(item))
                case Refusal():
                    self.refusals.append(item)
                case Drift():
                    self.drifts.append(item)
                case _:
                    assert_never(item)


def desire(world: World) -> Desired:
    """Resources come in the world's order, so that names fall the same way each time."""
    ownership = Ownership(world)
    holdings = {resource.uuid: ownership.holding(resource) for resource in world.waldur.resources}
    orders = judge_orders(world)
    scene = _Scene(world, ownership, roster_of(world))
    desired = Desired(world=world, ownership=ownership, roster=scene.roster)
    desired.judgements.extend(orders.steps)
    desired.refusals.extend(orders.refusals)
    desired.take(_unsafe_names(scene.roster))
    desired.take(_unreadable(world))
    for resource in world.waldur.resources:
        holding, request = holdings[resource.uuid], orders.requests.get(resource.uuid)
        if request is not None:
            desired.take(scene.ordered(resource, holding, request))
        elif resource.uuid not in orders.ending and resource.state in _LIVE:
            desired.take(scene.unordered(resource, holding))
    desired.take(_orphans(world, ownership, holdings))
    desired.misplaced = tuple(scene.hierarchy.misplaced())
    desired.new_parents = tuple(scene.hierarchy.new_parents)
    desired.needed_parents = scene.hierarchy.needed
    desired.outsiders = tuple(find_outsiders(world, scene.roster, _served(desired)))
    return desired


def _served(desired: Desired) -> list[Resource]:
    """Where somebody without access is told of.

    Waldur makes the offering users of a new allocation only when its order is done, and then takes
    a moment: who looks at a part looks at such.
    """
    if desired.world.is_partial:
        return []
    kept = (each.resource for each in desired.kept)
    return [resource for resource in kept if resource.state is not ResourceState.CREATING]


class _Scene:
    """What one resource's share of the desired state is derived from."""

    def __init__(self, world: World, ownership: Ownership, roster: Roster) -> None:
        self._world = world
        self._ownership = ownership
        self.roster = roster
        self.hierarchy = Hierarchy(world, ownership)
        self._slurm_is_believed = _slurm_is_believed(world)

    def ordered(self, resource: Resource, holding: Holding, request: Request) -> Iterator[Wanted]:
        order = request.order
        match holding:
            case Foreign(name=name, why=why):
                yield Refusal(RefusalKind.NOT_OURS, order.uuid, f"account {name}: {why}")
            case _ if order.type is OrderType.TERMINATE:
                yield self._ended(resource, holding, order)
            case Ours(account=account) | Adoptable(account=account) if is_in_cluster(account):
                is_adopted = isinstance(holding, Adoptable)
                yield from self._kept(resource, account, is_adopted, order, request.limits)
            case _ if order.type is OrderType.UPDATE:
                yield Refusal(RefusalKind.SITE, order.uuid, "its account is missing from Slurm")
            case _:
                known = holding.account.name if isinstance(holding, Ours) else None
                yield self._made(resource, order, request.limits, known)

    def unordered(self, resource: Resource, holding: Holding) -> Iterator[Wanted]:
        """People and flags are kept in step, everything else is at most shown."""
        match holding:
            case Ours(account=account) | Adoptable(account=account) if is_in_cluster(account):
                is_adopted = isinstance(holding, Adoptable)
                limits = _held_limits(self._world, resource)
                yield from self._kept(resource, account, is_adopted, None, limits)
            case Foreign(name=name, why=why):
                found = f"account {name}, not provably its own ({why})"
                wanted = "its own account: `adopt` says that this is it"
                yield Drift(DriftKind.NOT_OURS, resource.uuid, found, wanted)
            case _ if resource.state is not ResourceState.CREATING:
                known = holding.account.name if isinstance(holding, Ours) else None
                yield self._missing(resource, known)
            case _:
                return

    def _missing(self, resource: Resource, known: AccountName | None) -> New | Refusal | Drift:
        """Made again only when a person says so, as what it used and who was in it is gone."""
        wanted = resource.backend_id or "an account"
        if not self._world.consent.repair_missing:
            return Drift(DriftKind.MISSING, resource.uuid, "no account", wanted)
        limits = _held_limits(self._world, resource)
        if limits is None:
            reason = "its ordered limits cannot be read, so its account is not made again"
            return Refusal(RefusalKind.SITE, resource.uuid, reason)
        return self._made(resource, None, limits, known)

    def _made(
        self, resource: Resource, order: Order | None, limits: Tres, known: AccountName | None
    ) -> New | Refusal:
        place = self.hierarchy.allocation(resource, known)
        if isinstance(place, NoPlace):
            return Refusal(RefusalKind.SITE, order.uuid if order else resource.uuid, place.reason)
        defaults = self._world.policy.account_defaults
        people = self.roster.wanted(resource, self._world.waldur.members)
        new = NewAccount(
            name=place.name,
            parent=place.parent,
            description=self._description(resource),
            organization=place.parent,
            limits=limits,
            fairshare=defaults.fairshare,
            qos=defaults.qos,
            default_qos=defaults.default_qos,
        )
        return New(
            resource=resource,
            order=order,
            new=new,
            people=None if people is None else tuple(sorted(people)),
            joiners=self._turnover(Account(new.name), resource, people).joiners,
        )

    def _kept(
        self,
        resource: Resource,
        account: Account,
        is_adopted: bool,
        order: Order | None,
        limits: Tres | None,
    ) -> Iterator[Kept | Refusal]:
        if self._world.policy.protects_account(account.name):
            subject = order.uuid if order else resource.uuid
            yield Refusal(RefusalKind.SITE, subject, f"account {account.name} is protected")
            return
        people = self.roster.wanted(resource, self._world.waldur.members)
        if people is None:
            yield Refusal(RefusalKind.UNKNOWN, resource.uuid, "Waldur did not tell its team")
        yield Kept(
            resource=resource,
            order=order,
            found=account,
            description=self._description(resource),
            is_adopted=is_adopted,
            limits=limits,
            people=None if people is None else tuple(sorted(people)),
            turnover=self._turnover(account, resource, people),
            parent=self._parent(resource, account),
        )

    def _ended(self, resource: Resource, holding: Holding, order: Order) -> Wanted:
        match holding:
            case Ours(account=account):
                return Ending(resource=resource, order=order, found=account)
            case Adoptable(account=account):
                adopted_as = self._description(resource)
                return Ending(resource=resource, order=order, found=account, adopted_as=adopted_as)
            case _ if not self._slurm_is_believed:
                reason = "Slurm lists no default account, or lacks many others: not believed"
                return Refusal(RefusalKind.UNKNOWN, order.uuid, reason)
            case _ if is_gone(self._world, resource):
                return Ending(resource=resource, order=order, found=None)
            case _:
                return Missing(resource, order)

    def _turnover(
        self, account: Account, resource: Resource, people: frozenset[UserName] | None
    ) -> Turnover:
        """While the team is unknown nobody comes or leaves."""
        if people is None:
            return Turnover()
        return turnover(self._world, self.roster, account, resource, people)

    def _parent(self, resource: Resource, account: Account) -> AccountName | NoPlace | None:
        """The project's account; it is made for an account in the wrong place, when asked."""
        parent = self.hierarchy.project(resource.project)
        is_in_place = parent is not None and account.parent == parent
        if is_in_place or not self._world.consent.repair_parents:
            return parent
        return self.hierarchy.make_project(resource.project)

    def _description(self, resource: Resource) -> str:
        return self._ownership.mark(MarkKind.RESOURCE, resource.uuid).describe(resource.name)


def _not_believed(missing: Missing) -> Refusal:
    reason = f"Slurm does not list {missing.resource.backend_id}: {WHEN_BELIEVED}"
    return Refusal(RefusalKind.ABSENT, missing.order.uuid, reason)


def _unsafe_names(roster: Roster) -> Iterator[Refusal]:
    for user in roster.unsafe:
        yield Refusal(RefusalKind.UNSAFE_NAME, user, "Slurm would misread this user name")


def _unreadable(world: World) -> Iterator[Refusal]:
    for row in world.waldur.unreadable:
        reason = f"{row.kind.value} left alone, as it cannot be read: {row.error}"
        yield Refusal(RefusalKind.UNREADABLE, row.uuid, reason)


def _held_limits(world: World, resource: Resource) -> Tres | None:
    """What Waldur holds, to be compared with Slurm; None where it cannot be compared."""
    limits = held_limits(world.components, resource.limits)
    return None if isinstance(limits, Unusable) else limits


def _slurm_is_believed(world: World) -> bool:
    """A database that lost most accounts, or what they all hang on, tells nothing about one."""
    if not is_in_cluster(world.snapshot.accounts.get(world.policy.default_account)):
        return False
    named = [
        AccountName(r.backend_id)
        for r in world.waldur.resources
        if r.backend_id and r.state is ResourceState.OK
    ]
    lost = sum(name not in world.snapshot.accounts for name in named)
    return lost <= _MOST_LOST or lost * 2 < len(named)


def _orphans(
    world: World, ownership: Ownership, holdings: Mapping[ResourceUuid, Holding]
) -> Iterator[Drift]:
    if world.is_partial:
        return
    unreadable = {row.uuid for row in world.waldur.unreadable}
    for account, mark in ownership.own(MarkKind.RESOURCE):
        if mark.uuid not in holdings and mark.uuid not in unreadable:
            found = f"a mark of resource {mark.uuid}"
            yield Drift(DriftKind.ORPHAN, account.name, found, "a resource that Waldur lists")

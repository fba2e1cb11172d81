"""What should be there: from orders, resources and members to accounts, each with its verdict.

Pure. Trouble with one order or one resource is a finding, never an exception.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from waldur_slurm.agent.model.marketplace import (
    Order,
    OrderState,
    OrderType,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.desired.hierarchy import Hierarchy, NoPlace
from waldur_slurm.agent.pull.desired.verdicts import Verdict, judge
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, wanted_limits
from waldur_slurm.agent.pull.vocabulary.steps import Judgement
from waldur_slurm.agent.pull.world.absence import is_gone
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.ownership import (
    Absent,
    Adoptable,
    Foreign,
    Ours,
    Ownership,
    is_in_cluster,
)
from waldur_slurm.agent.pull.world.people import Roster, Turnover, roster_of, turnover
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres

_LIVE = frozenset(ResourceState) - {ResourceState.TERMINATED, ResourceState.OTHER}
_MOST_LOST = 3
WHEN_BELIEVED = "believed after three readings over 30 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An allocation that should be there. `found` is None where its account is `new`."""

    resource: Resource
    order: Order | None
    found: Account | None
    new: NewAccount | None = None
    description: str
    """The mark and the name; differs from what is found after an adoption or a new name."""
    is_adopted: bool = False
    limits: Tres | None
    people: tuple[UserName, ...] | None
    """A set for each of ten thousand would take seven times the memory."""
    turnover: Turnover
    parent: AccountName | None
    """Where the account belongs, where that is known."""

    @property
    def account(self) -> AccountName:
        if self.new is not None:
            return self.new.name
        assert self.found is not None  # noqa: S101 - one of the two is always there
        return self.found.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An allocation that an order ends. `found` is None when its account is gone already."""

    resource: Resource
    order: Order
    found: Account | None
    adopted_as: str = ""


@dataclass(slots=True, kw_only=True)
class Desired:
    world: World
    ownership: Ownership
    roster: Roster
    hierarchy: Hierarchy
    kept: list[Kept] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    absent: list[Resource] = field(default_factory=list)
    """Those that an order ends, and whose account is missing without proof that it is gone."""


def desire(world: World) -> Desired:
    """Go through all resources in one fixed order, so that names fall the same way each time."""
    ownership = Ownership(world)
    draft = Desired(
        world=world,
        ownership=ownership,
        roster=roster_of(world),
        hierarchy=Hierarchy(world, ownership),
    )
    for user in draft.roster.unsafe:
        _refuse(draft, RefusalKind.UNSAFE_NAME, user, "Slurm would misread this user name")
    queues = _orders_by_resource(draft)
    slurm_is_believed = _slurm_is_believed(world)
    for resource in sorted(world.waldur.resources, key=lambda r: r.uuid):
        try:
            _settle(draft, resource, queues.get(resource.uuid, []), slurm_is_believed)
        except InvalidName as error:
            _refuse(draft, RefusalKind.UNSAFE_NAME, resource.uuid, str(error))
    _find_orphans(draft)
    return draft


def _orders_by_resource(draft: Desired) -> Mapping[ResourceUuid, list[Order]]:
    listed = {resource.uuid for resource in draft.world.waldur.resources}
    queues: dict[ResourceUuid, list[Order]] = defaultdict(list)
    for order in draft.world.waldur.orders:
        if order.type is OrderType.OTHER:
            _refuse(draft, RefusalKind.SITE, order.uuid, "this agent does not know such orders")
        elif order.resource in listed and order.resource is not None:
            queues[order.resource].append(order)
        else:
            verdict = judge(draft.world, order, None)
            _note(draft, verdict)
            if verdict.goes_on:
                _refuse(draft, RefusalKind.WAITING, order.uuid, "Waldur lists no resource for it")
    for queue in queues.values():
        queue.sort(key=lambda order: (order.created, order.uuid))
    return queues


def _settle(
    draft: Desired, resource: Resource, queue: list[Order], slurm_is_believed: bool
) -> None:
    """Decide about one resource; of its orders only the oldest is looked at."""
    verdict = judge(draft.world, queue[0], resource) if queue else None
    if verdict is not None:
        _note(draft, verdict)
    order = queue[0] if verdict is not None and verdict.goes_on else None
    if order is None and _is_ending(resource, queue):
        return
    if order is None:
        _keep_as_it_is(draft, resource)
    elif order.type is OrderType.TERMINATE:
        _end(draft, resource, order, slurm_is_believed)
    else:
        _carry_out(draft, resource, order, verdict.limits if verdict else {})


def _is_ending(resource: Resource, queue: list[Order]) -> bool:
    """Nobody is let in again while the order that ends it rests."""
    return resource.state is ResourceState.TERMINATING or any(
        order.type is OrderType.TERMINATE and order.state is OrderState.EXECUTING for order in queue
    )


def _keep_as_it_is(draft: Desired, resource: Resource) -> None:
    """No order: people and flags are kept in step, everything else is at most shown."""
    if resource.state not in _LIVE:
        return
    match holding := draft.ownership.holding(resource):
        case Ours(account=account) | Adoptable(account=account) if is_in_cluster(account):
            _keep(draft, resource, None, account, isinstance(holding, Adoptable), None)
        case Foreign(name=name, why=why):
            found = f"account {name} is not provably its own: {why}"
            _drift(draft, DriftKind.NOT_OURS, resource.uuid, found, "adopt it by hand")
        case _:
            if resource.state is not ResourceState.CREATING:
                wanted = resource.backend_id or "an account"
                _drift(draft, DriftKind.MISSING, resource.uuid, "no account", wanted)


def _carry_out(draft: Desired, resource: Resource, order: Order, limits: Tres | None) -> None:
    match holding := draft.ownership.holding(resource):
        case Foreign(name=name, why=why):
            _refuse(draft, RefusalKind.NOT_OURS, order.uuid, f"account {name}: {why}")
        case Ours(account=account) | Adoptable(account=account) if is_in_cluster(account):
            _keep(draft, resource, order, account, isinstance(holding, Adoptable), limits)
        case _ if order.type is OrderType.UPDATE:
            _refuse(draft, RefusalKind.SITE, order.uuid, "its account is missing from Slurm")
        case _:
            known = holding.account.name if isinstance(holding, Ours) else None
            _make(draft, resource, order, known, limits or {})


def _make(
    draft: Desired, resource: Resource, order: Order, known: AccountName | None, limits: Tres
) -> None:
    place = draft.hierarchy.allocation(resource, known)
    if isinstance(place, NoPlace):
        _refuse(draft, RefusalKind.SITE, order.uuid, place.reason)
        return
    defaults = draft.world.policy.account_defaults
    mark = draft.ownership.mark(MarkKind.RESOURCE, resource.uuid)
    people = draft.roster.wanted(resource, draft.world.waldur.members)
    description = mark.describe(resource.name)
    new = NewAccount(
        name=place.name,
        parent=place.parent,
        description=description,
        organization=place.parent,
        limits=limits,
        fairshare=defaults.fairshare,
        qos=defaults.qos,
        default_qos=defaults.default_qos,
    )
    draft.kept.append(
        Kept(
            resource=resource,
            order=order,
            found=None,
            new=new,
            description=description,
            limits=limits,
            people=None if people is None else tuple(sorted(people)),
            turnover=turnover(draft.world, draft.roster, Account(new.name), people or frozenset()),
            parent=place.parent,
        )
    )


def _keep(
    draft: Desired,
    resource: Resource,
    order: Order | None,
    account: Account,
    is_adopted: bool,
    limits: Tres | None,
) -> None:
    world = draft.world
    if world.policy.protects_account(account.name):
        subject = order.uuid if order else resource.uuid
        _refuse(draft, RefusalKind.SITE, subject, f"account {account.name} is protected")
        return
    people = draft.roster.wanted(resource, world.waldur.members)
    if people is None:
        _refuse(draft, RefusalKind.UNKNOWN, resource.uuid, "Waldur did not tell its team")
    change = Turnover((), ())
    if people is not None:
        change = turnover(world, draft.roster, account, people)
    mark = draft.ownership.mark(MarkKind.RESOURCE, resource.uuid)
    draft.kept.append(
        Kept(
            resource=resource,
            order=order,
            found=account,
            description=mark.describe(resource.name),
            is_adopted=is_adopted,
            limits=limits if order else _held_limits(world, resource),
            people=None if people is None else tuple(sorted(people)),
            turnover=change,
            parent=draft.hierarchy.project(resource.project),
        )
    )


def _end(draft: Desired, resource: Resource, order: Order, slurm_is_believed: bool) -> None:
    match draft.ownership.holding(resource):
        case Ours(account=account):
            draft.endings.append(Ending(resource=resource, order=order, found=account))
        case Adoptable(account=account):
            mark = draft.ownership.mark(MarkKind.RESOURCE, resource.uuid)
            adopted_as = mark.describe(resource.name)
            draft.endings.append(
                Ending(resource=resource, order=order, found=account, adopted_as=adopted_as)
            )
        case Foreign(name=name, why=why):
            _refuse(draft, RefusalKind.NOT_OURS, order.uuid, f"account {name}: {why}")
        case Absent() if slurm_is_believed and is_gone(draft.world, resource):
            draft.endings.append(Ending(resource=resource, order=order, found=None))
        case Absent() if slurm_is_believed:
            draft.absent.append(resource)
            reason = f"Slurm does not list {resource.backend_id}: {WHEN_BELIEVED}"
            _refuse(draft, RefusalKind.UNKNOWN, order.uuid, reason)
        case _:
            reason = "Slurm lacks accounts that must be there: not believed"
            _refuse(draft, RefusalKind.UNKNOWN, order.uuid, reason)


def _held_limits(world: World, resource: Resource) -> Tres | None:
    """What Waldur holds, to be compared with Slurm; None where it cannot be compared."""
    limits = wanted_limits(world.components, resource.limits)
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


def _find_orphans(draft: Desired) -> None:
    listed = {resource.uuid.replace("-", "") for resource in draft.world.waldur.resources}
    for account, mark in draft.ownership.own(MarkKind.RESOURCE):
        if mark.uuid not in listed:
            found = f"marked for resource {mark.uuid}"
            _drift(draft, DriftKind.ORPHAN, account.name, found, "Waldur does not list it")


def _note(draft: Desired, verdict: Verdict) -> None:
    draft.judgements.extend(verdict.steps)
    draft.refusals.extend(verdict.refusals)


def _refuse(draft: Desired, kind: RefusalKind, subject: str, reason: str) -> None:
    draft.refusals.append(Refusal(kind, subject, reason))


def _drift(draft: Desired, kind: DriftKind, subject: str, found: str, wanted: str) -> None:
    draft.drifts.append(Drift(kind, subject, found, wanted))

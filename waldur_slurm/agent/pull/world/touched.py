"""What orders touch: which of them a look between two cycles serves, and whose accounts it reads.

Only orders that give are served there. What ends, and what nothing is known of, waits for a cycle,
which sees everything. Pure.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from waldur_slurm.agent.model.marketplace import (
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    Project,
    Resource,
    ResourceUuid,
)
from waldur_slurm.agent.pull.world.marks import MarkKind, looks_marked, parse_mark
from waldur_slurm.agent.pull.world.naming import allocation_names, original_name, parent_names
from waldur_slurm.agent.pull.world.ownership import name_in_waldur, promised
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.pull.world.world import Claims, World
from waldur_slurm.model.names import ROOT, AccountName

Seen = frozenset[tuple[OrderUuid, OrderState]]

_GIVING = (OrderType.CREATE, OrderType.UPDATE, OrderType.RESTORE)


def seen_of(orders: Iterable[Order]) -> Seen:
    return frozenset((order.uuid, order.state) for order in orders)


def newly_ordered(orders: Iterable[Order], seen: Seen, policy: PullPolicy) -> set[ResourceUuid]:
    """Resources that a new order gives something to, and that no order ends.

    An order is new again with each of its states: one that somebody has approved may go on.
    """
    found = list(orders)
    ending = {order.resource for order in found if order.type is OrderType.TERMINATE}
    return {
        order.resource
        for order in found
        if order.resource is not None
        and order.resource not in ending
        and order.type in _GIVING
        and _is_due(order, policy)
        and (order.uuid, order.state) not in seen
    }


@dataclass(frozen=True, slots=True)
class Background:
    """What a cycle that saw everything leaves to the looks after it."""

    claims: Claims = field(default_factory=dict)
    places: frozenset[AccountName] = frozenset()
    """Accounts of others on which marked ones hang, or the default account, up to root."""


def background_of(world: World) -> Background:
    return Background(promised(world), frozenset(_places(world)))


@dataclass(frozen=True, slots=True)
class Touched:
    """Which accounts belong to what is looked at."""

    names: frozenset[AccountName]
    marks: frozenset[tuple[MarkKind, str]]

    def is_told_by(self, description: str) -> bool:
        mark = parse_mark(description)
        return mark is not None and (mark.kind, mark.uuid) in self.marks


def touched_by(
    policy: PullPolicy, resources: Collection[Resource], places: Collection[AccountName] = ()
) -> Touched:
    """The accounts that carry a mark of theirs, all that could be theirs by name, and `places`."""
    names = {ROOT, policy.default_account, *places}
    marks: set[tuple[MarkKind, str]] = set()
    for resource in resources:
        names.update(_names(policy, resource))
        marks.add((MarkKind.RESOURCE, resource.uuid))
        marks.add((MarkKind.PROJECT, resource.project.uuid))
        marks.add((MarkKind.CUSTOMER, resource.project.customer_uuid))
    return Touched(frozenset(names), frozenset(marks))


def _places(world: World) -> set[AccountName]:
    accounts = world.snapshot.accounts
    marked = {name for name, account in accounts.items() if looks_marked(account.description)}
    above = {accounts[name].parent for name in marked} | {world.policy.default_account}
    found: set[AccountName] = set()
    while above:
        name = above.pop()
        if name is not None and name in accounts and name not in found and name not in marked:
            found.add(name)
            above.add(accounts[name].parent)
    return found


def _is_due(order: Order, policy: PullPolicy) -> bool:
    """Said of the order itself too: a server that does not filter lists those of years."""
    is_pending = order.state is OrderState.PENDING_PROVIDER
    return order.state is OrderState.EXECUTING or (is_pending and policy.approve_orders)


def _names(policy: PullPolicy, resource: Resource) -> Iterator[AccountName]:
    yield from allocation_names(policy, resource)
    for name in (original_name(policy, resource), name_in_waldur(resource)):
        if name is not None:
            yield name
    yield from _parents(policy, resource.project)


def _parents(policy: PullPolicy, project: Project) -> Iterator[AccountName]:
    yield from parent_names(policy, MarkKind.PROJECT, project)
    yield from parent_names(policy, MarkKind.CUSTOMER, project)

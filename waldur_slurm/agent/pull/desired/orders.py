"""Judge orders: each goes on, waits, is rejected, or errs, before any work. Pure.

Of a resource's orders only the oldest is judged. Only what a customer must correct errs an order,
in words for the customer, free of internals.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    OrderType,
    Resource,
    ResourceUuid,
)
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, held_limits, wanted_limits
from waldur_slurm.agent.pull.vocabulary.steps import (
    ApproveOrder,
    ErrOrder,
    ExplainOrder,
    Judgement,
    RejectOrder,
)
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.model.counting import counted
from waldur_slurm.model.tres import Tres

_WAITS = "This order waits, as it cannot be carried out as it is. "
"""How every message of ours to a customer begins: by that it is known again."""

_MAKING = (OrderType.CREATE, OrderType.RESTORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What becomes of one order."""

    goes_on: bool = False
    steps: tuple[Judgement, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    limits: Tres = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """An order that goes on, with its limits in Slurm's units."""

    order: Order
    limits: Tres


@dataclass(frozen=True, slots=True)
class JudgedOrders:
    """What all orders come to; a resource has one request at most."""

    requests: Mapping[ResourceUuid, Request]
    ending: frozenset[ResourceUuid]
    """Resources whose end has begun, be it by an order that does not go on now."""
    steps: tuple[Judgement, ...]
    refusals: tuple[Refusal, ...]


def judge_orders(world: World) -> JudgedOrders:
    resources = {resource.uuid: resource for resource in world.waldur.resources}
    queues, others = _queues(world.waldur.orders, resources)
    ending = frozenset(uuid for uuid, queue in queues.items() if _is_ending(queue))
    if world.waldur.is_unavailable:
        return JudgedOrders({}, ending, (), (_unavailable(world),))
    judged = {uuid: judge(world, queue[0], resources[uuid]) for uuid, queue in queues.items()}
    unattached = [_judge_unattached(world, order) for order in others]
    everything = [*unattached, *judged.values()]
    return JudgedOrders(
        requests={
            uuid: Request(queues[uuid][0], each.limits)
            for uuid, each in judged.items()
            if each.goes_on
        },
        ending=ending,
        steps=tuple(step for each in everything for step in each.steps),
        refusals=tuple(refusal for each in everything for refusal in each.refusals),
    )


def judge(world: World, order: Order, resource: Resource | None) -> Judged:
    if order.uuid in world.quarantined:
        return _refused(RefusalKind.QUARANTINED, order, world.quarantined[order.uuid])
    limits = _limits(world, order, resource)
    if isinstance(limits, Unusable):
        return _unusable(world, order, limits.reason)
    if order.state is OrderState.PENDING_PROVIDER:
        if not world.policy.approve_orders:
            return _refused(RefusalKind.AWAITS_APPROVAL, order, "the provider has not approved it")
        return Judged(goes_on=True, steps=(ApproveOrder(order=order.uuid),), limits=limits)
    if order.type in _MAKING and _lacks_allocation(world, resource):
        return _refused(RefusalKind.AWAITS_WALDUR, order, _await("has not made its allocation yet"))
    return Judged(goes_on=True, limits=limits)


def _queues(
    orders: Iterable[Order], listed: Mapping[ResourceUuid, Resource]
) -> tuple[Mapping[ResourceUuid, list[Order]], list[Order]]:
    """Orders of each listed resource, the oldest first; and those that belong to none."""
    queues: dict[ResourceUuid, list[Order]] = defaultdict(list)
    others: list[Order] = []
    for order in sorted(orders, key=lambda order: (order.created, order.uuid)):
        if order.type is not OrderType.OTHER and order.resource in listed and order.resource:
            queues[order.resource].append(order)
        else:
            others.append(order)
    return queues, others


def _judge_unattached(world: World, order: Order) -> Judged:
    if order.type is OrderType.OTHER:
        return _refused(RefusalKind.SITE, order, "this agent does not know such orders")
    judged = judge(world, order, None)
    if not judged.goes_on:
        return judged
    reason = _await("lists no resource for it")
    waiting = Refusal(RefusalKind.AWAITS_WALDUR, order.uuid, reason)
    return Judged(steps=judged.steps, refusals=(*judged.refusals, waiting))


def _await(lack: str) -> str:
    return f"Waldur {lack}: its own worker does that; if it lasts, tell whoever runs Waldur"


def _unavailable(world: World) -> Refusal:
    """Said once for all orders: begun now, none of them could be told to Waldur."""
    waiting = counted(len(world.waldur.orders), "order waits", "orders wait")
    reason = (
        f"the offering is unavailable in Waldur, which takes no change of its resources:"
        f" {waiting} until it is active again"
    )
    return Refusal(RefusalKind.UNAVAILABLE, world.offering, reason)


def _is_ending(queue: Iterable[Order]) -> bool:
    """Nobody is let in again while the order that ends it rests.

    What Waldur calls the resource says nothing: `today` calls it Terminating as soon as somebody
    has asked for that, and the customer may take weeks to agree, or never do.
    """
    return any(
        order.type is OrderType.TERMINATE and order.state is OrderState.EXECUTING for order in queue
    )


def _limits(world: World, order: Order, resource: Resource | None) -> Tres | Unusable:
    """An order that names no limits changes none, so the resource's own hold."""
    if order.type is OrderType.TERMINATE:
        return {}
    if order.type is not OrderType.CREATE and not order.limits and resource is not None:
        return held_limits(world.components, resource.limits)
    return wanted_limits(world.components, order.limits)


def _lacks_allocation(world: World, resource: Resource | None) -> bool:
    """In the older dialects what is told is told to it, and it comes a moment after approval."""
    return (
        world.dialect is not Dialect.TODAY and resource is not None and not resource.allocation_uuid
    )


def _unusable(world: World, order: Order, reason: str) -> Judged:
    if order.state is not OrderState.PENDING_PROVIDER:
        return Judged(steps=(ErrOrder(order=order.uuid, reason=reason),))
    if world.policy.reject_invalid:
        return Judged(steps=(RejectOrder(order=order.uuid, reason=reason),))
    refusal = Refusal(RefusalKind.INVALID_ORDER, order.uuid, reason)
    return Judged(steps=tuple(_explanation(world, order, reason)), refusals=(refusal,))


def _explanation(world: World, order: Order, reason: str) -> Iterator[Judgement]:
    """Where a person of the provider's has written to the customer, that stays."""
    message = f"{_WAITS}{reason}"
    is_ours = not order.message or order.message.startswith(_WAITS)
    if world.waldur.passes_messages and is_ours and order.message != message:
        yield ExplainOrder(order=order.uuid, message=message)


def _refused(kind: RefusalKind, order: Order, reason: str) -> Judged:
    return Judged(refusals=(Refusal(kind, order.uuid, reason),))

"""What becomes of one order before any work: it goes on, waits, is rejected, or errs. Pure.

Only what a customer must mend errs an order, in words for the customer, free of internals.
"""

from dataclasses import dataclass, field

from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    OrderType,
    Resource,
    canonical_uuid,
)
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, wanted_limits
from waldur_slurm.agent.pull.vocabulary.steps import ApproveOrder, ErrOrder, Judgement, RejectOrder
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.tres import Tres

_MAKING = (OrderType.CREATE, OrderType.RESTORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    goes_on: bool = False
    steps: tuple[Judgement, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    limits: Tres = field(default_factory=dict)


def judge(world: World, order: Order, resource: Resource | None) -> Verdict:
    if order.uuid in world.quarantined:
        return _refused(RefusalKind.QUARANTINED, order, world.quarantined[order.uuid])
    limits = _limits(world, order, resource)
    if isinstance(limits, Unusable):
        return _unusable(world, order, limits.reason)
    if order.state is OrderState.PENDING_PROVIDER:
        if not world.policy.approve_orders:
            return _refused(RefusalKind.AWAITS_APPROVAL, order, "the provider has not approved it")
        return Verdict(goes_on=True, steps=(ApproveOrder(order=order.uuid),), limits=limits)
    if order.type in _MAKING and _lacks_allocation(world, resource):
        return _refused(RefusalKind.WAITING, order, "Waldur has not made its allocation yet")
    return Verdict(goes_on=True, limits=limits)


def _limits(world: World, order: Order, resource: Resource | None) -> Tres | Unusable:
    """An order that names no limits changes none, so the resource's own hold."""
    if order.type is OrderType.TERMINATE:
        return {}
    try:
        canonical_uuid(order.project.uuid)
        canonical_uuid(order.project.customer_uuid)
    except InvalidName:
        return Unusable("The order's project cannot be identified.")
    keeps = order.type is not OrderType.CREATE and not order.limits and resource is not None
    ordered = resource.limits if keeps and resource is not None else order.limits
    return wanted_limits(world.components, ordered)


def _lacks_allocation(world: World, resource: Resource | None) -> bool:
    """In the older dialects the name is the hidden allocation's, and it comes after approval."""
    return (
        world.dialect is not Dialect.TODAY and resource is not None and not resource.allocation_uuid
    )


def _unusable(world: World, order: Order, reason: str) -> Verdict:
    if order.state is not OrderState.PENDING_PROVIDER:
        return Verdict(steps=(ErrOrder(order=order.uuid, reason=reason),))
    if world.policy.reject_invalid:
        return Verdict(steps=(RejectOrder(order=order.uuid, reason=reason),))
    return _refused(RefusalKind.INVALID_ORDER, order, reason)


def _refused(kind: RefusalKind, order: Order, reason: str) -> Verdict:
    return Verdict(refusals=(Refusal(kind, order.uuid, reason),))

"""What Waldur is told of an allocation once Slurm has confirmed it. Pure."""

from collections.abc import Iterator

from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, Order, OrderType, ResourceState
from waldur_slurm.agent.pull.desired.allocations import Allocation, Kept, New
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddUser,
    CompleteOrder,
    RemoveUser,
    Step,
    TellAssociation,
    TellBackendId,
    TellNoAssociation,
)


def plan_reports(
    desired: Desired, allocation: Allocation, steps: list[Step]
) -> Iterator[Step | Drift]:
    """`steps` are the allocation's own, so that what is told fits what will be there."""
    yield from _plan_backend_id(allocation)
    yield from _plan_erred(allocation)
    if allocation.order is not None:
        yield _completion(desired, allocation, allocation.order)
    yield from _plan_associations(desired, allocation, steps)


def _plan_backend_id(allocation: Allocation) -> Iterator[TellBackendId | Drift]:
    held = allocation.resource.backend_id
    if held == allocation.account:
        return
    order = allocation.order
    is_making = order.type is not OrderType.UPDATE if order else isinstance(allocation, New)
    if held and not is_making:
        yield Drift(DriftKind.BACKEND_ID, allocation.resource.uuid, held, allocation.account)
    else:
        told = order.uuid if order else None
        yield TellBackendId(resource=allocation.resource, account=allocation.account, order=told)


def _plan_erred(allocation: Allocation) -> Iterator[Drift]:
    """Waldur takes no usage of it; an order that is on its way will say what it becomes."""
    resource = allocation.resource
    is_erred = resource.state is ResourceState.ERRED and not resource.has_order_in_flight
    if is_erred and isinstance(allocation, Kept):
        yield Drift(DriftKind.ERRED, allocation.account, "Erred in Waldur", "OK")


def _completion(desired: Desired, allocation: Allocation, order: Order) -> CompleteOrder:
    is_older = desired.world.dialect is not Dialect.TODAY
    return CompleteOrder(
        resource=allocation.resource,
        order=order.uuid,
        settles_resource=is_older,
        limits=_ordered(desired, order) if is_older else (),
    )


def _ordered(desired: Desired, order: Order) -> tuple[tuple[ComponentType, int], ...]:
    """Return the ordered amounts in Waldur's own units, for the hidden allocation to show."""
    amounts = [
        (component.type, amount)
        for component in desired.world.components
        if component.accounting_type is AccountingType.LIMIT
        and isinstance(amount := order.limits.get(component.type), int | float)
    ]
    return tuple(sorted((component, int(amount)) for component, amount in amounts))


def _plan_associations(
    desired: Desired, allocation: Allocation, steps: list[Step]
) -> Iterator[TellAssociation | TellNoAssociation]:
    shown_everywhere = desired.world.waldur.shown
    if shown_everywhere is None or allocation.people is None:
        return
    shown = shown_everywhere.get(allocation.resource.uuid)
    if shown is None:
        return
    there = people_after(allocation, steps)
    order = allocation.order.uuid if allocation.order else None
    for user in sorted(there.intersection(allocation.people) - shown):
        yield TellAssociation(
            resource=allocation.resource, account=allocation.account, user=user, order=order
        )
    for user in sorted(shown - there):
        yield TellNoAssociation(
            resource=allocation.resource, account=allocation.account, user=user, order=order
        )


def people_after(allocation: Allocation, steps: list[Step]) -> frozenset[str]:
    """Who is in the account when the steps have been done."""
    there: set[str] = set(allocation.found.users) if isinstance(allocation, Kept) else set()
    there |= {step.user for step in steps if isinstance(step, AddUser)}
    there -= {step.user for step in steps if isinstance(step, RemoveUser)}
    return frozenset(there)

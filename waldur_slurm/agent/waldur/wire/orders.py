"""Orders, and which resources an open one is about. Pure."""

from collections.abc import Iterable, Mapping

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import (
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    ResourceUuid,
)
from waldur_slurm.agent.waldur.wire.reading import (
    canonical,
    known_state,
    parse_uuid,
    project_of,
    read_row,
)
from waldur_slurm.agent.waldur.wire.rows import OpenOrderRow, OrderRow


def parse_order(raw: object, where: str) -> Order:
    row = read_row(OrderRow, raw, where)
    held = row.marketplace_resource_uuid
    return Order(
        uuid=OrderUuid(canonical(row.uuid)),
        type=known_state(OrderType, row.type, OrderType.OTHER),
        state=known_state(OrderState, row.state, OrderState.OTHER),
        created=row.created,
        resource=ResourceUuid(canonical(held)) if held else None,
        resource_name=row.resource_name,
        project=project_of(row),
        limits=row.limits or {},
        message=row.provider_message,
    )


def parse_orders(raw: Iterable[object], where: str) -> tuple[list[Order], Mapping[OrderUuid, str]]:
    """Return the orders, and those that at least say who they are, each with what is wrong.

    A row that does not even tell its uuid says that the answer is broken, not the order.
    """
    orders: list[Order] = []
    unreadable: dict[OrderUuid, str] = {}
    for row in raw:
        uuid = OrderUuid(parse_uuid(row, where))
        try:
            orders.append(parse_order(row, where))
        except UnexpectedPayload as error:
            unreadable[uuid] = str(error)
    return orders, unreadable


def parse_in_flight(raw: Iterable[object], where: str) -> frozenset[ResourceUuid]:
    rows = (read_row(OpenOrderRow, row, where) for row in raw)
    held = (row.marketplace_resource_uuid for row in rows)
    return frozenset(ResourceUuid(canonical(uuid)) for uuid in held if uuid)

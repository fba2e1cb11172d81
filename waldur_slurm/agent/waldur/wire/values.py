"""Waldur's JSON and the values it stands for: pure, tolerant of what is new, strict on promises.

Unknown fields are ignored and unknown states read as `OTHER`; a field that the contract promises
and that is missing, or of another type, is `UnexpectedPayload` with the path to it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import msgspec

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Offering,
    OfferingUser,
    OfferingUuid,
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    Project,
    ProjectUuid,
    Resource,
    ResourceState,
    ResourceUuid,
    UserUuid,
    canonical_uuid,
)
from waldur_slurm.agent.waldur.wire.rows import (
    AssociationRow,
    BelongingRow,
    MeRow,
    NamedRow,
    OfferedComponentRow,
    OfferingRow,
    OfferingUserRow,
    OpenOrderRow,
    OrderRow,
    PermissionRow,
    PlanPeriodRow,
    ResourceRow,
    TeamMemberRow,
    UsageRow,
    UserUsageRow,
)
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.copies import one_copy
from waldur_slurm.model.period import Month

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", bound=msgspec.Struct)

ALLOCATION = "SLURM.Allocation"
"""The type of the hidden allocation behind a resource of the older dialects."""


def parse_order(raw: object, where: str) -> Order:
    row = _read(OrderRow, raw, where)
    held = row.marketplace_resource_uuid
    return Order(
        uuid=OrderUuid(_hex(row.uuid)),
        type=_known(OrderType, row.type, OrderType.OTHER),
        state=_known(OrderState, row.state, OrderState.OTHER),
        created=row.created,
        resource=ResourceUuid(_hex(held)) if held else None,
        resource_name=row.resource_name,
        project=_project(row),
        limits=row.limits or {},
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


def parse_resource(raw: object, where: str, in_flight: frozenset[ResourceUuid]) -> Resource:
    """`in_flight`: the resources that an open order is about; lists of resources do not tell."""
    row = _read(ResourceRow, raw, where)
    uuid = ResourceUuid(_hex(row.uuid))
    allocation = row.resource_uuid if row.resource_type == ALLOCATION else None
    return Resource(
        uuid=uuid,
        name=row.name,
        slug=row.slug,
        state=_known(ResourceState, row.state, ResourceState.OTHER),
        backend_id=row.backend_id,
        project=_project(row),
        limits=row.limits or {},
        allocation_uuid=_hex(allocation) if allocation else "",
        has_order_in_flight=uuid in in_flight,
        is_paused=row.paused,
        is_downscaled=row.downscaled,
        is_restricted=row.restrict_member_access,
    )


def parse_in_flight(raw: Iterable[object], where: str) -> frozenset[ResourceUuid]:
    rows = (_read(OpenOrderRow, row, where) for row in raw)
    held = (row.marketplace_resource_uuid for row in rows)
    return frozenset(ResourceUuid(_hex(uuid)) for uuid in held if uuid)


def parse_offering(raw: object, where: str) -> Offering:
    row = _read(OfferingRow, raw, where)
    options = row.plugin_options or {}
    return Offering(
        uuid=OfferingUuid(_hex(row.uuid)),
        name=row.name,
        state=row.state,
        customer_uuid=CustomerUuid(_hex(row.customer_uuid)),
        components=tuple(_offered(component) for component in row.components),
        wants_memberships=options.get("enable_membership_sync_status") is True,
    )


def parse_offering_type(raw: object, where: str) -> str:
    return _read(OfferingRow, raw, where).type


def parse_offering_user(raw: object, where: str) -> OfferingUser:
    row = _read(OfferingUserRow, raw, where)
    username = one_copy(row.username or "")
    return OfferingUser(
        user=UserUuid(_hex(row.user_uuid)),
        username=username,
        is_usable=bool(username) and not row.is_restricted and row.state == "OK",
    )


def parse_usage(raw: object, where: str) -> HeldUsage:
    row = _read(UsageRow, raw, where)
    return HeldUsage(
        uuid=_hex(row.uuid),
        resource=ResourceUuid(_hex(row.resource_uuid)),
        component=ComponentType(row.type),
        month=_month(row.billing_period, where),
        amount=_decimal(row.usage, where),
    )


def parse_user_usage(
    raw: object, where: str, held: Mapping[str, HeldUsage]
) -> HeldUserUsage | None:
    """None where its component usage is not among those in `held`, by uuid: another month's."""
    row = _read(UserUsageRow, raw, where)
    usage = held.get(_last_uuid(row.component_usage))
    if usage is None:
        return None
    return HeldUserUsage(
        usage=usage.uuid,
        resource=usage.resource,
        component=usage.component,
        month=usage.month,
        username=row.username,
        amount=_decimal(row.usage, where),
    )


def parse_permission(raw: object, where: str) -> tuple[ProjectUuid, UserUuid, datetime | None]:
    """Project, person, and when the role ends."""
    row = _read(PermissionRow, raw, where)
    return (
        ProjectUuid(_hex(row.project_uuid)),
        UserUuid(_hex(row.user_uuid)),
        row.expiration_time,
    )


def parse_team_member(raw: object, where: str) -> tuple[UserUuid, datetime | None]:
    row = _read(TeamMemberRow, raw, where)
    return UserUuid(_hex(row.uuid)), row.expiration_time


def parse_association(raw: object, where: str) -> tuple[str, str]:
    """The allocation's uuid and the user name."""
    row = _read(AssociationRow, raw, where)
    return _last_uuid(row.allocation), row.username


def parse_plan_period(raw: object, where: str) -> tuple[bool, str]:
    """Whether the period is still open, and its uuid."""
    row = _read(PlanPeriodRow, raw, where)
    return row.end is None, _hex(row.uuid)


def parse_uuid(raw: object, where: str) -> str:
    return _hex(_read(NamedRow, raw, where).uuid)


def parse_rights(raw: object, where: str) -> tuple[str, ...]:
    row = _read(MeRow, raw, where)
    roles = [f"{held.role_name} of {held.scope_type} {held.scope_name}" for held in row.permissions]
    return tuple((["staff"] if row.is_staff else []) + sorted(roles))


def statuses_to_wire(
    team: Iterable[object], usernames: frozenset[str], where: str
) -> list[dict[str, object]]:
    """Whose access has arrived, of everybody in the team who has a user name."""
    rows = (_read(TeamMemberRow, raw, where) for raw in team)
    return [
        {
            "scope_type": "resource",
            "role_name": row.role,
            "user_uuid": _hex(row.uuid),
            "username": row.offering_user_username,
            "state": "synced" if row.offering_user_username in usernames else "pending",
        }
        for row in rows
        if row.offering_user_username
    ]


def component_to_wire(component: Component) -> dict[str, object]:
    """What the TRES file says and nothing else; 0 is a value, what is left out stays."""
    told: dict[str, object] = {
        "billing_type": str(component.accounting_type),
        "type": component.type,
        "name": component.label,
        "measured_unit": component.measured_unit,
        "limit_amount": component.limit,
    }
    optional: dict[str, object] = {
        "limit_period": component.limit_period,
        "description": component.description,
        "article_code": component.article_code,
        "min_value": component.min_value,
        "max_value": component.max_value,
    }
    return told | {name: value for name, value in optional.items() if value not in (None, "")}


def _project(row: BelongingRow) -> Project:
    return Project(
        uuid=ProjectUuid(_hex(row.project_uuid)),
        name=row.project_name,
        slug=row.project_slug,
        customer_uuid=CustomerUuid(_hex(row.customer_uuid)),
        customer_name=row.customer_name,
        customer_slug=row.customer_slug,
    )


def _offered(row: OfferedComponentRow) -> OfferedComponent:
    return OfferedComponent(
        uuid=_hex(row.uuid),
        type=ComponentType(row.type),
        name=row.name,
        measured_unit=row.measured_unit,
        billing_type=_billing(row.billing_type),
        limit_amount=row.limit_amount,
        limit_period=row.limit_period or None,
        description=row.description,
        article_code=row.article_code,
        min_value=row.min_value,
        max_value=row.max_value,
    )


def _read(kind: type[S], raw: object, where: str) -> S:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise UnexpectedPayload(f"{where}: {error}") from error


def _known(states: type[E], text: str, other: E) -> E:
    try:
        return states(text)
    except ValueError:
        return other


def _billing(text: str) -> AccountingType | str:
    try:
        return AccountingType(text)
    except ValueError:
        return text


def _hex(text: str) -> str:
    """One copy of each: people and projects come again from list to list."""
    try:
        return one_copy(canonical_uuid(text))
    except InvalidName as error:
        raise UnexpectedPayload(str(error)) from error


def _last_uuid(url: str) -> str:
    return _hex(url.rstrip("/").rpartition("/")[2])


def _month(text: str, where: str) -> Month:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UnexpectedPayload(f"{where}: not a billing period: {text[:80]!r}") from error
    return Month(day.year, day.month)


def _decimal(amount: str | int | float, where: str) -> Decimal:
    """Some twenty digits on each side: to calculate with `1e999999999` would take all memory."""
    text = str(amount)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UnexpectedPayload(f"{where}: not an amount: {text[:80]!r}") from error
    if not number.is_finite() or len(text) > 64 or not -20 <= number.adjusted() <= 20:
        raise UnexpectedPayload(f"{where}: not an amount: {text[:80]!r}")
    return number

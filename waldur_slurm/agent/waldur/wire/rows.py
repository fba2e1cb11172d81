"""The rows of Waldur's answers, as far as this project reads them.

A field without a default is one that the contract promises in every dialect.
"""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""One that names its zone: without it, no moment can be compared with another."""


class BelongingRow(msgspec.Struct):
    project_uuid: str
    project_name: str
    customer_uuid: str
    customer_name: str
    project_slug: str = ""
    customer_slug: str = ""


class OrderRow(BelongingRow, kw_only=True):
    uuid: str
    type: str
    state: str
    created: Moment
    resource_name: str
    marketplace_resource_uuid: str | None = None
    limits: dict[str, Any] | None = None
    provider_message: str = ""


class ResourceRow(BelongingRow, kw_only=True):
    uuid: str
    name: str
    state: str
    backend_id: str
    slug: str = ""
    limits: dict[str, Any] | None = None
    resource_type: str | None = None
    resource_uuid: str | None = None
    paused: bool = False
    downscaled: bool = False
    restrict_member_access: bool = False
    end_date: date | None = None


class OfferingUserRow(msgspec.Struct):
    user_uuid: str
    username: str | None
    is_restricted: bool
    state: str = "OK"
    uuid: str = ""


class GovernedRow(msgspec.Struct):
    type: str = ""


class UsagePolicyRow(msgspec.Struct):
    scope_uuid: str
    limit_type: str = ""
    carryover_enabled: bool = False
    raw_usage_reset: bool = False
    component_limits_set: list[GovernedRow] = []


class ProjectAccountRow(msgspec.Struct):
    uuid: str
    project_uuid: str
    state: str
    username: str | None = None


class OfferedComponentRow(msgspec.Struct):
    uuid: str
    type: str
    name: str
    measured_unit: str
    billing_type: str
    limit_amount: int | float | None = None
    limit_period: str | None = None
    description: str = ""
    article_code: str = ""
    min_value: int | float | None = None
    max_value: int | float | None = None


class PlanRow(msgspec.Struct):
    uuid: str = ""
    name: str = ""
    prices: dict[str, Any] | None = None
    archived: bool = False
    resources_count: int | None = None


class OfferingRow(msgspec.Struct):
    uuid: str
    name: str
    state: str
    type: str
    customer_uuid: str
    components: list[OfferedComponentRow]
    plugin_options: dict[str, Any] | None = None
    plans: list[Any] | None = None


class UsageRow(msgspec.Struct):
    uuid: str
    resource_uuid: str
    type: str
    usage: str | int | float
    billing_period: str
    missing_usage_policy: Any = msgspec.UNSET


class UserUsageRow(msgspec.Struct):
    component_usage: str
    username: str
    usage: str | int | float


class PermissionRow(msgspec.Struct):
    project_uuid: str
    user_uuid: str
    expiration_time: Moment | None = None
    user_username: str | None = None


class TeamMemberRow(msgspec.Struct):
    uuid: str
    role: str = ""
    username: str | None = None
    offering_user_username: str | None = None
    expiration_time: Moment | None = None


class AssociationRow(msgspec.Struct):
    username: str
    allocation: str


class OpenOrderRow(msgspec.Struct):
    marketplace_resource_uuid: str | None = None


class PlannedRow(msgspec.Struct):
    plan_uuid: str | None = None


class PlanPeriodRow(msgspec.Struct):
    uuid: str
    end: Moment | None


class NamedRow(msgspec.Struct):
    uuid: str


class RoleRow(msgspec.Struct):
    role_name: str
    scope_type: str | None = None
    scope_uuid: str | None = None
    scope_name: str | None = None


class MeRow(msgspec.Struct):
    permissions: list[RoleRow]
    is_staff: bool = False


ORDER_FIELDS = tuple(field.name for field in msgspec.structs.fields(OrderRow))
RESOURCE_FIELDS = tuple(field.name for field in msgspec.structs.fields(ResourceRow))
"""What lists are asked for: a whole row repeats all of its offering."""

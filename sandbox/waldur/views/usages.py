"""`marketplace-component-usages/` and `marketplace-component-user-usages/`."""

from sandbox.waldur import usage
from sandbox.waldur.answers import Answer
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.filters import Filter
from sandbox.waldur.pagination import paged
from sandbox.waldur.permissions import (
    OFFERINGS,
    OWNED_OFFERINGS,
    PROJECTS,
    demand,
    manages,
)
from sandbox.waldur.shapes.usages import usage_shape, user_usage_shape
from sandbox.waldur.store import Record
from sandbox.waldur.traits import has_trait


def seen_resources(ask: Exchange) -> str:
    """Older Masterminds hide nobody's usage; today a manager sees none, but on the newest."""
    if not ask.dialect.is_today:
        return "1"
    reads = has_trait(ask.store, "managers_read_usage")
    return f"r.offering IN {OFFERINGS if reads else OWNED_OFFERINGS} OR r.project IN {PROJECTS}"


def list_usages(ask: Exchange) -> Answer:
    wanted = Filter(ask, seen_resources(ask))
    wanted.uuid("resource_uuid", "t.resource")
    wanted.uuid("offering_uuid", "r.offering")
    wanted.uuid("project_uuid", "r.project")
    wanted.text("type", "c.type")
    wanted.day("billing_period", "t.billing_period = ?")
    wanted.day("date_after", "substr(t.date, 1, 10) >= ?")
    wanted.day("date_before", "substr(t.date, 1, 10) <= ?")
    source = (
        "FROM usages t JOIN resources r ON r.uuid = t.resource"
        f" JOIN components c ON c.uuid = t.component {wanted.where}"
    )
    return paged(ask, source, usage_shape, **wanted.values)


def show_usage(ask: Exchange) -> Answer:
    return Answer(200, usage_shape(ask, _usage(ask)))


def set_usage(ask: Exchange) -> Answer:
    usage.report(ask)
    return Answer(201)


def set_user_usage(ask: Exchange) -> Answer:
    usage.report_user(ask, _reportable(ask), ask.payload)
    return Answer(201)


def set_user_usages(ask: Exchange) -> Answer:
    usage.report_users(ask, _reportable(ask))
    return Answer(201)


def list_user_usages(ask: Exchange) -> Answer:
    wanted = Filter(ask, seen_resources(ask))
    wanted.uuid("resource_uuid", "u.resource")
    wanted.uuid("offering_uuid", "r.offering")
    wanted.text("username", "t.username")
    wanted.day("component_usage__billing_period", "u.billing_period = ?")
    wanted.text("billing_period_year", "CAST(substr(u.billing_period, 1, 4) AS INTEGER)")
    wanted.text("billing_period_month", "CAST(substr(u.billing_period, 6, 2) AS INTEGER)")
    source = (
        "FROM user_usages t JOIN usages u ON u.uuid = t.usage_of"
        f" JOIN resources r ON r.uuid = u.resource {wanted.where}"
    )
    return paged(ask, source, user_usage_shape, **wanted.values)


def list_user_limits(ask: Exchange) -> Answer:
    """`component-user-usage-limits/` (today): this Waldur has none."""
    return paged(ask, "FROM user_usages t WHERE 0", user_usage_shape)


def _usage(ask: Exchange) -> Record:
    visible = f"t.resource IN (SELECT r.uuid FROM resources r WHERE {seen_resources(ask)})"
    return ask.visible("usages", "ComponentUsage", visible)


def _reportable(ask: Exchange) -> Record:
    found = _usage(ask)
    offering = ask.named("resources", found["resource"])["offering"]
    demand(manages(ask.store, ask.caller, offering))
    return found

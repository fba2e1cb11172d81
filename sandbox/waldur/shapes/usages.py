"""Usage by component, by user, and inside a plan period."""

from sandbox.waldur.exchange import Exchange
from sandbox.waldur.store import Record
from sandbox.waldur.traits import has_trait


def usage_shape(ask: Exchange, usage: Record) -> Record:
    shown = (
        _core(ask, usage)
        | _where(ask, usage["resource"])
        | {"billing_period": usage["billing_period"], "modified_by": usage["modified_by"]}
    )
    if has_trait(ask.store, "month_totals"):
        shown["missing_usage_policy"] = usage["missing_usage_policy"]
    return shown


def user_usage_shape(ask: Exchange, row: Record) -> Record:
    usage = ask.named("usages", row["usage_of"])
    component = ask.named("components", usage["component"])
    shown: Record = {
        "uuid": row["uuid"],
        "user": row["user"],
        "username": row["username"],
        "component_usage": ask.link("marketplace-component-usages", usage["uuid"]),
        "usage": row["usage"],
        "measured_unit": component["measured_unit"],
        "description": "",
        "created": row["created"],
        "modified": row["modified"],
        "backend_id": "",
        **_where(ask, usage["resource"]),
    }
    if ask.dialect.has_provider_resources:
        shown |= {"component_type": component["type"], "date": usage["date"]}
    if ask.dialect.is_today:
        shown["billing_period"] = usage["billing_period"]
    return shown


def plan_period_shape(ask: Exchange, period: Record) -> Record:
    plan = ask.named("plans", period["plan"])
    usages = ask.store.rows(
        "SELECT * FROM usages WHERE plan_period = ? ORDER BY id", period["uuid"]
    )
    return {
        "uuid": period["uuid"],
        "plan_name": plan["name"],
        "plan_uuid": plan["uuid"],
        "start": period["start"],
        "end": period["end"],
        "components": [_core(ask, usage) for usage in usages],
    }


def _core(ask: Exchange, usage: Record) -> Record:
    component = ask.named("components", usage["component"])
    return {
        "uuid": usage["uuid"],
        "created": usage["created"],
        "description": usage["description"],
        "type": component["type"],
        "name": component["name"],
        "measured_unit": component["measured_unit"],
        "usage": usage["usage"],
        "date": usage["date"],
        "recurring": bool(usage["recurring"]),
    }


def _where(ask: Exchange, uuid: str) -> Record:
    resource = ask.named("resources", uuid)
    offering = ask.named("offerings", resource["offering"])
    project = ask.named("projects", resource["project"])
    customer = ask.named("customers", project["customer"])
    return {
        "resource_name": resource["name"],
        "resource_uuid": resource["uuid"],
        "offering_name": offering["name"],
        "offering_uuid": offering["uuid"],
        "project_name": project["name"],
        "project_uuid": project["uuid"],
        "customer_name": customer["name"],
        "customer_uuid": customer["uuid"],
    }

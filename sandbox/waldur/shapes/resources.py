"""Resources, and the hidden allocation behind one in the older dialects."""

from decimal import Decimal

from sandbox.waldur.allocations import NAMES, allocation_of
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.lifecycle import IN_FLIGHT, SLURM
from sandbox.waldur.shapes.offerings import component_shape, offering_card, plan_card
from sandbox.waldur.shapes.orders import order_shape
from sandbox.waldur.store import Record


def resource_shape(ask: Exchange, resource: Record) -> Record:
    """A row of a list: without the orders that only the detail carries."""
    offering = ask.named("offerings", resource["offering"])
    provider = ask.named("customers", offering["customer"])
    project = ask.named("projects", resource["project"])
    customer = ask.named("customers", project["customer"])
    shown: Record = {
        **offering_card(ask, offering, provider),
        **plan_card(ask, offering, resource["plan"] and ask.named("plans", resource["plan"])),
        **_body(ask, resource),
        "project": ask.link("projects", project["uuid"]),
        "project_uuid": project["uuid"],
        "project_name": project["name"],
        "project_description": project["description"],
        "project_end_date": project["end_date"],
        "project_end_date_requested_by": None,
        "customer_uuid": customer["uuid"],
        "customer_name": customer["name"],
        **_components_say(ask, resource),
    }
    if ask.dialect.is_today:
        shown |= _today_only(ask, resource, project, customer, offering)
    elif ask.dialect.has_provider_resources:
        shown |= _flags(resource) | {"offering_customer_uuid": provider["uuid"]}
    else:
        shown |= {"requested_downscaling": False, "offering_customer_uuid": provider["uuid"]}
    return shown


def resource_detail(ask: Exchange, resource: Record) -> Record:
    orders = ask.store.rows("SELECT * FROM orders WHERE resource = ? ORDER BY id", resource["uuid"])
    in_progress = [order for order in orders if order["state"] in IN_FLIGHT]
    created = [order for order in orders if order["type"] == "Create"]
    return resource_shape(ask, resource) | {
        "order_in_progress": order_shape(ask, in_progress[0]) if in_progress else None,
        "creation_order": order_shape(ask, created[0]) if created else None,
    }


def allocation_shape(ask: Exchange, allocation: Record) -> Record:
    store = ask.store
    resource = ask.named("resources", allocation["resource"])
    offering = ask.named("offerings", resource["offering"])
    project = ask.named("projects", resource["project"])
    customer = ask.named("customers", project["customer"])
    settings = store.setting("service_settings")
    return {
        "url": ask.link("slurm-allocations", allocation["uuid"]),
        "uuid": allocation["uuid"],
        "name": resource["name"],
        "description": "",
        "service_name": "SLURM remote service settings",
        "service_settings": ask.link("service-settings", settings),
        "service_settings_uuid": settings,
        "service_settings_state": "OK",
        "service_settings_error_message": "",
        "project": ask.link("projects", project["uuid"]),
        "project_name": project["name"],
        "project_uuid": project["uuid"],
        "customer": ask.link("customers", customer["uuid"]),
        "customer_name": customer["name"],
        "customer_native_name": "",
        "customer_abbreviation": customer["abbreviation"],
        "error_message": "",
        "error_traceback": "",
        "resource_type": "SLURM.Allocation",
        "state": NAMES[allocation["state"]],
        "created": allocation["created"],
        "modified": allocation["modified"],
        "backend_id": allocation["backend_id"],
        "access_url": None,
        "cpu_limit": 0,
        "cpu_usage": 0,
        "gpu_limit": 0,
        "gpu_usage": 0,
        "ram_limit": 0,
        "ram_usage": 0,
        "username": None,
        "gateway": None,
        "is_active": True,
        "marketplace_offering_uuid": offering["uuid"],
        "marketplace_offering_name": offering["name"],
        "marketplace_offering_plugin_options": offering["plugin_options"],
        "marketplace_category_uuid": offering["category"],
        "marketplace_category_name": offering["category_title"],
        "marketplace_resource_uuid": resource["uuid"],
        "marketplace_plan_uuid": resource["plan"],
        "marketplace_resource_state": resource["state"],
        **_billing_kinds(ask, offering["uuid"]),
    }


def _body(ask: Exchange, resource: Record) -> Record:
    allocation = allocation_of(ask.store, resource["uuid"])
    return {
        "attributes": resource["attributes"],
        "limits": resource["limits"],
        "uuid": resource["uuid"],
        "created": resource["created"],
        "modified": resource["modified"],
        "url": ask.link("marketplace-resources", resource["uuid"]),
        "scope": allocation and ask.link("slurm-allocations", allocation["uuid"]),
        "description": resource["description"],
        "state": resource["state"],
        "resource_uuid": allocation and allocation["uuid"],
        "backend_id": resource["backend_id"],
        "effective_id": resource["effective_id"],
        "resource_type": allocation and "SLURM.Allocation",
        "backend_metadata": resource["backend_metadata"],
        "name": resource["name"],
        "slug": resource["slug"],
        "current_usages": resource["current_usages"],
        "can_terminate": resource["state"] in ("OK", "Erred"),
        "report": resource["report"],
        "end_date": resource["end_date"],
        "end_date_requested_by": None,
        "username": None,
        "endpoints": resource["endpoints"],
        "error_message": resource["error_message"],
        "error_traceback": resource["error_traceback"],
        "options": None if _is_agents(ask, resource) or resource["state"] == "Creating" else {},
        "available_actions": [],
    }


def _is_agents(ask: Exchange, resource: Record) -> bool:
    return bool(ask.named("offerings", resource["offering"])["type"] == SLURM)


def _components_say(ask: Exchange, resource: Record) -> Record:
    """How it is billed, and what has been used of each limit so far; null without limits."""
    components = ask.store.rows(
        "SELECT * FROM components WHERE offering = ? ORDER BY type", resource["offering"]
    )
    limited = [component for component in components if component["billing_type"] == "limit"]
    used = {component["type"]: _used(ask, resource, component) for component in limited}
    return {**_kinds(components), "limit_usage": used if limited and resource["plan"] else None}


def _used(ask: Exchange, resource: Record, component: Record) -> float | None:
    """Of a limit for life or a year the sum of its rows; else what the last report said."""
    period = component["limit_period"]
    if period not in ("total", "annual"):
        told = resource["current_usages"].get(component["type"])
        return None if told is None else float(told)
    since = "" if period == "total" else f"{ask.store.now().year}-01-01"
    rows = ask.store.rows(
        "SELECT usage FROM usages WHERE resource = ? AND component = ? AND billing_period >= ?",
        resource["uuid"],
        component["uuid"],
        since,
    )
    return float(sum(Decimal(row["usage"]) for row in rows)) if rows else None


def _billing_kinds(ask: Exchange, offering: str) -> Record:
    return _kinds(
        ask.store.rows("SELECT billing_type FROM components WHERE offering = ?", offering)
    )


def _kinds(components: list[Record]) -> Record:
    billed = {component["billing_type"] for component in components}
    return {"is_usage_based": "usage" in billed, "is_limit_based": "limit" in billed}


def _flags(resource: Record) -> Record:
    return {
        flag: bool(resource[flag]) for flag in ("downscaled", "restrict_member_access", "paused")
    }


def _today_only(
    ask: Exchange, resource: Record, project: Record, customer: Record, offering: Record
) -> Record:
    components = ask.store.rows(
        "SELECT * FROM components WHERE offering = ? ORDER BY type", offering["uuid"]
    )
    shown = _flags(resource) | {
        "project_slug": project["slug"],
        "customer_slug": customer["slug"],
        "offering_slug": offering["slug"],
        "offering_state": offering["state"],
        "offering_backend_id": "",
        "offering_components": [component_shape(ask, component) for component in components],
        "last_sync": resource["last_sync"] or resource["modified"],
        "renewal_date": None,
        "user_requires_reconsent": False,
    }
    # The typed client reads these as numbers by component, never as null.
    shown["limit_usage"] = {
        kind: used
        for kind, used in (_components_say(ask, resource)["limit_usage"] or {}).items()
        if used is not None
    }
    shown["current_usages"] = {
        kind: float(used) for kind, used in resource["current_usages"].items()
    }
    return shown

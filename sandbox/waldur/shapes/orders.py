"""Orders as a reader sees them, and as the answer to their own creation shows them."""

from sandbox.waldur.allocations import allocation_of
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.lifecycle import IN_FLIGHT, SLURM
from sandbox.waldur.shapes.offerings import PRICE, offering_card, plan_card
from sandbox.waldur.store import Record


def order_shape(ask: Exchange, order: Record) -> Record:
    shown = _body(ask, order) | _reviews(ask, order)
    shown |= _people_and_places(ask, order) | _prices(ask, order)
    if ask.dialect.is_today:
        shown |= _today_only(ask, order)
    elif ask.caller.is_staff:
        shown["error_traceback"] = order["error_traceback"]
    return shown


def created_order_shape(ask: Exchange, order: Record) -> Record:
    """What POST answers: in the older dialects with links where reading shows names."""
    if ask.dialect.is_today:
        return order_shape(ask, order)
    project = ask.named("projects", order["project"])
    customer = ask.named("customers", project["customer"])
    creator = ask.named("users", order["created_by"])
    shown = _body(ask, order) | {
        "url": ask.link("marketplace-orders", order["uuid"]),
        "created_by": ask.link("users", creator["uuid"]),
        "created_by_username": creator["username"],
        "created_by_full_name": creator["full_name"],
        "consumer_reviewed_by": ask.link("users", order["consumer_reviewed_by"]),
        "consumer_reviewed_at": order["consumer_reviewed_at"],
        "project": ask.link("projects", project["uuid"]),
        "project_uuid": project["uuid"],
        "project_name": project["name"],
        "project_description": project["description"],
        "customer_name": customer["name"],
        "customer_uuid": customer["uuid"],
    }
    if order["consumer_reviewed_by"]:
        reviewer = ask.named("users", order["consumer_reviewed_by"])
        shown["consumer_reviewed_by_username"] = reviewer["username"]
        shown["consumer_reviewed_by_full_name"] = reviewer["full_name"]
    return shown


def _body(ask: Exchange, order: Record) -> Record:
    offering = ask.named("offerings", order["offering"])
    provider = ask.named("customers", offering["customer"])
    plan = None if order["plan"] is None else ask.named("plans", order["plan"])
    resource = ask.named("resources", order["resource"])
    allocation = allocation_of(ask.store, resource["uuid"])
    return {
        **offering_card(ask, offering, provider),
        **plan_card(ask, offering, plan),
        "attributes": order["attributes"],
        "limits": order["limits"],
        "uuid": order["uuid"],
        "created": order["created"],
        "modified": order["modified"],
        "type": order["type"],
        "resource_uuid": allocation and allocation["uuid"],
        "resource_type": allocation and "SLURM.Allocation",
        "resource_name": resource["name"],
        "cost": None if plan is None else PRICE,
        "state": order["state"],
        "output": "",
        "marketplace_resource_uuid": resource["uuid"],
        "error_message": order["error_message"],
        "callback_url": None,
    }


def _reviews(ask: Exchange, order: Record) -> Record:
    shown: Record = {}
    for side in ("consumer", "provider"):
        reviewer = order[f"{side}_reviewed_by"]
        if reviewer:
            user = ask.named("users", reviewer)
            shown[f"{side}_reviewed_by"] = user["username"]
            shown[f"{side}_reviewed_by_full_name"] = user["full_name"]
            if ask.dialect.is_today:
                shown[f"{side}_reviewed_by_username"] = user["username"]
        elif ask.dialect.is_today:
            shown[f"{side}_reviewed_by"] = None
            shown[f"{side}_reviewed_by_full_name"] = None
            shown[f"{side}_reviewed_by_username"] = None
        shown[f"{side}_reviewed_at"] = order[f"{side}_reviewed_at"]
    return shown


def _people_and_places(ask: Exchange, order: Record) -> Record:
    project = ask.named("projects", order["project"])
    customer = ask.named("customers", project["customer"])
    creator = ask.named("users", order["created_by"])
    return {
        "created_by_full_name": creator["full_name"],
        "created_by_civil_number": None,
        "customer_name": customer["name"],
        "customer_uuid": customer["uuid"],
        "customer_slug": customer["slug"],
        "project_name": project["name"],
        "project_uuid": project["uuid"],
        "project_description": project["description"],
        "project_slug": project["slug"],
    }


def _prices(ask: Exchange, order: Record) -> Record:
    shown: Record = {}
    if order["plan"] is not None:
        plan = ask.named("plans", order["plan"])
        shown = {"new_plan_name": plan["name"], "new_plan_uuid": plan["uuid"]}
    has_plan = order["plan"] is not None
    new_cost = (PRICE if ask.dialect.is_today else 0.0) if has_plan else None
    return shown | {
        "old_cost_estimate": 0.0,
        "new_cost_estimate": new_cost,
        "can_terminate": _can_be_cancelled(ask, order),
        "fixed_price": 0,
        "activation_price": 0,
        "termination_comment": None,
        "backend_id": order["backend_id"],
        "issue": None,
    }


def _can_be_cancelled(ask: Exchange, order: Record) -> bool:
    """Never where an agent serves the offering."""
    is_agents = ask.named("offerings", order["offering"])["type"] == SLURM
    return not is_agents and order["state"] in IN_FLIGHT


def _today_only(ask: Exchange, order: Record) -> Record:
    creator = ask.named("users", order["created_by"])
    return {
        "url": ask.link("marketplace-orders", order["uuid"]),
        "slug": f"order-{order['id']}",
        "created_by_username": creator["username"],
        "created_by_email": creator["email"],
        "created_by_organization": None,
        "created_by_organization_registry_code": None,
        "error_traceback": order["error_traceback"],
        "completed_at": order["completed_at"],
        "start_date": None,
        "attachment": None,
        "request_comment": None,
        "order_subtype": None,
        "consumer_message": "",
        "consumer_message_attachment": None,
        "consumer_rejection_comment": "",
        "provider_message": order["provider_message"],
        "provider_message_url": order["provider_message_url"],
        "provider_message_attachment": None,
        "provider_rejection_comment": order["provider_rejection_comment"],
        "old_plan_name": None,
        "old_plan_uuid": None,
    }

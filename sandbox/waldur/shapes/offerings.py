"""Offerings, their components and plans, and the card of them that orders and resources carry."""

from sandbox.waldur.exchange import Exchange
from sandbox.waldur.store import Record
from sandbox.waldur.traits import has_trait

PRICE = "0.0000000000"


def offering_card(ask: Exchange, offering: Record, customer: Record) -> Record:
    card: Record = {
        "offering": ask.link("marketplace-public-offerings", offering["uuid"]),
        "offering_name": offering["name"],
        "offering_uuid": offering["uuid"],
        "offering_description": "",
        "offering_image": None,
        "offering_thumbnail": None,
        "offering_type": offering["type"],
        "offering_shared": bool(offering["shared"]),
        "offering_billable": True,
        "offering_plugin_options": offering["plugin_options"],
        "provider_name": customer["name"],
        "provider_uuid": customer["uuid"],
        "category_title": offering["category_title"],
        "category_uuid": offering["category"],
        "category_icon": None,
    }
    if ask.dialect.is_today:
        card["provider_slug"] = customer["slug"]
    else:
        card["offering_terms_of_service"] = ""
    return card


def plan_card(ask: Exchange, offering: Record, plan: Record | None) -> Record:
    if plan is None:
        return {"plan": None}
    at = ask.link("marketplace-public-offerings", offering["uuid"])
    return {
        "plan": f"{at}plans/{plan['uuid']}/",
        "plan_unit": plan["unit"],
        "plan_name": plan["name"],
        "plan_uuid": plan["uuid"],
        "plan_description": "",
    }


def component_shape(ask: Exchange, component: Record) -> Record:
    shown: Record = {
        "uuid": component["uuid"],
        "billing_type": component["billing_type"],
        "type": component["type"],
        "name": component["name"],
        "description": component["description"],
        "measured_unit": component["measured_unit"],
        "limit_period": component["limit_period"],
        "limit_amount": component["limit_amount"],
        "article_code": component["article_code"],
        "max_value": component["max_value"],
        "min_value": component["min_value"],
        "max_available_limit": component["max_available_limit"],
        "is_boolean": bool(component["is_boolean"]),
        "default_limit": component["default_limit"],
        "factor": None,
        "is_builtin": False,
    }
    if ask.dialect.is_today:
        shown |= {
            "is_prepaid": False,
            "overage_component": None,
            "min_prepaid_duration": None,
            "max_prepaid_duration": None,
            "unit_factor": component["unit_factor"],
        }
    return shown


def public_offering(ask: Exchange, offering: Record) -> Record:
    shown = _offering(ask, offering, "marketplace-public-offerings")
    at = shown["url"]
    shown["plans"] = [plan | {"url": f"{at}plans/{plan['uuid']}/"} for plan in shown["plans"]]
    shown |= {"promotion_campaigns": [], **_calendar(), "backend_metadata": {}}
    return shown | ({"user_has_consent": False} if ask.dialect.is_today else {})


def provider_offering(ask: Exchange, offering: Record) -> Record:
    return _offering(ask, offering, "marketplace-provider-offerings") | {
        "secret_options": offering["secret_options"],
        "service_attributes": {},
        "integration_status": _integration_status(ask, offering),
        "backend_metadata": {},
        "total_customers": 1,
        "total_cost": 0,
        "total_cost_estimated": 0,
        **_calendar(),
        **({"backend_id_rules": offering["backend_id_rules"]} if ask.dialect.is_today else {}),
    }


def _offering(ask: Exchange, offering: Record, collection: str) -> Record:
    store = ask.store
    customer = ask.named("customers", offering["customer"])
    components = store.rows(
        "SELECT * FROM components WHERE offering = ? ORDER BY type", offering["uuid"]
    )
    counted = store.find("SELECT COUNT(*) AS n FROM orders WHERE offering = ?", offering["uuid"])
    shown: Record = {
        "url": ask.link(collection, offering["uuid"]),
        "uuid": offering["uuid"],
        "created": offering["created"],
        "name": offering["name"],
        "slug": offering["slug"],
        "description": "",
        "full_description": "",
        "privacy_policy_link": "",
        "endpoints": [],
        "customer": ask.link("customers", customer["uuid"]),
        "customer_uuid": customer["uuid"],
        "customer_name": customer["name"],
        "project": None,
        "category": ask.link("marketplace-categories", offering["category"]),
        "category_uuid": offering["category"],
        "category_title": offering["category_title"],
        "attributes": {},
        "options": {"order": [], "options": {}},
        "resource_options": {"order": [], "options": {}},
        "components": [component_shape(ask, component) for component in components],
        "plugin_options": offering["plugin_options"],
        "state": offering["state"],
        "vendor_details": "",
        "getting_started": "",
        "integration_guide": "",
        "thumbnail": None,
        "order_count": (counted or {"n": 0})["n"],
        "plans": _plans(ask, offering, components),
        "screenshots": [],
        "type": offering["type"],
        "shared": bool(offering["shared"]),
        "billable": True,
        "files": [],
        "paused_reason": "",
        "datacite_doi": "",
        "citation_count": -1,
        "latitude": None,
        "longitude": None,
        "country": "",
        "backend_id": "",
        "organization_groups": [],
        "image": None,
    }
    return shown | (_today_only() if ask.dialect.is_today else _older_only())


def _calendar() -> Record:
    return {"google_calendar_is_public": None, "google_calendar_link": None}


def _older_only() -> Record:
    return {
        "terms_of_service": "",
        "terms_of_service_link": "",
        "rating": None,
        "roles": [],
        "native_name": "",
        "native_description": "",
        "scope": None,
    }


def _today_only() -> Record:
    return {
        "project_name": None,
        "project_uuid": None,
        "parent_uuid": None,
        "parent_name": None,
        "parent_description": None,
        "billing_type_classification": "limit_only",
        "compliance_checklist": None,
        "has_compliance_requirements": False,
        "partitions": [],
        "quotas": [],
        "software_catalogs": [],
        "tags": [],
    }


def _plans(ask: Exchange, offering: Record, components: list[Record]) -> list[Record]:
    plans = ask.store.rows("SELECT * FROM plans WHERE offering = ?", offering["uuid"])
    return [_plan(ask, plan, components) for plan in plans]


def _plan(ask: Exchange, plan: Record, components: list[Record]) -> Record:
    """It knows nothing of a component that it gives no price, and which costs nothing, or fails."""
    prices = {
        row["component"]: row["price"]
        for row in ask.store.rows("SELECT * FROM plan_components WHERE plan = ?", plan["uuid"])
    }
    if has_trait(ask.store, "every_component_has_a_price"):
        prices = {component["uuid"]: "0.0" for component in components} | prices
    priced = {
        one["type"]: float(prices[one["uuid"]]) for one in components if one["uuid"] in prices
    }
    return {
        "url": ask.link("marketplace-plans", plan["uuid"]),
        "uuid": plan["uuid"],
        "name": plan["name"],
        "description": "",
        "article_code": "",
        "max_amount": None,
        "archived": False,
        "is_active": True,
        "unit_price": PRICE,
        "unit": plan["unit"],
        "init_price": 0,
        "switch_price": 0,
        "backend_id": "",
        "organization_groups": [],
        "prices": priced,
        "future_prices": dict.fromkeys(priced),
        "quotas": dict.fromkeys(priced, 0),
        "resources_count": _resources_of(ask, plan),
        "plan_type": None,
        "minimal_price": 0,
    }


def _resources_of(ask: Exchange, plan: Record) -> int:
    counted = ask.store.find("SELECT COUNT(*) AS n FROM resources WHERE plan = ?", plan["uuid"])
    return int((counted or {"n": 0})["n"])


def _integration_status(ask: Exchange, offering: Record) -> list[Record] | None:
    polled = {"Order processing": "orders_polled", "Usage reporting": "usage_polled"}
    found = [
        {
            "agent_type": agent_type,
            "status": "Active",
            "last_request_timestamp": offering[column],
            **({"service_name": None} if ask.dialect.is_today else {}),
        }
        for agent_type, column in polled.items()
        if offering[column]
    ]
    return found or ([] if not ask.dialect.is_today else None)


def usage_policy(ask: Exchange, offering: Record) -> Record:
    """A periodic usage policy of Slurm's: as much of it as an agent reads."""
    governed = ask.store.setting("governed_limits", [])
    return {
        "uuid": offering["uuid"],
        "scope": ask.link("marketplace-provider-offerings", offering["uuid"]),
        "scope_name": offering["name"],
        "scope_uuid": offering["uuid"],
        "actions": "request_slurm_resource_downscaling",
        "has_fired": False,
        "created": offering["created"],
        "limit_type": "GrpTRESMins",
        "tres_billing_enabled": True,
        "tres_billing_weights": {},
        "carryover_factor": 50,
        "carryover_enabled": True,
        "grace_ratio": 0.2,
        "raw_usage_reset": True,
        "qos_strategy": "threshold",
        "component_limits_set": [{"type": kind, "limit": 1, "period": 2} for kind in governed],
    }

"""Offerings and their components: read by everybody here, changed by who manages them."""

import re
from typing import Any

from sandbox.waldur.answers import Answer, invalid, server_error
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.limits import set_price
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import OFFERINGS, demand, manages, provides
from sandbox.waldur.shapes.offerings import provider_offering, public_offering, usage_policy
from sandbox.waldur.store import Record
from sandbox.waldur.traits import has_trait

BILLING_TYPES = ("fixed", "usage", "limit", "one", "few")
LIMIT_PERIODS = ("month", "quarterly", "annual", "total")
LONGEST = {"type": 50, "name": 150, "measured_unit": 30}
INTERNAL_NAME = re.compile(r"[a-zA-Z0-9_\-/:]+")
"""What the type of a component may be: a slash is allowed."""
NUMBERS = ("limit_amount", "min_value", "max_value", "max_available_limit", "default_limit")
OPTIONS = ("plugin_options", "secret_options")
TEXTS = ("type", "name", "description", "measured_unit", "article_code")


def show_public_offering(ask: Exchange) -> Answer:
    offering = ask.visible("offerings", "Offering", "1")
    return Answer(200, selected(ask, public_offering(ask, offering)))


def list_provider_offerings(ask: Exchange) -> Answer:
    wanted = Filter(ask, f"t.uuid IN {OFFERINGS}")
    wanted.uuid("customer_uuid", "t.customer")
    wanted.text("type", "t.type")
    wanted.text("name_exact", "t.name")
    return paged(ask, f"FROM offerings t {wanted.where}", provider_offering, **wanted.values)


def list_usage_policies(ask: Exchange) -> Answer:
    """An offering whose limits are governed has one: see `limits`."""
    wanted = Filter(ask, f"t.uuid IN {OFFERINGS}")
    wanted.uuid("scope_uuid", "t.uuid")
    if not ask.store.setting("governed_limits", []):
        wanted.add("0")
    return paged(ask, f"FROM offerings t {wanted.where}", usage_policy, **wanted.values)


def show_provider_offering(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, provider_offering(ask, _offering(ask))))


def activate(ask: Exchange) -> Answer:
    """For staff alone: a provider cannot bring his own offering on sale."""
    offering = _offering(ask)
    demand(ask.caller.is_staff)
    ask.store.update("offerings", offering["uuid"], state="Active")
    return Answer(200, {"detail": "Offering state updated.", "state": "Active"})


def update_integration(ask: Exchange) -> Answer:
    """Options take the place of those before, all of a kind at once."""
    offering = _managed(ask)
    told = {key: ask.payload[key] for key in OPTIONS if isinstance(ask.payload.get(key), dict)}
    if told:
        ask.store.update("offerings", offering["uuid"], **told)
    return Answer()


def update_prices(ask: Exchange) -> Answer:
    """`marketplace-plans/U/update_prices/`: components that are not named keep what they have."""
    plan = ask.visible("plans", "Plan", f"t.offering IN {OFFERINGS}")
    demand(provides(ask.store, ask.caller, plan["offering"]))
    components = {
        row["type"]: row["uuid"]
        for row in ask.store.rows("SELECT * FROM components WHERE offering = ?", plan["offering"])
    }
    prices = ask.payload.get("prices")
    if not isinstance(prices, dict):
        raise invalid(prices="This field is required.")
    unknown = sorted(prices.keys() - components.keys())
    if unknown:
        raise invalid(prices=f"Invalid component types: {', '.join(unknown)}")
    for kind, price in prices.items():
        set_price(ask.store, plan["uuid"], components[kind], str(price))
    return Answer()


def create_offering_component(ask: Exchange) -> Answer:
    """A second one of the same type is Waldur's own failure: 500, as measured."""
    offering = _managed(ask)
    columns = _columns(ask, required=("type", "name", "billing_type"))
    known = ask.store.find(
        "SELECT 1 FROM components WHERE offering = ? AND type = ?",
        offering["uuid"],
        columns["type"],
    )
    if known:
        raise server_error()
    ask.store.insert("components", offering=offering["uuid"], **columns)
    return Answer(201)


def update_offering_component(ask: Exchange) -> Answer:
    offering = _managed(ask)
    columns = _columns(ask, required=("uuid", "type", "name", "billing_type"))
    component = ask.store.find(
        "SELECT * FROM components WHERE offering = ? AND uuid = ?",
        offering["uuid"],
        plain_uuid(str(ask.payload["uuid"])),
    )
    if component is None:
        raise invalid(uuid="Component does not exist.")
    ask.store.update("components", component["uuid"], **columns)
    return Answer(200)


def _offering(ask: Exchange) -> Record:
    return ask.visible("offerings", "Offering", f"t.uuid IN {OFFERINGS}")


def _managed(ask: Exchange) -> Record:
    offering = _offering(ask)
    demand(manages(ask.store, ask.caller, offering["uuid"]))
    return offering


def _columns(ask: Exchange, required: tuple[str, ...]) -> Record:
    payload = ask.payload
    missing = [key for key in required if not payload.get(key)]
    if missing:
        raise invalid(**dict.fromkeys(missing, "This field is required."))
    for key, longest in LONGEST.items():
        if len(str(payload.get(key, ""))) > longest:
            raise invalid(**{key: f"Ensure this field has no more than {longest} characters."})
    if not INTERNAL_NAME.fullmatch(payload["type"]):
        raise invalid(type="Enter a valid value.")
    _demand_choice(payload, "billing_type", BILLING_TYPES)
    _demand_choice(payload, "limit_period", LIMIT_PERIODS)
    whole = not has_trait(ask.store, "fractional_bounds")
    for key in NUMBERS:
        if not isinstance(payload.get(key), int | None if whole else int | float | None):
            raise invalid(**{key: f"A valid {'integer' if whole else 'number'} is required."})
    kept = (*TEXTS, *NUMBERS, "billing_type", "limit_period", "unit_factor")
    columns: dict[str, Any] = {key: payload[key] for key in kept if key in payload}
    if "is_boolean" in payload:
        columns["is_boolean"] = int(bool(payload["is_boolean"]))
    return columns


def _demand_choice(payload: Record, key: str, valid: tuple[str, ...]) -> None:
    value = payload.get(key)
    if value and value not in valid:
        raise invalid(**{key: f'"{value}" is not a valid choice.'})

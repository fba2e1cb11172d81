"""Offerings and their components: read by everybody here, changed by who manages them."""

import re
from typing import Any

from sandbox.waldur.answers import Answer, invalid, server_error
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import OFFERINGS, demand, manages
from sandbox.waldur.shapes.offerings import provider_offering, public_offering
from sandbox.waldur.store import Record
from sandbox.waldur.views.orders import list_orders

BILLING_TYPES = ("fixed", "usage", "limit", "one", "few")
LIMIT_PERIODS = ("month", "quarterly", "annual", "total")
LONGEST = {"type": 50, "name": 150, "measured_unit": 30}
INTERNAL_NAME = re.compile(r"[a-zA-Z0-9_\-/:]+")
"""What the type of a component may be: a slash is allowed."""
NUMBERS = ("limit_amount", "min_value", "max_value", "max_available_limit", "default_limit")
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


def show_provider_offering(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, provider_offering(ask, _offering(ask))))


def list_orders_of_offering(ask: Exchange) -> Answer:
    return list_orders(ask)


def create_offering_component(ask: Exchange) -> Answer:
    """A second one of the same type is Waldur's own failure: 500, as measured."""
    offering = _managed(ask)
    columns = _columns(ask.payload, required=("type", "name", "billing_type"))
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
    columns = _columns(ask.payload, required=("uuid", "type", "name", "billing_type"))
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


def _columns(payload: Record, required: tuple[str, ...]) -> Record:
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
    for key in NUMBERS:
        if not isinstance(payload.get(key), int | None):
            raise invalid(**{key: "A valid integer is required."})
    kept = (*TEXTS, *NUMBERS, "billing_type", "limit_period", "unit_factor")
    columns: dict[str, Any] = {key: payload[key] for key in kept if key in payload}
    if "is_boolean" in payload:
        columns["is_boolean"] = int(bool(payload["is_boolean"]))
    return columns


def _demand_choice(payload: Record, key: str, valid: tuple[str, ...]) -> None:
    value = payload.get(key)
    if value and value not in valid:
        raise invalid(**{key: f'"{value}" is not a valid choice.'})

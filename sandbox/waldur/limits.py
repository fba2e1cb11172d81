"""Limits: what may be ordered, what the whole offering has left, and what a change of them books.

A change of a running resource's limits is put on the bill at once; a limit component without a
price in the plan makes that fail, and with it whatever changed the limits.
"""

from datetime import datetime
from typing import Any

from sandbox.waldur.answers import invalid, refused, server_error
from sandbox.waldur.store import Record, Store, stamp_of
from sandbox.waldur.traits import has_trait

PERIODS = {"month": "Monthly", "quarterly": "Quarterly", "annual": "Annual", "total": "Total"}

LARGEST = 2**63 - 1
"""What the database holds; nobody has so much to give away."""


def limit_components(store: Store, offering: str) -> dict[str, Record]:
    rows = store.rows(
        "SELECT * FROM components WHERE offering = ? AND billing_type = 'limit'", offering
    )
    return {row["type"]: row for row in rows}


def demand_orderable(store: Store, offering: str, limits: Any) -> None:
    """Integers, not below zero on today's Waldur, of components that have limits."""
    if not isinstance(limits, dict):
        raise invalid(limits="Expected a dictionary of items.")
    for kind, value in limits.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise refused(400, {"limits": {kind: ["A valid integer is required."]}})
        if value < 0 and store.dialect.is_today:
            text = "Ensure this value is greater than or equal to 0."
            raise refused(400, {"limits": {kind: [text]}})
    unknown = sorted(set(limits) - limit_components(store, offering).keys())
    if unknown:
        raise invalid(limits=f"Invalid types: {', '.join(unknown)}")


def excess(store: Store, offering: str, limits: Record) -> str | None:
    """What forbids these limits: all resources together may not have more than `limit_amount`.

    What the resource itself had before counts as well, and so do resources that have ended.
    """
    components = limit_components(store, offering)
    for kind, value in limits.items():
        component = components.get(kind)
        period = component and PERIODS.get(component["limit_period"] or "")
        if component is None or period is None or not component["limit_amount"]:
            continue
        if _held(store, component) + value > component["limit_amount"]:
            return f"{period} limit exceeds threshold {component['limit_amount']}."
    return None


def hold(store: Store, resource: Record, limits: Record) -> None:
    """Count these limits among what the offering has given away."""
    components = limit_components(store, resource["offering"])
    for kind in limits.keys() & components.keys():
        component = components[kind]["uuid"]
        store.run(
            "DELETE FROM quotas WHERE resource = ? AND component = ?", resource["uuid"], component
        )
        store.insert(
            "quotas",
            resource=resource["uuid"],
            component=component,
            amount=_countable(limits[kind]),
            modified=store.stamp(),
        )


def _countable(amount: object) -> int | float:
    """What is no amount, as somebody may order anything, takes nothing away."""
    return min(amount, LARGEST) if isinstance(amount, int | float) else 0


def take(store: Store, resource: Record, limits: Record) -> None:
    """The resource has these limits now."""
    if limits != resource["limits"] and resource["state"] != "Creating":
        _book(store, resource, limits)
    store.update("resources", resource["uuid"], limits=limits, modified=store.stamp())
    hold(store, resource, limits)


def allowed(store: Store, resource: Record, limits: Record) -> Record:
    """Today: what `set_limits` really sets; the rest is dropped or clamped without a word."""
    governed = store.setting("governed_limits", [])
    components = limit_components(store, resource["offering"])
    kept = {kind: _clamped(components[kind], value) for kind, value in limits.items()}
    for kind in governed:
        kept.pop(kind, None)
        if kind in resource["limits"]:
            kept[kind] = resource["limits"][kind]
    return kept


def is_priced(store: Store, plan: str, component: Record) -> bool:
    if has_trait(store, "every_component_has_a_price"):
        return True
    found = store.find(
        "SELECT 1 FROM plan_components WHERE plan = ? AND component = ?", plan, component["uuid"]
    )
    return found is not None


def set_price(store: Store, plan: str, component: str, price: str | None) -> None:
    """None: the plan says nothing of this component."""
    store.run("DELETE FROM plan_components WHERE plan = ? AND component = ?", plan, component)
    if price is not None:
        store.insert("plan_components", plan=plan, component=component, price=price)


def _book(store: Store, resource: Record, limits: Record) -> None:
    """Today's Waldur passes over what has no price, unless the limit is for the whole life."""
    components = limit_components(store, resource["offering"])
    for kind in limits.keys() & components.keys():
        component = components[kind]
        is_total = component["limit_period"] == "total"
        if is_total and (resource["state"] != "OK" or not limits[kind]):
            continue
        if store.dialect.is_today and not is_total:
            continue
        if resource["plan"] and not is_priced(store, resource["plan"], component):
            raise server_error()


def _held(store: Store, component: Record) -> float:
    found = store.find(
        "SELECT SUM(amount) AS n FROM quotas WHERE component = ? AND modified >= ?",
        component["uuid"],
        _period_start(store.now(), component["limit_period"]),
    )
    return (found and found["n"]) or 0


def _period_start(now: datetime, period: str) -> str:
    months = {"month": now.month, "quarterly": now.month - (now.month - 1) % 3, "annual": 1}
    if period not in months:
        return ""
    start = now.replace(month=months[period], day=1, hour=0, minute=0, second=0, microsecond=0)
    return stamp_of(start)


def _clamped(component: Record, value: int) -> int:
    lowest, highest = component["min_value"], component["max_value"]
    if highest is not None:
        value = min(value, int(highest))
    return value if lowest is None else max(value, int(lowest))

"""Usage as Waldur takes it: one figure per resource, component and month; the last one wins."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.waldur.answers import invalid, refused
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.permissions import demand, manages
from sandbox.waldur.store import Record, Store, stamp_of

TAKES_USAGE = ("OK", "Updating", "Terminating")
DIGITS = 20
PLACES = 2
NOT_FOR_PROVIDERS = (
    "Service providers can only specify date for limit-based or prepaid billing components"
    " when backfilling past billing periods"
)


def report(ask: Exchange) -> None:
    """`set_usage/`: every row is right, or none is taken."""
    payload = ask.payload
    amounts = [_amount(item, "amount") for item in _items(payload)]
    resource, period = _target(ask, payload)
    demand(manages(ask.store, ask.caller, resource["offering"]))
    if resource["state"] not in TAKES_USAGE:
        raise invalid(resource="Resource is not in valid state.")
    components = _components(ask.store, resource["offering"])
    _demand_known(components, payload["usages"])
    moment = _moment(ask, payload, [components[item["type"]] for item in payload["usages"]])
    for item, amount in zip(payload["usages"], amounts, strict=True):
        component = components[item["type"]]
        _write(ask.store, ask.caller.id, resource, component, period, moment, amount, item)
    _remember_current(ask, resource, moment, payload["usages"], amounts)


def report_user(ask: Exchange, usage: Record, payload: Record) -> None:
    """`set_user_usage/`: the last word on one username."""
    if not payload.get("username"):
        raise invalid(username="This field is required.")
    amount = _amount(payload, "usage")
    store = ask.store
    component = store.named("components", usage["component"])
    moment = _moment(ask, payload, [component])
    if moment is not None and month_start(moment) != usage["billing_period"]:
        usage = _usage_in_month(ask, usage, moment)
    now = store.stamp()
    known = store.find(
        "SELECT * FROM user_usages WHERE usage_of = ? AND username = ?",
        usage["uuid"],
        payload["username"],
    )
    if known:
        store.update("user_usages", known["uuid"], usage=amount, modified=now)
        return
    store.insert(
        "user_usages",
        usage_of=usage["uuid"],
        username=payload["username"],
        user=payload.get("user"),
        usage=amount,
        created=now,
        modified=now,
    )


def report_users(ask: Exchange, usage: Record) -> None:
    """`set_user_usages/` (today): all or nothing; a name that is no offering user refuses it."""
    items = ask.payload.get("usages")
    if not isinstance(items, list):
        raise invalid(usages="This field is required.")
    offering = ask.named("resources", usage["resource"])["offering"]
    known = {
        row["username"]
        for row in ask.store.rows(
            "SELECT username FROM offering_users WHERE offering = ?", offering
        )
    }
    errors = [
        {} if item.get("username") in known else {"username": ["Unknown offering user."]}
        for item in items
    ]
    if any(errors):
        raise refused(400, {"usages": errors})
    for item in items:
        report_user(ask, usage, item)


def month_start(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-01")


def _items(payload: Record) -> list[Record]:
    items = payload.get("usages")
    if not isinstance(items, list):
        raise invalid(usages="This field is required.")
    for item in items:
        if not isinstance(item, dict) or not item.get("type"):
            raise refused(400, {"usages": [{"type": ["This field is required."]}]})
    return items


def _amount(item: Record, key: str) -> str:
    try:
        amount = Decimal(str(item[key]))
    except KeyError:
        raise _bad_amount(key, "This field is required.") from None
    except InvalidOperation:
        raise _bad_amount(key, "A valid number is required.") from None
    digits, exponent = len(amount.as_tuple().digits), amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise _bad_amount(key, "A valid number is required.")
    if digits > DIGITS:
        raise _bad_amount(key, f"Ensure that there are no more than {DIGITS} digits in total.")
    if -exponent > PLACES:
        raise _bad_amount(key, f"Ensure that there are no more than {PLACES} decimal places.")
    return f"{amount:.2f}"


def _bad_amount(key: str, text: str) -> Exception:
    if key == "amount":
        return refused(400, {"usages": [{key: [text]}]})
    return invalid(**{key: text})


def _target(ask: Exchange, payload: Record) -> tuple[Record, Record | None]:
    """The resource, and the plan period that is running."""
    store = ask.store
    if payload.get("plan_period"):
        period = _existing(ask, "plan_periods", "plan_period", payload)
        _demand_open(store, period)
        return store.named("resources", period["resource"]), period
    if payload.get("resource"):
        resource = _existing(ask, "resources", "resource", payload)
        found = store.find(
            "SELECT * FROM plan_periods WHERE resource = ? ORDER BY id DESC", resource["uuid"]
        )
        return resource, found
    raise invalid(non_field_errors="Either plan_period or resource should be provided.")


def _existing(ask: Exchange, table: str, key: str, payload: Record) -> Record:
    uuid = plain_uuid(str(payload[key]))
    found = ask.store.find(f"SELECT * FROM {table} WHERE uuid = ?", uuid)
    if found is None:
        raise invalid(**{key: f"Object with uuid={payload[key]} does not exist."})
    return found


def _demand_open(store: Store, period: Record) -> None:
    this_month = month_start(store.now())
    if period["end"] and period["end"][:10] < this_month:
        raise invalid(plan_period="Billing period is closed.")


def _components(store: Store, offering: str) -> dict[str, Record]:
    return {
        component["type"]: component
        for component in store.rows(
            "SELECT * FROM components WHERE offering = ? AND billing_type IN ('usage', 'limit')",
            offering,
        )
    }


def _demand_known(components: dict[str, Record], items: list[Record]) -> None:
    unknown = sorted({item["type"] for item in items} - components.keys())
    if unknown:
        raise invalid(non_field_errors=f"These components are invalid: {', '.join(unknown)}.")


def _moment(ask: Exchange, payload: Record, components: list[Record]) -> datetime | None:
    """The date that the report is for; older Masterminds ignore it."""
    text = payload.get("date")
    if not text or not ask.dialect.is_today:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid(date="Datetime has wrong format.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    now = ask.store.now()
    if moment > now:
        raise invalid(date="Cannot submit usage for future dates")
    past = month_start(moment) < month_start(now)
    by_usage = any(component["billing_type"] == "usage" for component in components)
    if past and by_usage and not ask.caller.is_staff:
        raise invalid(date=NOT_FOR_PROVIDERS)
    return moment


def _write(
    store: Store,
    author: int,
    resource: Record,
    component: Record,
    period: Record | None,
    moment: datetime | None,
    amount: str,
    item: Record,
) -> Record:
    when = moment or store.now()
    columns: dict[str, Any] = {
        "usage": amount,
        "date": stamp_of(when),
        "modified_by": author,
        "description": item.get("description", ""),
        "recurring": int(bool(item.get("recurring"))),
        "plan_period": period and period["uuid"],
    }
    known = store.find(
        "SELECT * FROM usages WHERE resource = ? AND component = ? AND billing_period = ?",
        resource["uuid"],
        component["uuid"],
        month_start(when),
    )
    if known:
        store.update("usages", known["uuid"], **columns)
        return store.named("usages", known["uuid"])
    return store.insert(
        "usages",
        resource=resource["uuid"],
        component=component["uuid"],
        billing_period=month_start(when),
        created=store.stamp(),
        **columns,
    )


def _usage_in_month(ask: Exchange, usage: Record, moment: datetime) -> Record:
    found = ask.store.find(
        "SELECT * FROM usages WHERE resource = ? AND component = ? AND billing_period = ?",
        usage["resource"],
        usage["component"],
        month_start(moment),
    )
    if found:
        return found
    resource = ask.named("resources", usage["resource"])
    component = ask.named("components", usage["component"])
    return _write(ask.store, ask.caller.id, resource, component, None, moment, "0.00", {})


def _remember_current(
    ask: Exchange,
    resource: Record,
    moment: datetime | None,
    items: list[Record],
    amounts: list[str],
) -> None:
    """The resource carries the figures of the latest report for the current month."""
    if moment is not None and month_start(moment) != month_start(ask.store.now()):
        return
    if not items:
        return
    current = {item["type"]: amount for item, amount in zip(items, amounts, strict=True)}
    ask.store.update("resources", resource["uuid"], current_usages=current)

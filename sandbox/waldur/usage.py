"""Usage as Waldur takes it: one figure per resource, component and month; the last one wins.

A plan that is switched within a month makes it several rows, one for each plan.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.waldur.answers import invalid, refused
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.permissions import demand, manages, provides
from sandbox.waldur.store import Record, Store, stamp_of
from sandbox.waldur.traits import has_trait

TAKES_USAGE = ("OK", "Updating", "Terminating")
DIGITS = 20
PLACES = 2
USERNAME = 100
"""The longest name in usage by user, in letters."""
NOT_FOR_MANAGERS = (
    "Only staff users and service providers can specify date for backfilling past billing periods"
)
NOT_FOR_PROVIDERS = (
    "Service providers can only specify date for limit-based or prepaid billing components"
    " when backfilling past billing periods"
)


def report(ask: Exchange) -> None:
    """`set_usage/`: every row is right, or none is taken."""
    payload = ask.payload
    amounts = [_amount(item, "amount") for item in _items(payload)]
    resource, period = _target(ask, payload)
    _demand_may_date(ask, resource, payload)
    demand(manages(ask.store, ask.caller, resource["offering"]))
    _demand_ready(ask, resource)
    components = _components(ask.store, resource["offering"])
    _demand_known(components, payload["usages"])
    told = [components[item["type"]] for item in payload["usages"]]
    moment = _moment(ask, payload, resource, told)
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
    resource = store.named("resources", usage["resource"])
    _demand_may_date(ask, resource, payload)
    moment = _moment(ask, payload, resource, [component])
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
    """`set_user_usages/` (today): all or nothing."""
    items = ask.payload.get("usages")
    if not isinstance(items, list):
        raise invalid(usages="This field is required.")
    offering = ask.named("resources", usage["resource"])["offering"]
    errors = [_name_refused(ask, offering, item.get("username")) for item in items]
    if any(errors):
        raise refused(400, {"usages": errors})
    for item in items:
        report_user(ask, usage, item)


def _name_refused(ask: Exchange, offering: str, username: Any) -> Record:
    """Any name will do, whosever it is; servers were thought to know better."""
    if len(str(username)) > USERNAME:
        text = f"Ensure this field has no more than {USERNAME} characters."
        return {"username": [text]}
    if has_trait(ask.store, "takes_any_username"):
        return {}
    known = ask.store.find(
        "SELECT 1 FROM offering_users WHERE offering = ? AND username = ?", offering, username
    )
    return {} if known else {"username": ["Unknown offering user."]}


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


def _demand_ready(ask: Exchange, resource: Record) -> None:
    if resource["state"] not in TAKES_USAGE:
        raise invalid(resource="Resource is not in valid state.")
    if ask.dialect.is_today and resource["plan"] is None:
        raise invalid(resource="Resource must have a plan to report usage.")


def _demand_may_date(ask: Exchange, resource: Record, payload: Record) -> None:
    """Today: a date is for the provider's owner and for staff, be it of the running month."""
    is_dated = payload.get("date") and ask.dialect.is_today
    if is_dated and not provides(ask.store, ask.caller, resource["offering"]):
        raise invalid(date=NOT_FOR_MANAGERS)


def _moment(
    ask: Exchange, payload: Record, resource: Record, components: list[Record]
) -> datetime | None:
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
    if past and by_usage and not ask.caller.is_staff and not _is_open(ask, resource, moment):
        raise invalid(date=NOT_FOR_PROVIDERS)
    return moment


def _is_open(ask: Exchange, resource: Record, moment: datetime) -> bool:
    """Whether the customer's bill of that month may still change."""
    found = ask.store.find(
        "SELECT 1 FROM open_invoices WHERE customer = ? AND month = ?",
        ask.named("projects", resource["project"])["customer"],
        month_start(moment),
    )
    return found is not None


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
    """One row for a plan period: who switched his plan within the month has several."""
    when = moment or store.now()
    rows = _rows_of(store, resource, component, month_start(when))
    plan_period = period and period["uuid"]
    known = next((row for row in rows if row["plan_period"] in (plan_period, None)), None)
    if has_trait(store, "month_totals"):
        others = sum(Decimal(row["usage"]) for row in rows if row is not known)
        amount = f"{max(Decimal(0), Decimal(amount) - others):.2f}" if others else amount
    columns: dict[str, Any] = {
        "usage": amount,
        "date": stamp_of(when),
        "modified_by": author,
        "description": item.get("description", ""),
        "recurring": int(bool(item.get("recurring"))),
        "plan_period": plan_period,
    }
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


def _rows_of(store: Store, resource: Record, component: Record, month: str) -> list[Record]:
    return store.rows(
        "SELECT * FROM usages WHERE resource = ? AND component = ? AND billing_period = ?"
        " ORDER BY id",
        resource["uuid"],
        component["uuid"],
        month,
    )


def _usage_in_month(ask: Exchange, usage: Record, moment: datetime) -> Record:
    resource = ask.named("resources", usage["resource"])
    component = ask.named("components", usage["component"])
    found = _rows_of(ask.store, resource, component, month_start(moment))
    if found:
        return found[-1]
    return _write(ask.store, ask.caller.id, resource, component, None, moment, "0.00", {})


def _remember_current(
    ask: Exchange,
    resource: Record,
    moment: datetime | None,
    items: list[Record],
    amounts: list[str],
) -> None:
    """What the resource itself says of its use in the current month.

    Older Masterminds forget whatever the latest report did not name.
    """
    if moment is not None and month_start(moment) != month_start(ask.store.now()):
        return
    if not items:
        return
    current = {item["type"]: amount for item, amount in zip(items, amounts, strict=True)}
    if has_trait(ask.store, "merges_current_usages"):
        current = resource["current_usages"] | current
    ask.store.update("resources", resource["uuid"], current_usages=current)

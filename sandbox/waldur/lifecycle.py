"""Orders and resources: what may follow what, and what each step does to the other.

pending-consumer -> pending-provider -> executing -> done | erred -> executing (again)
Create: Creating -> OK | Erred        Update: Updating -> OK | Erred
Terminate: Terminating -> Terminated | OK        Restore (today): Creating -> OK | Erred
On today's Waldur a resource begins to move when that is ordered, in older ones when it is approved.
"""

from sandbox.waldur import allocations, limits, people
from sandbox.waldur.answers import (
    invalid,
    invalid_list,
    not_allowed,
    server_error,
    wrong_state,
)
from sandbox.waldur.store import Record, Store
from sandbox.waldur.traits import has_trait

SLURM = "Marketplace.Slurm"

ORDER_STATES = (
    "pending-consumer",
    "pending-provider",
    "pending-project",
    "pending-start-date",
    "executing",
    "done",
    "erred",
    "canceled",
    "rejected",
)
RESOURCE_STATES = ("Creating", "OK", "Erred", "Updating", "Terminating", "Terminated")
IN_FLIGHT = (
    "pending-consumer",
    "pending-provider",
    "pending-project",
    "pending-start-date",
    "executing",
)
WHILE_EXECUTING = {
    "Create": "Creating",
    "Update": "Updating",
    "Terminate": "Terminating",
    "Restore": "Creating",
}
AFTER_FAILURE = {"Create": "Erred", "Update": "Erred", "Terminate": "OK", "Restore": "Erred"}
RESTORES = "can_restore_resource"
"""The option of an offering without which nothing that has ended comes back."""


def place_order(
    store: Store,
    resource: Record,
    kind: str,
    creator: str,
    *,
    wanted: Record,
    attributes: Record,
    state: str = "pending-provider",
) -> Record:
    now = store.stamp()
    reviewed = state != "pending-consumer"
    placed = store.insert(
        "orders",
        resource=resource["uuid"],
        offering=resource["offering"],
        project=resource["project"],
        plan=None if kind == "Terminate" else resource["plan"],
        type=kind,
        state=state,
        attributes=attributes,
        limits=wanted,
        created_by=creator,
        consumer_reviewed_by=creator if reviewed else None,
        consumer_reviewed_at=now if reviewed else None,
        created=now,
        modified=now,
    )
    moves_now = has_trait(store, "moves_at_order_creation") and resource["state"] != "Erred"
    if moves_now and kind in ("Update", "Terminate"):
        enter(store, resource["uuid"], WHILE_EXECUTING[kind])
    return placed


def place_creation(
    store: Store,
    offering: str,
    plan: str,
    project: str,
    creator: str,
    *,
    wanted: Record,
    attributes: Record,
    state: str,
) -> Record:
    demand_available(store, offering)
    excess = limits.excess(store, offering, wanted)
    if excess:
        raise invalid(non_field_errors=excess)
    now = store.stamp()
    name = attributes["name"]
    resource = store.insert(
        "resources",
        offering=offering,
        project=project,
        plan=plan,
        name=name,
        slug=store.slug("resources", name),
        state="Creating",
        limits=wanted,
        attributes=attributes,
        end_date=attributes.get("end_date"),
        created=now,
        modified=now,
    )
    limits.hold(store, resource, wanted)
    order = place_order(
        store, resource, "Create", creator, wanted=wanted, attributes=attributes, state=state
    )
    _make_users_early(store, order)
    return order


def place_update(
    store: Store, resource: Record, wanted: Record, creator: str, state: str = "pending-provider"
) -> Record:
    demand_available(store, resource["offering"])
    demand_state(resource, "OK")
    demand_no_order_in_flight(store, resource)
    if wanted == resource["limits"]:
        raise invalid_list(
            "Impossible to create update orders with limits set to exactly the same."
        )
    excess = limits.excess(store, resource["offering"], wanted)
    if excess:
        raise invalid_list(excess)
    attributes = {"old_limits": resource["limits"]}
    return place_order(
        store, resource, "Update", creator, wanted=wanted, attributes=attributes, state=state
    )


def place_termination(
    store: Store, resource: Record, creator: str, state: str = "pending-provider"
) -> Record:
    demand_available(store, resource["offering"])
    demand_state(resource, "OK", "Erred")
    demand_no_order_in_flight(store, resource)
    return place_order(store, resource, "Terminate", creator, wanted={}, attributes={}, state=state)


def place_restoration(store: Store, resource: Record, creator: str) -> Record:
    demand_available(store, resource["offering"])
    if not store.named("offerings", resource["offering"])["plugin_options"].get(RESTORES):
        raise invalid_list("Restoring resource is not supported for this offering type.")
    if resource["state"] != "Terminated":
        raise invalid_list("Resource must be in TERMINATED state to be restored.")
    demand_no_order_in_flight(store, resource)
    enter(store, resource["uuid"], "Creating")
    wanted = resource["limits"]
    return place_order(store, resource, "Restore", creator, wanted=wanted, attributes={})


def demand_available(store: Store, offering: str) -> None:
    """Today: nothing is ordered or changed while the provider calls his offering unavailable."""
    is_unavailable = store.named("offerings", offering)["state"] == "Unavailable"
    if is_unavailable and store.dialect.is_today:
        raise invalid_list("Offering is unavailable.")


def demand_state(resource: Record, *states: str) -> None:
    if resource["state"] not in states:
        raise wrong_state(*states)


def demand_order_state(order: Record, *states: str) -> None:
    if order["state"] not in states:
        raise wrong_state(*states)


def demand_no_order_in_flight(store: Store, resource: Record) -> None:
    marks = ", ".join("?" * len(IN_FLIGHT))
    found = store.find(
        f"SELECT 1 FROM orders WHERE resource = ? AND state IN ({marks})",
        resource["uuid"],
        *IN_FLIGHT,
    )
    if found is not None:
        raise invalid_list("Pending order for resource already exists.")


def demand_agent_offering(store: Store, order: Record) -> None:
    kind = store.named("offerings", order["offering"])["type"]
    if kind != SLURM:
        raise not_allowed(f"The order's offering with {kind} type does not support this action")


def approve_as_consumer(store: Store, order: Record, reviewer: str) -> None:
    demand_order_state(order, "pending-consumer")
    now = store.stamp()
    _change(
        store,
        order,
        state="pending-provider",
        consumer_reviewed_by=reviewer,
        consumer_reviewed_at=now,
    )
    _make_users_early(store, order)


def approve_as_provider(store: Store, order: Record, reviewer: str) -> None:
    demand_order_state(order, "pending-provider")
    now = store.stamp()
    _change(
        store, order, state="executing", provider_reviewed_by=reviewer, provider_reviewed_at=now
    )
    _make_users_early(store, order)
    if store.named("offerings", order["offering"])["type"] != SLURM:
        complete(store, order)
        return
    enter(store, order["resource"], WHILE_EXECUTING[order["type"]])
    if store.dialect.hides_an_allocation:
        _begin_allocation(store, order)


def reject(store: Store, order: Record, reviewer: str, comment: str = "") -> None:
    demand_order_state(order, "pending-provider")
    _change(
        store,
        order,
        state="rejected",
        provider_reviewed_by=reviewer,
        provider_reviewed_at=store.stamp(),
        provider_rejection_comment=comment,
        completed_at=store.stamp(),
    )
    _take_back(store, order)


def cancel(store: Store, order: Record) -> None:
    demand_order_state(order, "pending-consumer", "pending-provider", "executing")
    if order["state"] == "executing":
        kind = store.named("offerings", order["offering"])["type"]
        raise not_allowed(f"The order's offering with {kind} type does not support this action")
    _change(store, order, state="canceled", completed_at=store.stamp())
    _take_back(store, order)


def complete(store: Store, order: Record) -> None:
    """The order is done: limits, plan period and offering users follow."""
    resource = order["resource"]
    _change(store, order, state="done", completed_at=store.stamp())
    if order["type"] == "Terminate":
        store.run("UPDATE plan_periods SET end = ? WHERE resource = ?", store.stamp(), resource)
        enter(store, resource, "Terminated")
        return
    enter(store, resource, "OK")
    if order["type"] == "Update":
        limits.take(store, store.named("resources", resource), order["limits"])
        return
    _open_plan_period(store, resource)
    people.make_offering_users(store, order["offering"], order["project"])


def fail(store: Store, order: Record, message: str, traceback: str) -> None:
    """No state is too late for it; in older dialects a done order stays done all the same."""
    was_done = order["state"] == "done"
    stays_done = was_done and not has_trait(store, "errs_done_orders")
    _change(
        store,
        order,
        state="done" if stays_done else "erred",
        error_message=message,
        error_traceback=traceback,
        completed_at=store.stamp(),
    )
    resource = store.named("resources", order["resource"])
    after = "Erred" if was_done else AFTER_FAILURE[order["type"]]
    comes_to_be = order["type"] in ("Create", "Restore") and not was_done
    if comes_to_be and store.dialect.is_today and not resource["backend_id"]:
        after = "Terminated"
    enter(store, resource["uuid"], after)


def execute_again(store: Store, order: Record) -> None:
    """A retry; also a way around approval, which leaves the resource where it is."""
    demand_order_state(order, "pending-consumer", "pending-provider", "erred")
    _change(store, order, state="executing", completed_at=None)


def complete_by_allocation(store: Store, resource: str) -> None:
    """Also without an order: that is the way back for a resource that was erred."""
    order = store.find("SELECT * FROM orders WHERE resource = ? AND state = 'executing'", resource)
    if order is not None:
        complete(store, order)
    else:
        enter(store, resource, "OK")


def switch_plan(store: Store, resource: Record, plan: str) -> None:
    """As when an order for another plan is done: one period ends, the next begins."""
    uuid, now = resource["uuid"], store.stamp()
    store.run("UPDATE plan_periods SET end = ? WHERE resource = ? AND end IS NULL", now, uuid)
    store.update("resources", uuid, plan=plan, modified=now)
    _open_plan_period(store, uuid)


def enter(store: Store, resource: str, state: str) -> None:
    store.update("resources", resource, state=state, modified=store.stamp())


def error_text(store: Store, payload: Record) -> tuple[str, str]:
    """Message and traceback; Waldur fails on a body without them."""
    missing = {"error_message", "error_traceback"} - payload.keys()
    if missing and has_trait(store, "wants_error_fields"):
        raise server_error()
    return str(payload.get("error_message", "")), str(payload.get("error_traceback", ""))


def _make_users_early(store: Store, order: Record) -> None:
    """Today's Waldur does not wait until a Create order is done."""
    is_there = order["type"] == "Create" and order["state"] in ("pending-provider", "executing")
    if is_there and has_trait(store, "makes_users_at_order_creation"):
        people.make_offering_users(store, order["offering"], order["project"])


def _take_back(store: Store, order: Record) -> None:
    """What was ordered and will not be: a resource that began to move for it is OK again."""
    resource = store.named("resources", order["resource"])
    if order["type"] == "Create":
        enter(store, resource["uuid"], "Terminated")
    elif store.dialect.is_today and resource["state"] != "OK":
        enter(store, resource["uuid"], "OK")


def _begin_allocation(store: Store, order: Record) -> None:
    resource = order["resource"]
    if order["type"] == "Create":
        allocations.schedule_creation(store, resource)
    elif order["type"] == "Terminate":
        allocations.schedule_deletion(store, resource)
    else:
        error = allocations.schedule_update(store, resource)
        if error:
            fail(store, order, error, "")


def _open_plan_period(store: Store, resource: str) -> None:
    plan = store.named("resources", resource)["plan"]
    if plan is None:
        return
    running = store.find("SELECT 1 FROM plan_periods WHERE resource = ? AND end IS NULL", resource)
    if running is None:
        store.insert("plan_periods", resource=resource, plan=plan, start=store.stamp())


def _change(store: Store, order: Record, **columns: object) -> None:
    store.update("orders", order["uuid"], modified=store.stamp(), **columns)
    order |= columns

"""Resources from the provider's side and from the customer's: the same rows, other rights."""

import re
from collections.abc import Callable

from sandbox.waldur import lifecycle, people
from sandbox.waldur.answers import Answer, Problem, invalid
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.filters import Filter
from sandbox.waldur.limits import allowed, demand_orderable, take
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import (
    OFFERINGS,
    PROJECTS,
    approves,
    demand,
    manages,
    owns_customer,
    provides,
)
from sandbox.waldur.shapes.people import team_member_shape
from sandbox.waldur.shapes.resources import allocation_shape, resource_detail, resource_shape
from sandbox.waldur.shapes.usages import plan_period_shape
from sandbox.waldur.store import Record
from sandbox.waldur.views.orders import BACKEND_ID, note_agent, said

AS_PROVIDER = f"t.offering IN {OFFERINGS}"
AS_CUSTOMER = f"t.project IN {PROJECTS}"
FLAGS = ("paused", "downscaled", "restrict_member_access")


def list_provider_resources(ask: Exchange) -> Answer:
    return _listed(ask, AS_PROVIDER)


def list_consumer_resources(ask: Exchange) -> Answer:
    return _listed(ask, _consumer_view(ask))


def show_provider_resource(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, resource_detail(ask, _provided(ask))))


def show_consumer_resource(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, resource_detail(ask, _consumed(ask))))


def show_allocation_behind(ask: Exchange) -> Answer:
    """`details/`: the scope, which the provider sees here and nowhere else."""
    resource = _provided(ask)
    found = ask.store.find("SELECT * FROM allocations WHERE resource = ?", resource["uuid"])
    if found is None or not ask.dialect.hides_an_allocation:
        raise Problem(Answer(404))
    return Answer(200, allocation_shape(ask, found))


def provider_team(ask: Exchange) -> Answer:
    return _team(ask, _provided(ask))


def consumer_team(ask: Exchange) -> Answer:
    return _team(ask, _consumed(ask))


def provider_plan_periods(ask: Exchange) -> Answer:
    return _plan_periods(ask, _provided(ask))


def consumer_plan_periods(ask: Exchange) -> Answer:
    return _plan_periods(ask, _consumed(ask))


def edit_provider_resource(ask: Exchange) -> Answer:
    return _edit(ask, _provided(ask))


def edit_consumer_resource(ask: Exchange) -> Answer:
    return _edit(ask, _consumed(ask))


def set_backend_id(ask: Exchange) -> Answer:
    return _set_backend_id(ask, _provided(ask))


def set_backend_id_in_classic(ask: Exchange) -> Answer:
    resource = _consumed(ask)
    demand(manages(ask.store, ask.caller, resource["offering"]))
    return _set_backend_id(ask, resource)


def set_backend_metadata(ask: Exchange) -> Answer:
    resource = _provided(ask)
    metadata = ask.payload.get("backend_metadata")
    if not isinstance(metadata, dict):
        raise invalid(backend_metadata="This field is required.")
    _change(ask, resource, backend_metadata=metadata)
    return Answer(200, {"status": "The backend metadata is updated"})


def set_limits(ask: Exchange) -> Answer:
    resource = _provided(ask)
    limits = ask.payload.get("limits")
    if limits is None:
        raise invalid(limits="This field is required.")
    demand_orderable(ask.store, resource["offering"], limits)
    kept = allowed(ask.store, resource, limits)
    if kept == resource["limits"]:
        return Answer(200, {"status": "Limits are unchanged."})
    take(ask.store, resource, kept)
    return Answer(200, {"status": "Limits are successfully set."})


def set_as_ok(ask: Exchange) -> Answer:
    resource = _provided(ask)
    lifecycle.demand_state(resource, "Erred", "OK")
    _change(ask, resource, state="OK", error_message="", error_traceback="")
    return Answer(200)


def set_state_ok(ask: Exchange) -> Answer:
    set_as_ok(ask)
    return Answer(200, {"status": "Resource is marked as OK"})


def set_as_erred(ask: Exchange) -> Answer:
    """For staff alone in the older dialects."""
    resource = _visible(ask)
    if not ask.dialect.is_today:
        demand(ask.caller.is_staff)
    demand(manages(ask.store, ask.caller, resource["offering"]))
    _change(
        ask,
        resource,
        state="Erred",
        error_message=ask.payload.get("error_message", ""),
        error_traceback=ask.payload.get("error_traceback", ""),
    )
    return Answer(200)


def refresh_last_sync(ask: Exchange) -> Answer:
    ask.store.update("resources", _provided(ask)["uuid"], last_sync=ask.store.stamp())
    return Answer(200)


def submit_report(ask: Exchange) -> Answer:
    resource = _provided(ask)
    if not isinstance(ask.payload.get("report"), list):
        raise invalid(report="This field is required.")
    _change(ask, resource, report=ask.payload["report"])
    return Answer(200, {"status": "Report is submitted"})


def set_endpoints(ask: Exchange) -> Answer:
    _change(ask, _provided(ask), endpoints=ask.payload.get("endpoints", []))
    return Answer(200, {"status": "The endpoints are updated"})


def set_flag(flag: str) -> Callable[[Exchange], Answer]:
    """The view of `set_paused/` and its like."""

    def set_this_flag(ask: Exchange) -> Answer:
        resource = _provided(ask)
        wanted = bool(ask.payload.get(flag))
        changed = wanted != bool(resource[flag])
        _change(ask, resource, **{flag: int(wanted)})
        return Answer(200, {"status": f"Resource {flag} flag {said(changed)}."})

    return set_this_flag


def terminate_as_provider(ask: Exchange) -> Answer:
    resource = _visible(ask)
    demand(approves(ask.store, ask.caller, resource["offering"]))
    return _ordered(lifecycle.place_termination(ask.store, resource, ask.caller.uuid))


def terminate_as_consumer(ask: Exchange) -> Answer:
    resource = _consumed(ask)
    return _ordered(
        lifecycle.place_termination(
            ask.store, resource, ask.caller.uuid, _state_of_order(ask, resource)
        )
    )


def update_limits(ask: Exchange) -> Answer:
    resource = _consumed(ask)
    wanted = ask.payload.get("limits") or {}
    demand_orderable(ask.store, resource["offering"], wanted)
    return _ordered(
        lifecycle.place_update(
            ask.store, resource, wanted, ask.caller.uuid, _state_of_order(ask, resource)
        )
    )


def restore_as_provider(ask: Exchange) -> Answer:
    return _ordered(lifecycle.place_restoration(ask.store, _provided(ask), ask.caller.uuid))


def restore_as_consumer(ask: Exchange) -> Answer:
    return _ordered(lifecycle.place_restoration(ask.store, _consumed(ask), ask.caller.uuid))


def unlink(ask: Exchange) -> Answer:
    resource = _provided(ask)
    demand(ask.caller.is_staff)
    ask.store.run("DELETE FROM resources WHERE uuid = ?", resource["uuid"])
    return Answer(204)


def _listed(ask: Exchange, visible: str) -> Answer:
    wanted = Filter(ask, visible)
    wanted.uuid("offering_uuid", "t.offering")
    wanted.uuid("project_uuid", "t.project")
    wanted.uuid("customer_uuid", "t.project IN (SELECT uuid FROM projects WHERE customer = ?)")
    wanted.choices("state", "t.state", lifecycle.RESOURCE_STATES)
    wanted.text("backend_id", "t.backend_id")
    wanted.text("name_exact", "t.name")
    wanted.since("modified", "t.modified")
    for flag in FLAGS:
        wanted.flag(flag, f"t.{flag}")
    note_agent(ask, "usage_polled")
    return paged(ask, f"FROM resources t {wanted.where}", resource_shape, **wanted.values)


def _consumer_view(ask: Exchange) -> str:
    if ask.dialect.shows_providers_consumer_resources:
        return f"{AS_CUSTOMER} OR {AS_PROVIDER}"
    return AS_CUSTOMER


def _provided(ask: Exchange) -> Record:
    return _found(ask, AS_PROVIDER)


def _consumed(ask: Exchange) -> Record:
    return _found(ask, _consumer_view(ask))


def _visible(ask: Exchange) -> Record:
    return _found(ask, f"{AS_PROVIDER} OR {AS_CUSTOMER}")


def _found(ask: Exchange, visible: str) -> Record:
    resource = ask.visible("resources", "Resource", visible)
    if ask.method not in ("GET", "HEAD"):
        lifecycle.demand_available(ask.store, resource["offering"])
    return resource


def _state_of_order(ask: Exchange, resource: Record) -> str:
    """What an order begins with: a member's needs the agreement of the customer's owner first."""
    customer = ask.named("projects", resource["project"])["customer"]
    owns = owns_customer(ask.store, ask.caller, customer)
    owns = owns or provides(ask.store, ask.caller, resource["offering"])
    return "pending-provider" if owns else "pending-consumer"


def _team(ask: Exchange, resource: Record) -> Answer:
    members = people.members_of(ask.store, resource["project"])
    return Answer(200, [team_member_shape(ask, resource, member) for member in members])


def _plan_periods(ask: Exchange, resource: Record) -> Answer:
    periods = ask.store.rows(
        "SELECT * FROM plan_periods WHERE resource = ? ORDER BY id", resource["uuid"]
    )
    return Answer(200, [plan_period_shape(ask, period) for period in periods])


def _edit(ask: Exchange, resource: Record) -> Answer:
    """Of all that one may send, Waldur takes three fields and ignores the rest."""
    taken = {
        key: ask.payload[key] for key in ("name", "description", "end_date") if key in ask.payload
    }
    if taken:
        _change(ask, resource, **taken)
    after = resource | taken
    return Answer(200, {key: after[key] for key in ("name", "description", "end_date")})


def _set_backend_id(ask: Exchange, resource: Record) -> Answer:
    wanted = ask.text("backend_id", BACKEND_ID)
    changed = resource["backend_id"] != wanted
    if changed:
        _demand_backend_id(ask, resource, wanted)
        _change(ask, resource, backend_id=wanted)
    return Answer(200, {"status": f"Resource backend_id {said(changed)}."})


def _demand_backend_id(ask: Exchange, resource: Record, wanted: str) -> None:
    """Today: the offering's own rules for backend ids, where it has some."""
    rules = ask.named("offerings", resource["offering"])["backend_id_rules"]
    if not ask.dialect.is_today or not rules or not wanted:
        return
    if not re.fullmatch(rules.get("format", ".*"), wanted):
        raise invalid(backend_id="Backend ID does not match the format of the offering.")
    taken = ask.store.find(
        "SELECT 1 FROM resources WHERE offering = ? AND backend_id = ? AND uuid != ?",
        resource["offering"],
        wanted,
        resource["uuid"],
    )
    if rules.get("unique") and taken:
        raise invalid(backend_id="Backend ID is already in use.")


def _change(ask: Exchange, resource: Record, **columns: object) -> None:
    ask.store.update("resources", resource["uuid"], modified=ask.store.stamp(), **columns)


def _ordered(order: Record) -> Answer:
    return Answer(200, {"order_uuid": order["uuid"]})

"""The allocation's endpoints of the older dialects: `marketplace-slurm-remote/` and `slurm-*`."""

from sandbox.waldur import allocations, lifecycle
from sandbox.waldur.answers import Answer, invalid, invalid_list, server_error
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.limits import take
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import OFFERINGS, PROJECTS, demand, manages
from sandbox.waldur.shapes.resources import allocation_shape
from sandbox.waldur.store import Record, real_time
from sandbox.waldur.views.orders import BACKEND_ID, said

ASSOCIATION = "Association between the allocation and the username"
SEEN_RESOURCES = f"SELECT uuid FROM resources WHERE project IN {PROJECTS}"
MANAGED_RESOURCES = f"SELECT uuid FROM resources WHERE offering IN {OFFERINGS}"


def set_state(ask: Exchange) -> Answer:
    allocation = _allocation(ask)
    name = ask.payload.get("state", "")
    ended = allocations.move(ask.store, allocation, name)
    if ended:
        lifecycle.complete_by_allocation(ask.store, allocation["resource"])
    elif name == "erred":
        lifecycle.enter(ask.store, allocation["resource"], "Erred")
    return Answer(200, {"detail": f"Allocation state has been changed to {name}"})


def set_backend_id(ask: Exchange) -> Answer:
    allocation = _allocation(ask)
    wanted = ask.text("backend_id", BACKEND_ID)
    changed = wanted != allocation["backend_id"]
    ask.store.update("allocations", allocation["uuid"], backend_id=wanted)
    return Answer(200, {"status": f"Allocation backend_id {said(changed)}."})


def set_limits(ask: Exchange) -> Answer:
    """A bare dictionary; it takes the place of the resource's limits as it is."""
    allocation = _allocation(ask)
    if not isinstance(ask.body, dict):
        kind = type(ask.body)
        raise invalid_list(f"The payload must have dictionary type, not {kind}.")
    take(ask.store, ask.store.named("resources", allocation["resource"]), ask.body)
    return Answer(200, {"status": "Limits are successfully set."})


def set_usage(ask: Exchange) -> Answer:
    """The call to stay away from: it overwrites the limits with zeros, and fails for a user."""
    allocation = _allocation(ask)
    if ask.payload.get("username") != "TOTAL_ACCOUNT_USAGE":
        raise server_error()
    ask.store.update("resources", allocation["resource"], limits={"cpu": 0, "gpu": 0})
    return Answer(200, {"detail": "Allocation usage has been updated successfully."})


def create_association(ask: Exchange) -> Answer:
    allocation = _allocation(ask)
    if _association(ask, allocation):
        return Answer(200, {"detail": f"{ASSOCIATION} already exists."})
    ask.store.insert(
        "associations", allocation=allocation["uuid"], username=ask.payload["username"]
    )
    return Answer(201, {"detail": f"{ASSOCIATION} has been successfully created."})


def delete_association(ask: Exchange) -> Answer:
    found = _association(ask, _allocation(ask))
    if not found:
        raise invalid_list(f"{ASSOCIATION} does not exist.")
    ask.store.run("DELETE FROM associations WHERE uuid = ?", found["uuid"])
    return Answer(200, {"detail": f"{ASSOCIATION} has been successfully deleted."})


def list_allocations(ask: Exchange) -> Answer:
    """Nothing for a provider, ever: the scope lives on the customer's side."""
    wanted = Filter(ask, f"t.resource IN ({SEEN_RESOURCES})")
    wanted.text("backend_id", "t.backend_id")
    source = f"FROM allocations t {wanted.where} AND t.visible_from <= :now"
    return paged(ask, source, allocation_shape, now=real_time(), **wanted.values)


def show_allocation(ask: Exchange) -> Answer:
    visible = f"t.resource IN ({SEEN_RESOURCES})"
    found = ask.visible("allocations", "Allocation", visible)
    if found["visible_from"] > real_time():
        raise ask.missing("Allocation")
    return Answer(200, selected(ask, allocation_shape(ask, found)))


def list_associations(ask: Exchange) -> Answer:
    wanted = Filter(
        ask,
        f"a.resource IN ({MANAGED_RESOURCES}) OR a.resource IN ({SEEN_RESOURCES})",
    )
    wanted.uuid("allocation_uuid", "t.allocation")
    source = f"FROM associations t JOIN allocations a ON a.uuid = t.allocation {wanted.where}"
    return paged(ask, source, _association_shape, **wanted.values)


def list_nothing(ask: Exchange) -> Answer:
    """A list that is there and empty, as it was found."""
    return paged(ask, "FROM associations t WHERE 0", _association_shape)


def _association_shape(ask: Exchange, row: Record) -> Record:
    return {
        "uuid": row["uuid"],
        "username": row["username"],
        "allocation": ask.link("slurm-allocations", row["allocation"]),
    }


def _allocation(ask: Exchange) -> Record:
    """By the resource's UUID: not there before the allocation is; 403, not 404, for strangers."""
    allocation = allocations.allocation_of(ask.store, plain_uuid(ask.uuid))
    if allocation is None:
        raise ask.missing("Resource")
    offering = ask.store.named("resources", allocation["resource"])["offering"]
    demand(manages(ask.store, ask.caller, offering))
    return allocation


def _association(ask: Exchange, allocation: Record) -> Record | None:
    username = ask.payload.get("username")
    if username is None:
        raise invalid(username="This field is required.")
    if not username:
        raise invalid(username="This field may not be blank.")
    return ask.store.find(
        "SELECT * FROM associations WHERE allocation = ? AND username = ?",
        allocation["uuid"],
        username,
    )

"""The stages of the exchanges about orders."""

import re
from uuid import uuid4

from tests.standin.rebuild import NOW, World, is_narrow, query_of, uuid_in
from tests.standin.recordings import Recording

ORDER_STATE_BEFORE: dict[tuple[str, int], str] = {
    ("approve_by_consumer", 200): "pending-consumer",
    ("approve_by_consumer", 409): "pending-provider",
    ("approve_by_provider", 200): "pending-provider",
    ("approve_by_provider", 403): "pending-provider",
    ("approve_by_provider", 404): "pending-provider",
    ("reject_by_provider", 200): "pending-provider",
    ("set_state_done", 200): "executing",
    ("set_state_erred", 200): "executing",
    ("set_state_erred", 405): "executing",
    ("set_state_erred", 500): "executing",
    ("set_state_executing", 200): "erred",
    ("cancel", 405): "executing",
}
"""Before an action; a refused one meets an order that is done."""


def orders(world: World, recording: Recording) -> None:
    if recording.method == "POST" and not recording.uuid:
        _an_order_to_come(world, recording)
    elif recording.method in ("POST", "PUT"):
        _order_to_act_on(world, recording)
    elif recording.status == 200 and recording.method == "GET" and not is_narrow(recording):
        for doc in recording.documents:
            world.order_from(doc)
    elif recording.status == 200 or recording.uuid:
        _narrow_orders(world, recording)
    if query_of(recording).get("page_size") == "1" or recording.method == "HEAD":
        _fill_pages(world, recording)


def _narrow_orders(world: World, recording: Recording) -> None:
    """What `field=` left of the orders, or an order that this caller may not see."""
    if recording.uuid and set(recording.uuid) != {"0"} and recording.uuid != "not-a-uuid":
        world.keep_resource(world.resource)
        world.keep_order(recording.uuid, world.resource)
    for doc in recording.documents:
        world.keep_resource(
            doc.get("marketplace_resource_uuid", world.resource),
            **({"name": doc["resource_name"]} if "resource_name" in doc else {}),
        )
        resource = doc.get("marketplace_resource_uuid", world.resource)
        known = ("type", "state", "limits", "error_message")
        world.keep_order(doc["uuid"], resource, **{key: doc[key] for key in known if key in doc})


def _fill_pages(world: World, recording: Recording) -> None:
    """As many orders as were counted; only the shown ones are known."""
    there = world.store.find("SELECT COUNT(*) AS n FROM orders") or {"n": 0}
    for _ in range(int(recording.headers.get("X-Result-Count", 5)) - there["n"]):
        world.keep_resource(world.resource)
        world.keep_order(uuid4().hex, world.resource)


def _an_order_to_come(world: World, recording: Recording) -> None:
    body = recording.body
    world.offering = uuid_in(body["offering"])
    world.project = uuid_in(body["project"])
    world.plan = uuid_in(body["plan"])
    doc = recording.documents[0] if recording.documents else {}
    world.places(doc)
    if world.is_bare:
        world.needs_limits(body["limits"])
        exceed_if_refused(world, recording)
    if doc:
        username, name = doc["created_by_username"], doc["created_by_full_name"]
        creator = uuid_in(doc["created_by"])
        world.is_really(recording.who, creator, username=username, full_name=name)
    if recording.who == "project-member":
        world.role(world.people["project-member"], "PROJECT.MEMBER", "project", world.project)
    if recording.who == "project-admin":
        world.role(world.people["project-admin"], "PROJECT.ADMIN", "project", world.project)


def exceed_if_refused(world: World, recording: Recording) -> None:
    """Another resource has all that the offering may give away."""
    threshold = re.search(r"exceeds threshold (\d+)", str(recording.response))
    if threshold is None:
        return
    component = world.component("mem", "MEM", "")
    world.keep("components", component, limit_amount=int(threshold[1]))
    columns = {"resource": uuid4().hex, "amount": int(threshold[1]), "modified": NOW}
    world.keep("quotas", uuid4().hex, component=component, **columns)


def _order_to_act_on(world: World, recording: Recording) -> None:
    kind = "Marketplace.Basic" if "Marketplace.Basic" in str(recording.response) else None
    world.places({"offering_type": kind} if kind else {})
    world.keep_resource(world.resource, state="Creating")
    state = ORDER_STATE_BEFORE.get((recording.action, recording.status), "done")
    world.keep_order(recording.uuid, world.resource, state=state)

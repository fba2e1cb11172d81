"""The stages of the exchanges about resources and their hidden allocations."""

from uuid import uuid4

from sandbox.waldur.store import Record
from sandbox.waldur.traits import set_trait
from tests.standin.rebuild import (
    ALLOCATION_STATES,
    SHORT_ROLES,
    World,
    allocation_state_before,
    is_narrow,
    query_of,
    uuid_in,
)
from tests.standin.recordings import Recording
from tests.standin.stage_orders import exceed_if_refused
from tests.standin.stage_people import offering_user_row
from tests.standin.stage_usage import keep_usage


def resources(world: World, recording: Recording) -> None:
    action = recording.action if recording.method == "POST" else ""
    if recording.method == "GET" and recording.action == "team":
        _team(world, recording)
    elif recording.method == "GET" and recording.action == "plan_periods":
        _plan_periods(world, recording)
    elif recording.method == "GET" and recording.action == "details":
        _details(world, recording)
    elif recording.method == "GET" and recording.documents and not is_narrow(recording):
        for doc in recording.documents:
            world.resource_from(doc)
    elif recording.method == "GET" and not recording.uuid:
        _narrow_resources(world, recording)
    else:
        _resource_to_act_on(world, recording, action)


def _narrow_resources(world: World, recording: Recording) -> None:
    """What `field=` left of them; where nothing came, one that only others may see."""
    for doc in recording.documents:
        world.places({"offering_type": doc["offering_type"]} if "offering_type" in doc else {})
        kept = ("name", "slug", "state", "backend_id", "limits", "backend_metadata")
        world.keep_resource(doc["uuid"], **{key: doc[key] for key in kept if key in doc})
        if doc.get("resource_uuid"):
            world.keep_allocation(doc["resource_uuid"], doc["uuid"])
    if not recording.documents and recording.status == 200 and not world.is_bare:
        world.keep_resource(
            world.resource, backend_id=query_of(recording).get("backend_id", "hpc_x")
        )


def _resource_to_act_on(world: World, recording: Recording, action: str) -> None:
    said = str(recording.response)
    columns: Record = {"limits": {"cpu": 1}}
    if recording.documents and recording.method == "PATCH":
        columns |= recording.documents[0]
    if "is not changed" in said:
        columns["backend_id"] = recording.body["backend_id"]
    if "exactly the same" in said:
        columns["limits"] = recording.body["limits"]
    if action == "terminate" and recording.status == 409:
        columns["state"] = "Updating"
    if action == "update_limits" and world.is_bare:
        world.needs_limits(recording.body["limits"])
        exceed_if_refused(world, recording)
    world.keep_resource(recording.uuid, **columns)
    if "Pending order" in said:
        world.keep_order(uuid4().hex, recording.uuid, type="Update", state="pending-provider")


def _team(world: World, recording: Recording) -> None:
    world.keep_resource(recording.uuid)
    for doc in recording.documents:
        user = world.user(doc["username"], doc["full_name"], uuid=doc["uuid"])
        world.role(user, SHORT_ROLES[doc["role"]], "project", world.project)
        if doc.get("offering_user_username") is not None:
            username = doc["offering_user_username"]
            world.keep("offering_users", uuid4().hex, **offering_user_row(world, user, username))


def _plan_periods(world: World, recording: Recording) -> None:
    world.keep_resource(recording.uuid)
    for doc in recording.documents:
        world.keep("plans", doc["plan_uuid"], offering=world.offering, name=doc["plan_name"])
        world.keep(
            "plan_periods",
            doc["uuid"],
            resource=recording.uuid,
            plan=doc["plan_uuid"],
            start=doc["start"],
            end=doc["end"],
        )
        for shown in doc["components"]:
            keep_usage(world, recording.uuid, shown, plan_period=doc["uuid"])


def _details(world: World, recording: Recording) -> None:
    world.keep_resource(recording.uuid)
    for doc in recording.documents:
        _allocation_from(world, doc)


def _allocation_from(world: World, doc: Record) -> None:
    world.offering = doc["marketplace_offering_uuid"]
    world.plan = doc["marketplace_plan_uuid"]
    world.project, world.customer = doc["project_uuid"], uuid_in(doc["customer"])
    world.places(
        {
            "offering_name": doc["marketplace_offering_name"],
            "category_uuid": doc["marketplace_category_uuid"],
            "category_title": doc["marketplace_category_name"],
            "customer_name": doc["customer_name"],
            "project_name": doc["project_name"],
            "offering_plugin_options": doc["marketplace_offering_plugin_options"],
        }
    )
    world.needs_limits({"mem": 1} if doc["is_limit_based"] and world.is_bare else {})
    world.keep("customers", world.customer, abbreviation=doc["customer_abbreviation"])
    resource = doc["marketplace_resource_uuid"]
    state = doc["marketplace_resource_state"]
    world.keep_resource(resource, name=doc["name"], state=state)
    number = ALLOCATION_STATES[doc["state"]]
    world.keep_allocation(doc["uuid"], resource, number, backend_id=doc["backend_id"])
    world.store.keep_setting("service_settings", doc["service_settings_uuid"])
    if doc["is_usage_based"]:
        world.component("node", "Node", "node-hours", "usage")


def slurm_remote(world: World, recording: Recording) -> None:
    world.keep_resource(recording.uuid)
    allocation = uuid4().hex
    world.keep_allocation(allocation, recording.uuid, allocation_state_before(recording))
    if recording.action == "set_limits" and world.is_bare:
        world.needs_limits(recording.body)
        set_trait(world.store, "every_component_has_a_price", recording.status != 500)
    already = "already exists" in str(recording.response)
    deleted = recording.action == "delete_association" and recording.status == 200
    if already or deleted:
        username = recording.body["username"]
        world.keep("associations", uuid4().hex, allocation=allocation, username=username)


def allocations(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        _allocation_from(world, doc)
    if not recording.documents:
        world.keep_resource(world.resource)
        world.keep_allocation(recording.uuid or None, world.resource)


def associations(world: World, recording: Recording) -> None:
    world.keep_resource(world.resource)
    linked = [uuid_in(doc["allocation"]) for doc in recording.documents]
    allocation = query_of(recording).get("allocation_uuid") or (linked or [uuid4().hex])[0]
    world.keep_allocation(allocation, world.resource)
    for doc in recording.documents:
        world.keep("associations", doc["uuid"], allocation=allocation, username=doc["username"])

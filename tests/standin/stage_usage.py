"""The stages of the exchanges about usage."""

from typing import Any
from uuid import uuid4

from sandbox.waldur.store import Record
from tests.standin.rebuild import NOW, World, query_of, uuid_in
from tests.standin.recordings import Recording


def keep_usage(world: World, resource: str, doc: Record, **more: Any) -> None:
    component = world.component(doc["type"], doc["name"], doc["measured_unit"])
    world.keep("components", component, name=doc["name"], measured_unit=doc["measured_unit"])
    world.keep_usage(
        doc["uuid"],
        resource,
        component,
        doc["usage"],
        description=doc["description"],
        recurring=int(doc["recurring"]),
        **more,
    )


def usages(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        if "resource_uuid" in doc:
            world.places(doc)
            world.resource = doc["resource_uuid"]
            world.keep_resource(world.resource, name=doc["resource_name"])
        else:
            world.resource = query_of(recording)["resource_uuid"]
            world.keep_resource(world.resource)
        keep_usage(world, world.resource, {**DEFAULTS_OF_USAGE, "uuid": uuid4().hex} | doc)
    if recording.action == "set_usage":
        _ready_for_usage(world, recording)
    elif recording.action == "set_user_usage":
        world.keep_resource(world.resource)
        component = world.component("cpu", "CPU", "k-Hours")
        world.keep_usage(recording.uuid, world.resource, component, "1.00")


DEFAULTS_OF_USAGE: Record = {
    "name": "CPU",
    "measured_unit": "k-Hours",
    "description": "",
    "recurring": False,
}


def _ready_for_usage(world: World, recording: Recording) -> None:
    invalid = "not in valid state" in str(recording.response)
    resource = recording.body.get("resource", world.resource)
    if "does not exist" in str(recording.response):
        return
    for item in recording.body["usages"] if world.is_bare else []:
        world.component(item["type"], item["type"].upper(), "", "usage")
    world.keep_resource(resource, state="Erred" if invalid else "OK")
    period = recording.body.get("plan_period", uuid4().hex)
    world.keep("plan_periods", period, resource=resource, plan=world.plan, start=NOW)


def user_usages(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        world.places(doc)
        world.keep_resource(doc["resource_uuid"], name=doc["resource_name"])
        kind = doc.get("component_type", "cpu")
        component = world.component(kind, kind.upper(), doc["measured_unit"])
        usage = uuid_in(doc["component_usage"])
        world.keep_usage(usage, doc["resource_uuid"], component, "1.00")
        world.keep(
            "user_usages",
            doc["uuid"],
            usage_of=usage,
            username=doc["username"],
            usage=doc["usage"],
            created=NOW,
            modified=NOW,
        )

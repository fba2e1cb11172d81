"""The stages of the exchanges about people, providers and offerings."""

from uuid import uuid4

from sandbox.waldur.store import Record
from tests.standin.rebuild import NOW, World, uuid_in
from tests.standin.recordings import Recording


def offering_user_row(world: World, user: str, username: str) -> Record:
    return {
        "offering": world.offering,
        "user": user,
        "username": username,
        "created": NOW,
        "modified": NOW,
    }


def offering_users(world: World, recording: Recording) -> None:
    for doc in recording.documents if recording.method != "POST" else []:
        _offering_user_from(world, doc)
    if recording.method == "POST" and not recording.uuid:
        _offering_user_to_come(world, recording)
    elif recording.uuid and not recording.documents:
        user = world.user("someone", "Some One")
        world.keep("offering_users", recording.uuid, **offering_user_row(world, user, ""))


def _offering_user_from(world: World, doc: Record) -> None:
    if "user_full_name" in doc:
        world.places(doc, customer_is_provider=True)
    username = doc.get("user_username", f"user-{doc['uuid'][:5]}")
    more = {"uuid": doc["user_uuid"]} if "user_uuid" in doc else {}
    user = world.user(username, doc.get("user_full_name", ""), **more)
    columns = offering_user_row(world, user, doc["username"])
    columns["propagation_date"] = doc.get("propagation_date")
    world.keep("offering_users", doc["uuid"], **columns)


def _offering_user_to_come(world: World, recording: Recording) -> None:
    world.offering = uuid_in(recording.body["offering"])
    doc = recording.documents[0] if recording.documents else {}
    world.places(doc, customer_is_provider=True)
    username, name = doc.get("user_username", "someone"), doc.get("user_full_name", "Some One")
    user = world.user(username, name, uuid=uuid_in(recording.body["user"]))
    if recording.status == 400:
        world.keep("offering_users", uuid4().hex, **offering_user_row(world, user, "taken"))


def offerings(world: World, recording: Recording) -> None:
    world.offering = recording.uuid
    for doc in recording.documents if recording.method == "GET" else []:
        _offering_from(world, doc)
    world.places({})
    if recording.status == 500:
        world.component("node", "Node", "node-h", "usage")


def _offering_from(world: World, doc: Record) -> None:
    world.provider = doc["customer_uuid"]
    world.plan = doc["plans"][0]["uuid"]
    world.keep("customers", world.provider, name=doc["customer_name"])
    for shown in doc["components"]:
        row = {key: shown[key] for key in shown if key not in ("factor", "is_builtin", "uuid")}
        row["is_boolean"] = int(row["is_boolean"])
        world.keep("components", shown["uuid"], offering=world.offering, **row)
    world.places(
        {
            "offering_name": doc["name"],
            "offering_type": doc["type"],
            "category_uuid": doc["category_uuid"],
            "category_title": doc["category_title"],
            "offering_plugin_options": doc["plugin_options"],
        }
    )
    world.keep("offerings", world.offering, slug=doc["slug"], state=doc["state"])


def service_providers(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        world.provider = doc["customer_uuid"]
        world.offering = uuid4().hex
        world.places({"provider_name": doc["customer_name"]})
        world.keep("service_providers", doc["uuid"], customer=world.provider, created=NOW)


def users(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        user = doc["uuid"]
        known = ("username", "slug", "full_name", "email")
        world.is_really(recording.who, user, **{key: doc[key] for key in known})
        for role in doc["permissions"]:
            world.provider = role["scope_uuid"]
            world.places({"provider_name": role["scope_name"]})
            columns = {"uuid": role["role_uuid"], "expiration_time": role["expiration_time"]}
            world.role(user, role["role_name"], "customer", world.provider, **columns)

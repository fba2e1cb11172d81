"""The stages of the exchanges about people, providers and offerings."""

from uuid import uuid4

from sandbox.waldur.people import USERS_OPTION
from sandbox.waldur.store import Record
from sandbox.waldur.traits import set_trait
from tests.standin.rebuild import NOW, SHORT_ROLES, World, uuid_in
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
    world.keep("offerings", world.offering, secret_options={USERS_OPTION: True})
    username, name = doc.get("user_username", "someone"), doc.get("user_full_name", "Some One")
    user = world.user(username, name, uuid=uuid_in(recording.body["user"]))
    if recording.status == 400:
        world.keep("offering_users", uuid4().hex, **offering_user_row(world, user, "taken"))


def offerings(world: World, recording: Recording) -> None:
    world.offering = recording.uuid
    for doc in recording.documents if recording.method == "GET" else []:
        _offering_from(world, doc)
    world.places({})
    if recording.action == "update_offering_component":
        told = recording.body
        columns = {"offering": world.offering, "type": told["type"], "billing_type": "usage"}
        world.keep("components", told["uuid"], **columns)
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
    if world.is_bare:
        _as_it_began(world, doc)


def _as_it_began(world: World, doc: Record) -> None:
    """Without options, without prices, and seen by an agent or not yet."""
    set_trait(world.store, "every_component_has_a_price", False)
    world.keep("plans", world.plan, name=doc["plans"][0]["name"])
    polled = {"Usage reporting": "usage_polled", "Order processing": "orders_polled"}
    seen = {
        polled[one["agent_type"]]: one["last_request_timestamp"]
        for one in doc.get("integration_status") or []
    }
    options = doc.get("secret_options", {})
    world.keep("offerings", world.offering, secret_options=options, **seen)


def service_providers(world: World, recording: Recording) -> None:
    if recording.action == "project_permissions":
        _memberships(world, recording)
        return
    for doc in recording.documents:
        world.provider = doc["customer_uuid"]
        world.offering = uuid4().hex
        world.places({"provider_name": doc["customer_name"]})
        world.keep("service_providers", doc["uuid"], customer=world.provider, created=NOW)


def _memberships(world: World, recording: Recording) -> None:
    world.keep("service_providers", recording.uuid, customer=world.provider, created=NOW)
    for doc in recording.documents:
        by = world.user(
            doc["created_by_username"],
            doc["created_by_full_name"],
            uuid=uuid_in(doc["created_by"]),
        )
        world.places(doc)
        world.keep_resource(world.resource)
        user = world.user(doc["user_username"], doc["user_full_name"], uuid=doc["user_uuid"])
        columns = {"created_by": by, "expiration_time": doc["expiration_time"]}
        world.role(user, SHORT_ROLES[doc["role"]], "project", world.project, **columns)
    for number in range(int(recording.headers.get("X-Result-Count", 0)) - len(recording.documents)):
        more = world.user(f"more-{number}", "One More")
        world.role(more, "PROJECT.MEMBER", "project", world.project)


def plans(world: World, recording: Recording) -> None:
    world.plan = recording.uuid
    world.places({})
    world.needs_limits(recording.body["prices"])


def users(world: World, recording: Recording) -> None:
    for doc in recording.documents:
        user = doc["uuid"]
        known = ("username", "slug", "full_name", "email", "token_lifetime", "agreement_date")
        world.is_really(recording.who, user, **{key: doc[key] for key in known})
        for role in doc["permissions"]:
            world.provider = role["scope_uuid"]
            world.places({"provider_name": role["scope_name"]})
            by = world.people["staff"]
            world.keep("users", by, full_name=role["created_by_full_name"])
            columns = {"uuid": role["role_uuid"], "expiration_time": role["expiration_time"]}
            columns["created_by"] = by
            world.role(user, role["role_name"], "customer", world.provider, **columns)

"""How an agent makes itself known to today's Waldur: identity, services, processors."""

from typing import Any

from sandbox.waldur.answers import Answer, invalid
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.pagination import paged
from sandbox.waldur.permissions import OFFERINGS, demand, manages
from sandbox.waldur.store import Record

MINE = f"t.offering IN {OFFERINGS}"
MY_IDENTITIES = f"SELECT t.uuid FROM identities t WHERE {MINE}"
OPTIONAL = ("version", "dependencies", "config_file_path", "config_file_content", "last_restarted")


def list_identities(ask: Exchange) -> Answer:
    wanted = Filter(ask, MINE)
    wanted.text("name", "t.name")
    wanted.text("version", "t.version")
    wanted.uuid("offering_uuid", "t.offering")
    return paged(ask, f"FROM identities t {wanted.where}", _identity_shape, **wanted.values)


def show_identity(ask: Exchange) -> Answer:
    return Answer(200, _identity_shape(ask, _identity(ask)))


def create_identity(ask: Exchange) -> Answer:
    offering = plain_uuid(str(_required(ask, "offering")))
    if ask.store.find("SELECT 1 FROM offerings WHERE uuid = ?", offering) is None:
        raise invalid(offering=f"Object with uuid={offering} does not exist.")
    demand(manages(ask.store, ask.caller, offering))
    name = _required(ask, "name")
    known = ask.store.find(
        "SELECT 1 FROM identities WHERE offering = ? AND name = ?", offering, name
    )
    if known:
        raise invalid(non_field_errors="The fields offering, name must make a unique set.")
    now = ask.store.stamp()
    made = ask.store.insert(
        "identities", offering=offering, name=name, created=now, modified=now, **_optional(ask)
    )
    return Answer(201, _identity_shape(ask, made))


def replace_identity(ask: Exchange) -> Answer:
    found = _identity(ask)
    columns = {"name": _required(ask, "name"), **_optional(ask)}
    ask.store.update("identities", found["uuid"], modified=ask.store.stamp(), **columns)
    return Answer(200, _identity_shape(ask, ask.store.named("identities", found["uuid"])))


def register_service(ask: Exchange) -> Answer:
    """Made once, found again by its name."""
    identity = _identity(ask)
    name = _required(ask, "name")
    return _registered(
        ask,
        "services",
        {"identity": identity["uuid"], "name": name},
        {"mode": ask.payload.get("mode"), "state": "Active"},
    )


def list_services(ask: Exchange) -> Answer:
    wanted = Filter(ask, f"t.identity IN ({MY_IDENTITIES})")
    wanted.uuid("identity_uuid", "t.identity")
    wanted.text("mode", "t.mode")
    return paged(ask, f"FROM services t {wanted.where}", _service_shape, **wanted.values)


def show_service(ask: Exchange) -> Answer:
    return Answer(200, _service_shape(ask, _service(ask)))


def register_processor(ask: Exchange) -> Answer:
    service = _service(ask)
    columns = {
        "backend_type": _required(ask, "backend_type"),
        "backend_version": ask.payload.get("backend_version"),
        "last_run": ask.store.stamp(),
    }
    key = {"service": service["uuid"], "name": _required(ask, "name")}
    return _registered(ask, "processors", key, columns)


def set_statistics(ask: Exchange) -> Answer:
    service = _service(ask)
    statistics = ask.payload.get("statistics", {})
    now = ask.store.stamp()
    ask.store.update("services", service["uuid"], statistics=statistics, modified=now)
    return Answer(200, _service_shape(ask, ask.store.named("services", service["uuid"])))


def list_processors(ask: Exchange) -> Answer:
    wanted = Filter(
        ask,
        f"t.service IN (SELECT uuid FROM services WHERE identity IN ({MY_IDENTITIES}))",
    )
    wanted.uuid("service_uuid", "t.service")
    return paged(ask, f"FROM processors t {wanted.where}", _processor_shape, **wanted.values)


def show_version(ask: Exchange) -> Answer:
    demand(ask.caller.is_staff)
    return Answer(200, {"version": "unknown"})


def _registered(ask: Exchange, table: str, key: Record, columns: Record) -> Answer:
    (scope, owner), (_, name) = key.items()
    known = ask.store.find(
        f"SELECT * FROM {table} WHERE {scope} = ? AND name = ?",
        owner,
        name,
    )
    now = ask.store.stamp()
    shape = _service_shape if table == "services" else _processor_shape
    if known:
        ask.store.update(table, known["uuid"], modified=now, **columns)
        return Answer(200, shape(ask, ask.store.named(table, known["uuid"])))
    return Answer(
        201, shape(ask, ask.store.insert(table, created=now, modified=now, **key, **columns))
    )


def _identity(ask: Exchange) -> Record:
    return ask.visible("identities", "AgentIdentity", MINE)


def _service(ask: Exchange) -> Record:
    return ask.visible("services", "AgentService", f"t.identity IN ({MY_IDENTITIES})")


def _required(ask: Exchange, key: str) -> Any:
    value = ask.payload.get(key)
    if not value:
        raise invalid(**{key: "This field is required."})
    return value


def _optional(ask: Exchange) -> Record:
    return {key: ask.payload[key] for key in OPTIONAL if key in ask.payload}


def _identity_shape(ask: Exchange, row: Record) -> Record:
    services = ask.store.rows("SELECT * FROM services WHERE identity = ?", row["uuid"])
    return {
        "uuid": row["uuid"],
        "url": ask.link("marketplace-site-agent-identities", row["uuid"]),
        "offering": row["offering"],
        "name": row["name"],
        "version": row["version"],
        "dependencies": row["dependencies"],
        "config_file_path": row["config_file_path"],
        "config_file_content": row["config_file_content"],
        "last_restarted": row["last_restarted"] or row["created"],
        "created_by": None,
        "created": row["created"],
        "modified": row["modified"],
        "services": [_nested_service(ask, service) for service in services],
        "compatibility": {"status": "unknown", "message": ""},
    }


def _nested_service(ask: Exchange, row: Record) -> Record:
    return {
        "uuid": row["uuid"],
        "url": ask.link("marketplace-site-agent-services", row["uuid"]),
        "name": row["name"],
        "mode": row["mode"],
        "state": row["state"],
        "statistics": row["statistics"],
        "created": row["created"],
        "modified": row["modified"],
    }


def _service_shape(ask: Exchange, row: Record) -> Record:
    processors = ask.store.rows("SELECT * FROM processors WHERE service = ?", row["uuid"])
    identity = ask.named("identities", row["identity"])
    return {
        **_nested_service(ask, row),
        "identity": identity["uuid"],
        "identity_name": identity["name"],
        "processors": [_nested_processor(ask, processor) for processor in processors],
    }


def _nested_processor(ask: Exchange, row: Record) -> Record:
    return {
        "uuid": row["uuid"],
        "url": ask.link("marketplace-site-agent-processors", row["uuid"]),
        "name": row["name"],
        "backend_type": row["backend_type"],
        "backend_version": row["backend_version"],
        "last_run": row["last_run"],
        "created": row["created"],
        "modified": row["modified"],
    }


def _processor_shape(ask: Exchange, row: Record) -> Record:
    service = ask.named("services", row["service"])
    return {
        **_nested_processor(ask, row),
        "service": service["uuid"],
        "service_name": service["name"],
    }

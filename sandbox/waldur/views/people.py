"""Offering users, the memberships of a whole service provider at once, and who one is."""

from collections.abc import Callable

from sandbox.waldur import people
from sandbox.waldur.answers import Answer, invalid, invalid_list, wrong_state
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import (
    OFFERINGS,
    OWNED,
    demand,
    manages,
    owns_customer,
    provides,
)
from sandbox.waldur.shapes.people import (
    offering_user_shape,
    permission_shape,
    project_account_shape,
    user_shape,
)
from sandbox.waldur.store import Record
from sandbox.waldur.traits import has_trait

USERNAME = 100
"""Its longest, in letters."""
LINKS = {"user": "/users", "offering": "/marketplace-provider-offerings"}
"""What stands before the UUID in a hyperlink to one."""
VISIBLE = f"t.offering IN {OFFERINGS} OR t.user = :me"


def show_me(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, user_shape(ask, ask.named("users", ask.caller.uuid))))


def list_offering_users(ask: Exchange) -> Answer:
    wanted = Filter(ask, VISIBLE)
    wanted.uuid("offering_uuid", "t.offering")
    wanted.uuid("user_uuid", "t.user")
    wanted.flag("is_restricted", "t.is_restricted")
    wanted.since("modified", "t.modified")
    if ask.dialect.is_today:
        wanted.choices("state", "t.state", people.STATES)
    return paged(ask, f"FROM offering_users t {wanted.where}", offering_user_shape, **wanted.values)


def list_project_accounts(kind: str) -> Callable[[Exchange], Answer]:
    """Accounts of one kind in the projects that have something of the offering."""

    def listed(ask: Exchange) -> Answer:
        offering = plain_uuid(ask.uuid)
        demand(provides(ask.store, ask.caller, offering))
        where = (
            "FROM project_accounts t WHERE t.kind = :kind AND t.project IN"
            " (SELECT project FROM resources WHERE offering = :offering)"
        )
        return paged(ask, where, project_account_shape, kind=kind, offering=offering)

    return listed


def show_offering_user(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, offering_user_shape(ask, _offering_user(ask))))


def create_offering_user(ask: Exchange) -> Answer:
    user, offering = (_linked(ask, key) for key in ("user", "offering"))
    demand(provides(ask.store, ask.caller, offering))
    if not people.makes_users(ask.store, ask.named("offerings", offering)):
        raise invalid_list("It is not allowed to create users for current offering.")
    if people.offering_user_of(ask.store, offering, user):
        raise invalid(non_field_errors="The fields offering, user must make a unique set.")
    username = ask.payload.get("username") or ""
    made = people.add_offering_user(ask.store, offering, user, username)
    return Answer(201, offering_user_shape(ask, made))


def edit_offering_user(ask: Exchange) -> Answer:
    found = _managed(ask)
    if "username" in ask.payload:
        username = ask.text("username", USERNAME) if ask.payload["username"] else ""
        people.rename(ask.store, found, username)
    return Answer(200, offering_user_shape(ask, ask.store.named("offering_users", found["uuid"])))


def replace_offering_user(ask: Exchange) -> Answer:
    _managed(ask)
    missing = [key for key in ("user", "offering") if key not in ask.payload]
    if missing:
        raise invalid(**dict.fromkeys(missing, "This field is required."))
    return edit_offering_user(ask)


def update_restricted(ask: Exchange) -> Answer:
    found = _managed(ask)
    if "is_restricted" not in ask.payload:
        raise invalid(is_restricted="This field is required.")
    restricted = int(bool(ask.payload["is_restricted"]))
    ask.store.update(
        "offering_users", found["uuid"], is_restricted=restricted, modified=ask.store.stamp()
    )
    return Answer()


def move_offering_user(action: str) -> Callable[[Exchange], Answer]:
    """The view of one step of an offering user's states (today)."""
    sources, target = people.TRANSITIONS[action]

    def move_it(ask: Exchange) -> Answer:
        found = _managed(ask)
        if found["state"] not in sources:
            raise wrong_state(*sources)
        said = {"comment": "", "comment_url": ""} if action == "set_validation_complete" else found
        ask.store.update(
            "offering_users",
            found["uuid"],
            state=target,
            comment=ask.payload.get("comment", said["comment"]),
            comment_url=ask.payload.get("comment_url", said["comment_url"]),
            modified=ask.store.stamp(),
        )
        return Answer()

    return move_it


def list_project_permissions(ask: Exchange) -> Answer:
    """Every member of every project that has something of a shared offering of this provider.

    Who has something of a private offering only is not in it, as if nobody were there.
    """
    provider = ask.visible("service_providers", "ServiceProvider", "1")
    demand(owns_customer(ask.store, ask.caller, provider["customer"]))
    demand(has_trait(ask.store, "bulk_memberships"))
    wanted = Filter(ask, "1")
    wanted.uuid("project_uuid", "t.scope")
    wanted.uuid("user_uuid", "t.user")
    # The plus keeps SQLite from going through the projects, which would then have to be sorted.
    wanted.add(
        "t.scope_type = 'project' AND +t.scope IN (SELECT project FROM resources WHERE"
        " state != 'Terminated' AND offering IN"
        " (SELECT uuid FROM offerings WHERE customer = :provider AND shared))"
    )
    return paged(
        ask,
        f"FROM roles t {wanted.where}",
        permission_shape,
        order=_order_of_memberships(ask),
        provider=provider["customer"],
        **wanted.values,
    )


def _order_of_memberships(ask: Exchange) -> str:
    if not has_trait(ask.store, "unordered_memberships"):
        return "t.id"
    page = int(ask.first("page") or 1)
    return f"t.created, (t.id * {page} * 7919) % 104729"


def list_service_providers(ask: Exchange) -> Answer:
    wanted = Filter(ask, f"1 OR t.customer IN {OWNED}")
    wanted.uuid("customer_uuid", "t.customer")
    return paged(
        ask, f"FROM service_providers t {wanted.where}", service_provider_shape, **wanted.values
    )


def service_provider_shape(ask: Exchange, row: Record) -> Record:
    customer = ask.named("customers", row["customer"])
    counted = ask.store.find(
        "SELECT COUNT(*) AS n FROM offerings WHERE customer = ?", customer["uuid"]
    )
    shown: Record = {
        "url": ask.link("marketplace-service-providers", row["uuid"]),
        "uuid": row["uuid"],
        "created": row["created"],
        "description": "",
        "enable_notifications": True,
        "customer": ask.link("customers", customer["uuid"]),
        "customer_name": customer["name"],
        "customer_uuid": customer["uuid"],
        "customer_image": None,
        "customer_abbreviation": customer["abbreviation"],
        "customer_native_name": "",
        "customer_country": "",
        "image": None,
        "offering_count": (counted or {"n": 0})["n"],
    }
    if ask.dialect.is_today:
        return shown | {"customer_slug": customer["slug"], "organization_groups": []}
    return shown | {"organization_group": None}


def _offering_user(ask: Exchange) -> Record:
    return ask.visible("offering_users", "OfferingUser", VISIBLE)


def _managed(ask: Exchange) -> Record:
    found = _offering_user(ask)
    demand(manages(ask.store, ask.caller, found["offering"]))
    return found


def _linked(ask: Exchange, key: str) -> str:
    link = ask.payload.get(key) or ask.payload.get(f"{key}_uuid")
    if not link:
        raise invalid(**{key: "This field is required."})
    collection, _, uuid = str(link).rstrip("/").rpartition("/")
    if "/" in str(link).rstrip("/") and not collection.endswith(LINKS[key]):
        raise invalid(**{key: "Invalid hyperlink - Incorrect URL match."})
    uuid = plain_uuid(uuid)
    if ask.store.find(f"SELECT 1 FROM {key}s WHERE uuid = ?", uuid) is None:
        raise invalid(**{key: "Invalid hyperlink - Object does not exist."})
    return uuid

"""Project members and the offering users that Waldur makes of them."""

from sandbox.waldur.store import Record, Store

STATES = (
    "Requested",
    "Creating",
    "Pending account linking",
    "Pending additional validation",
    "OK",
    "Requested deletion",
    "Deleting",
    "Deleted",
    "Error creating",
    "Error deleting",
)
USERS_OPTION = "service_provider_can_create_offering_user"
LINKING, VALIDATION = "Pending account linking", "Pending additional validation"
NAMED_IN = ("Requested", "Creating", LINKING, VALIDATION, "Error creating")
"""A username that is set in one of these states makes the account OK."""

TRANSITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "begin_creating": (("Requested", "Error creating"), "Creating"),
    "set_pending_account_linking": (("Creating", "Error creating", VALIDATION), LINKING),
    "set_pending_additional_validation": (("Creating", "Error creating", LINKING), VALIDATION),
    "set_validation_complete": ((VALIDATION, LINKING), "OK"),
    "set_ok": ((*NAMED_IN, "Error deleting", "Requested deletion", "Deleting"), "OK"),
    "set_error_creating": (("Requested", "Creating", LINKING, VALIDATION), "Error creating"),
    "request_deletion": (
        ("OK", "Creating", LINKING, VALIDATION, "Error creating"),
        "Requested deletion",
    ),
    "set_deleting": (("Requested deletion", "Error deleting"), "Deleting"),
    "set_deleted": (("Requested", "Deleting"), "Deleted"),
    "set_error_deleting": (("Requested deletion", "Deleting"), "Error deleting"),
}
"""Action: from which states, to which."""


def members_of(store: Store, project: str) -> list[Record]:
    """Users with a role in the project, with that role in `role`."""
    return store.rows(
        "SELECT u.*, r.role, r.expiration_time FROM roles r JOIN users u ON u.uuid = r.user"
        " WHERE r.scope = ? ORDER BY r.id",
        project,
    )


def add_offering_user(
    store: Store, offering: str, user: str, username: str = "", state: str | None = None
) -> Record:
    now = store.stamp()
    return store.insert(
        "offering_users",
        offering=offering,
        user=user,
        username=username,
        state=state or ("OK" if username else "Requested"),
        created=now,
        modified=now,
    )


def offering_user_of(store: Store, offering: str, user: str) -> Record | None:
    return store.find(
        "SELECT * FROM offering_users WHERE offering = ? AND user = ?", offering, user
    )


def makes_users(store: Store, offering: Record) -> bool:
    """Never unless the provider has said so: a new offering has no options at all."""
    return bool(offering[_users_option_in(store)].get(USERS_OPTION))


def let_make_users(store: Store, offering: str, permitted: bool) -> None:
    column = _users_option_in(store)
    options = store.named("offerings", offering)[column] | {USERS_OPTION: permitted}
    store.update("offerings", offering, **{column: options})


def carry_users_option(store: Store, permitted: dict[str, bool]) -> None:
    """After an upgrade to another dialect: what was permitted is, where it now stands."""
    for offering, is_permitted in permitted.items():
        let_make_users(store, offering, is_permitted)


def make_offering_users(store: Store, offering: str, project: str) -> None:
    """What Waldur does when an order is done: one for each member, without a username."""
    if not makes_users(store, store.named("offerings", offering)):
        return
    for member in members_of(store, project):
        known = offering_user_of(store, offering, member["uuid"])
        if known and known["state"] == "Requested deletion":
            back = "OK" if known["username"] else "Requested"
            store.update("offering_users", known["uuid"], state=back, modified=store.stamp())
        if known is None:
            made = add_offering_user(store, offering, member["uuid"])
            store.update("offering_users", made["uuid"], propagation_date=made["created"])


def rename(store: Store, offering_user: Record, username: str) -> None:
    """A username makes an account that was only asked for an account that is there."""
    state = offering_user["state"]
    if username and state in NAMED_IN:
        state = "OK"
    store.update(
        "offering_users",
        offering_user["uuid"],
        username=username,
        state=state,
        modified=store.stamp(),
    )


def release_offering_user(store: Store, offering: Record, user: str) -> None:
    """Where the offering asks for it, who has nothing there any more is on the way out (today)."""
    known = offering_user_of(store, offering["uuid"], user)
    wanted = offering["plugin_options"].get("offering_user_auto_deletion")
    if known is None or not wanted or not store.dialect.is_today:
        return
    has_resources = store.find(
        "SELECT 1 FROM resources r JOIN roles m ON m.scope = r.project"
        " WHERE m.user = ? AND r.offering = ? AND r.state != 'Terminated'",
        user,
        offering["uuid"],
    )
    if has_resources is None:
        state = "Deleted" if known["state"] == "Requested" else "Requested deletion"
        store.update("offering_users", known["uuid"], state=state, modified=store.stamp())


def _users_option_in(store: Store) -> str:
    """Where the offering keeps the option; the older dialects count it among the secrets."""
    return "plugin_options" if store.dialect.is_today else "secret_options"

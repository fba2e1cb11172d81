"""What an agent reports of each member of a resource, where the offering enables it (today)."""

from sandbox.waldur.answers import Answer, conflict
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.store import Record
from sandbox.waldur.views.resources import AS_PROVIDER


def set_membership_sync_statuses(ask: Exchange) -> Answer:
    """A complete report: afterwards Waldur holds exactly what was sent."""
    store = ask.store
    resource = ask.visible("resources", "Resource", AS_PROVIDER)
    options = ask.named("offerings", resource["offering"])["plugin_options"]
    if not options.get("enable_membership_sync_status"):
        raise conflict("Membership sync status is not enabled for this offering.")
    store.run("DELETE FROM membership_statuses WHERE resource = ?", resource["uuid"])
    stored, skipped = 0, []
    for entry in ask.payload.get("statuses", []):
        user = _resolved(ask, entry)
        if user is None:
            skipped.append(entry.get("username") or entry.get("user_uuid") or "")
            continue
        store.run(
            "INSERT INTO membership_statuses VALUES (?, ?, ?, ?, ?, ?)",
            resource["uuid"],
            entry.get("username", ""),
            user,
            entry.get("role_name", ""),
            entry.get("state", ""),
            entry.get("message", ""),
        )
        stored += 1
    store.update("resources", resource["uuid"], memberships_reported=store.stamp())
    return Answer(200, {"stored": stored, "skipped": skipped})


def _resolved(ask: Exchange, entry: Record) -> str | None:
    """By UUID, else by the name in Waldur, which is not the name in the offering."""
    found = ask.store.find("SELECT uuid FROM users WHERE uuid = ?", entry.get("user_uuid"))
    found = found or ask.store.find(
        "SELECT uuid FROM users WHERE username = ?", entry.get("username")
    )
    return None if found is None else str(found["uuid"])

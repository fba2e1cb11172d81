"""What Waldur holds, for a person: one table a topic."""

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.waldur.store import Store

Rows = Iterable[Iterable[object]]


def show(store: Store, topics: Iterable[str]) -> None:
    console = Console()
    for topic in topics:
        columns, rows = TOPICS[topic]
        table = Table(title=topic, title_justify="left")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows(store):
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        console.print(table)


def orders(store: Store) -> Rows:
    for row in store.rows(
        "SELECT t.*, r.name FROM orders t JOIN resources r ON r.uuid = t.resource ORDER BY t.id"
    ):
        yield (
            row["uuid"][:8],
            row["type"],
            row["name"],
            row["state"],
            _pairs(row["limits"]),
            row["error_message"],
        )


def resources(store: Store) -> Rows:
    flags = ("paused", "downscaled", "restrict_member_access")
    for row in store.rows(
        "SELECT t.*, p.name AS project_name FROM resources t"
        " JOIN projects p ON p.uuid = t.project ORDER BY t.id"
    ):
        yield (
            row["uuid"][:8],
            row["name"],
            row["project_name"],
            row["state"],
            row["backend_id"],
            _pairs(row["limits"]),
            " ".join(flag for flag in flags if row[flag]),
        )


def usage(store: Store) -> Rows:
    """The account's total first, then what of it is known by user."""
    for row in store.rows(
        "SELECT t.*, r.name, c.type FROM usages t JOIN resources r ON r.uuid = t.resource"
        " JOIN components c ON c.uuid = t.component ORDER BY t.billing_period, r.name, c.type"
    ):
        month = row["billing_period"][:7]
        yield month, row["name"], row["type"], "", row["usage"]
        for of_user in store.rows(
            "SELECT * FROM user_usages WHERE usage_of = ? ORDER BY username", row["uuid"]
        ):
            yield month, row["name"], row["type"], of_user["username"], of_user["usage"]


def users(store: Store) -> Rows:
    for row in store.rows(
        "SELECT p.name AS project, u.username AS waldur, o.username, o.state, o.is_restricted"
        " FROM roles r JOIN users u ON u.uuid = r.user JOIN projects p ON p.uuid = r.scope"
        " LEFT JOIN offering_users o ON o.user = u.uuid AND o.offering = ?"
        " ORDER BY p.name, u.username",
        store.offering_uuid,
    ):
        restricted = "restricted" if row["is_restricted"] else ""
        yield row["project"], row["waldur"], row["username"], row["state"], restricted


def agents(store: Store) -> Rows:
    for row in store.rows(
        "SELECT i.name, i.version, s.name AS service, s.mode, s.modified FROM identities i"
        " LEFT JOIN services s ON s.identity = i.uuid ORDER BY i.id, s.id"
    ):
        yield row["name"], row["version"], row["service"], row["mode"], row["modified"]


def requests(store: Store) -> Rows:
    for row in store.rows("SELECT * FROM (SELECT * FROM requests ORDER BY id DESC LIMIT 200)"):
        yield row["role"], row["method"], row["path"], row["query"], row["status"]


TOPICS: dict[str, tuple[tuple[str, ...], Callable[[Store], Rows]]] = {
    "orders": (("order", "type", "resource", "state", "limits", "error"), orders),
    "resources": (
        ("resource", "name", "project", "state", "backend id", "limits", "flags"),
        resources,
    ),
    "usage": (("month", "resource", "component", "user", "usage"), usage),
    "users": (("project", "user", "name in the offering", "state", ""), users),
    "agents": (("agent", "version", "service", "mode", "last seen"), agents),
    "requests": (("role", "method", "path", "query", "status"), requests),
}


def _pairs(limits: dict[str, object]) -> str:
    return " ".join(f"{kind}={amount}" for kind, amount in sorted(limits.items()))

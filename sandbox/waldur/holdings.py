"""What Waldur holds now, read straight from its state as plain dictionaries."""

from sandbox.waldur.allocations import NAMES
from sandbox.waldur.store import Record, Store


class Holdings:
    """Questions about the state; nothing here changes it."""

    store: Store

    def order(self, uuid: str) -> Record:
        return self.store.named("orders", uuid)

    def orders(self, resource: str | None = None) -> list[Record]:
        return self.store.rows(
            "SELECT * FROM orders WHERE resource = ? OR ? IS NULL ORDER BY id", resource, resource
        )

    def resource(self, uuid: str) -> Record:
        return self.store.named("resources", uuid)

    def resources(self) -> list[Record]:
        return self.store.rows("SELECT * FROM resources ORDER BY id")

    def allocation(self, resource: str) -> Record | None:
        """The hidden scope, with its state by name; None on today's Waldur."""
        found = self.store.find("SELECT * FROM allocations WHERE resource = ?", resource)
        return found and found | {"state": NAMES[found["state"]]}

    def associations(self, resource: str) -> list[str]:
        """Usernames that the agent reported to be in the account (older dialects)."""
        rows = self.store.rows(
            "SELECT t.username FROM associations t JOIN allocations a ON a.uuid = t.allocation"
            " WHERE a.resource = ? ORDER BY t.username",
            resource,
        )
        return [row["username"] for row in rows]

    def membership_statuses(self, resource: str) -> list[Record]:
        """What the agent reported of each member (today, where the offering enables it)."""
        return self.store.rows(
            "SELECT * FROM membership_statuses WHERE resource = ? ORDER BY username", resource
        )

    def usages(self, resource: str | None = None) -> list[Record]:
        """resource, type, billing_period (YYYY-MM-01), usage (text of two decimals), date."""
        return self.store.rows(
            "SELECT t.resource, c.type, t.billing_period, t.usage, t.date FROM usages t"
            " JOIN components c ON c.uuid = t.component"
            " WHERE t.resource = ? OR ? IS NULL"
            " ORDER BY t.billing_period, t.resource, c.type",
            resource,
            resource,
        )

    def user_usages(self, resource: str | None = None) -> list[Record]:
        return self.store.rows(
            "SELECT u.resource, c.type, u.billing_period, t.username, t.usage FROM user_usages t"
            " JOIN usages u ON u.uuid = t.usage_of JOIN components c ON c.uuid = u.component"
            " WHERE u.resource = ? OR ? IS NULL"
            " ORDER BY u.billing_period, u.resource, c.type, t.username",
            resource,
            resource,
        )

    def components(self) -> list[Record]:
        return self.store.rows(
            "SELECT * FROM components WHERE offering = ? ORDER BY type", self.store.offering_uuid
        )

    def offering_users(self) -> list[Record]:
        return self.store.rows(
            "SELECT * FROM offering_users WHERE offering = ? ORDER BY id",
            self.store.offering_uuid,
        )

    def members(self, project: str) -> list[str]:
        rows = self.store.rows("SELECT user FROM roles WHERE scope = ? ORDER BY id", project)
        return [row["user"] for row in rows]

    def agents(self) -> list[Record]:
        """Agent identities, each with its services (today)."""
        return [
            identity
            | {
                "services": self.store.rows(
                    "SELECT * FROM services WHERE identity = ? ORDER BY id", identity["uuid"]
                )
            }
            for identity in self.store.rows("SELECT * FROM identities ORDER BY id")
        ]

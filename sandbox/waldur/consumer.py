"""The customers' side: people and projects come and go, things are ordered, flags are set.

It works on the state itself, beside the server, and obeys the same rules as the endpoints.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.waldur import beginning, lifecycle, people
from sandbox.waldur.seeding import Seeding
from sandbox.waldur.store import Record, Store


@dataclass(frozen=True, slots=True)
class Order:
    uuid: str
    resource_uuid: str


class Consumer:
    """What the customers of the offering do; every call is one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def make_customer(self, name: str) -> str:
        with self.store.transaction():
            customer: str = beginning.make_customer(self.store, name)["uuid"]
            owner = self.store.setting("customer_owner")
            beginning.grant(self.store, owner, "CUSTOMER.OWNER", "customer", customer)
            return customer

    def make_project(self, customer: str, name: str) -> str:
        with self.store.transaction():
            project: str = self.store.insert(
                "projects",
                customer=customer,
                name=name,
                slug=self.store.slug("projects", name),
                created=self.store.stamp(),
            )["uuid"]
            return project

    def make_user(self, username: str, full_name: str = "") -> str:
        with self.store.transaction():
            user: str = beginning.make_user(
                self.store, username, full_name or f"{username.title()} User"
            )["uuid"]
            return user

    def add_member(self, project: str, user: str, role: str = "PROJECT.MEMBER") -> None:
        """An offering user follows at once where something of the project is OK, and only there.

        Who joins while all of it is Updating or Erred has none until the provider makes one.
        """
        with self.store.transaction():
            owner = self.store.setting("customer_owner")
            beginning.grant(self.store, user, role, "project", project, by=owner)
            offerings = self.store.rows(
                "SELECT DISTINCT offering FROM resources WHERE project = ? AND state = 'OK'",
                project,
            )
            for row in offerings:
                people.make_offering_users(self.store, row["offering"], project)

    def add_project_account(
        self, project: str, username: str, kind: str = "project_service"
    ) -> str:
        """An account of a service, or of a `course`, that is nobody's own (today)."""
        with self.store.transaction():
            now = self.store.stamp()
            made = self.store.insert(
                "project_accounts",
                project=project,
                kind=kind,
                username=username,
                created=now,
                modified=now,
            )
            uuid: str = made["uuid"]
            return uuid

    def remove_member(self, project: str, user: str) -> None:
        with self.store.transaction():
            self.store.run("DELETE FROM roles WHERE scope = ? AND user = ?", project, user)
            for offering in self.store.rows("SELECT * FROM offerings"):
                people.release_offering_user(self.store, offering, user)

    def set_offering_username(self, user: str, username: str) -> str:
        """Names the user in the offering, as an offering user if there is none yet."""
        with self.store.transaction():
            found = self._offering_user(user)
            people.rename(self.store, found, username)
            uuid: str = found["uuid"]
            return uuid

    def set_offering_user_state(self, user: str, state: str) -> None:
        with self.store.transaction():
            self.store.update("offering_users", self._offering_user(user)["uuid"], state=state)

    def restrict_offering_user(self, user: str, restricted: bool = True) -> None:
        with self.store.transaction():
            found = self._offering_user(user)
            self.store.update("offering_users", found["uuid"], is_restricted=int(restricted))

    def forget_offering_user(self, user: str) -> None:
        self.store.run(
            "DELETE FROM offering_users WHERE offering = ? AND user = ?",
            self.store.offering_uuid,
            user,
        )

    def order_create(
        self,
        project: str,
        name: str,
        limits: dict[str, int] | None = None,
        *,
        by: str | None = None,
        state: str = "pending-provider",
        attributes: Record | None = None,
    ) -> Order:
        """By the customer's owner; `state="pending-consumer"` is what a project's member gets."""
        with self.store.transaction():
            offering = self.store.offering_uuid
            plan = self.store.rows("SELECT uuid FROM plans WHERE offering = ?", offering)[0]
            order = lifecycle.place_creation(
                self.store,
                offering,
                plan["uuid"],
                project,
                by or self.store.setting("customer_owner"),
                wanted=dict(limits or {}),
                attributes={"name": name, **(attributes or {})},
                state=state,
            )
            return _placed(order)

    def order_update(
        self, resource: str, limits: dict[str, int], *, state: str = "pending-provider"
    ) -> Order:
        with self.store.transaction():
            found = self.store.named("resources", resource)
            owner = self.store.setting("customer_owner")
            wanted = dict(limits)
            return _placed(lifecycle.place_update(self.store, found, wanted, owner, state))

    def order_terminate(self, resource: str, *, state: str = "pending-provider") -> Order:
        """`state="pending-consumer"`: asked for by a member, and nobody has agreed yet."""
        with self.store.transaction():
            found = self.store.named("resources", resource)
            owner = self.store.setting("customer_owner")
            return _placed(lifecycle.place_termination(self.store, found, owner, state))

    def order_restore(self, resource: str) -> Order:
        with self.store.transaction():
            found = self.store.named("resources", resource)
            owner = self.store.setting("customer_owner")
            return _placed(lifecycle.place_restoration(self.store, found, owner))

    def approve_as_consumer(self, order: str) -> None:
        with self.store.transaction():
            lifecycle.approve_as_consumer(
                self.store, self.store.named("orders", order), self.store.setting("customer_owner")
            )

    def cancel(self, order: str) -> None:
        with self.store.transaction():
            lifecycle.cancel(self.store, self.store.named("orders", order))

    def set_flags(self, resource: str, **flags: bool) -> None:
        """paused, downscaled, restrict_member_access."""
        self.store.update(
            "resources", resource, **{flag: int(is_set) for flag, is_set in flags.items()}
        )

    def move_project(self, project: str, customer: str) -> None:
        """To another customer, with everything in it."""
        self.store.update("projects", project, customer=customer)

    def move_resource(self, resource: str, project: str) -> None:
        self.store.update("resources", resource, project=project, modified=self.store.stamp())

    def change(self, table: str, uuid: str, **columns: Any) -> None:
        """Anything else, as an administrator of Waldur could: names, states, backend ids."""
        self.store.update(table, uuid, **columns)

    def set_clock(self, moment: datetime | None) -> None:
        """The clock of Waldur goes on from this moment; None gives it back the real time."""
        offset = 0.0 if moment is None else (moment - datetime.now(UTC)).total_seconds()
        self.store.keep_setting("clock_offset", offset)

    def seed(
        self,
        resources: int,
        members_each: int = 5,
        projects: int | None = None,
        people: int | None = None,
    ) -> None:
        """Many resources at once: OK, with backend ids and named members.

        Unless `people` says how many there are, each is a member of some projects.
        """
        projects = projects or resources
        people = people or max(members_each, projects // 3)
        with self.store.transaction():
            Seeding(self.store, resources, members_each, projects, people).sow()

    def _offering_user(self, user: str) -> Record:
        offering = self.store.offering_uuid
        found = people.offering_user_of(self.store, offering, user)
        return found or people.add_offering_user(self.store, offering, user)


def _placed(order: Record) -> Order:
    return Order(order["uuid"], order["resource"])

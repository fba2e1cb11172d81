"""A site's worth of rows at once, straight into the state: what a test of scale starts from."""

from uuid import uuid4

from sandbox.waldur.store import Record, Store, stamp_of


class Seeding:
    """A site's worth of rows; customers hold ten projects, projects share one pool of people."""

    def __init__(
        self, store: Store, resources: int, members_each: int, projects: int, people: int
    ) -> None:
        self.store = store
        self.resources = resources
        self.members_each = members_each
        self.now = stamp_of(store.now())
        taken = store.find("SELECT COUNT(*) AS n FROM resources") or {"n": 0}
        self.first = taken["n"]
        self.customers = [uuid4().hex for _ in range(-(-projects // 10))]
        self.projects = [uuid4().hex for _ in range(projects)]
        self.people = [uuid4().hex for _ in range(people)]

    def sow(self) -> None:
        self._sow_places()
        self._sow_people()
        self._sow_resources()

    def _name(self, kind: str, number: int) -> str:
        return f"{kind}-{self.first + number}"

    def _sow_places(self) -> None:
        owner = self.store.setting("customer_owner")
        self.store.insert_many(
            "customers",
            [
                {
                    "uuid": uuid,
                    "name": self._name("Customer", number),
                    "slug": self._name("customer", number),
                    "created": self.now,
                }
                for number, uuid in enumerate(self.customers)
            ],
        )
        self.store.insert_many(
            "roles",
            [self._role(owner, "CUSTOMER.OWNER", "customer", uuid) for uuid in self.customers],
        )
        self.store.insert_many(
            "projects",
            [
                {
                    "uuid": uuid,
                    "customer": self.customers[number // 10],
                    "name": self._name("Project", number),
                    "slug": self._name("project", number),
                    "created": self.now,
                }
                for number, uuid in enumerate(self.projects)
            ],
        )

    def _sow_people(self) -> None:
        self.store.insert_many(
            "users",
            [
                {
                    "uuid": uuid,
                    "username": self._name("member", number),
                    "full_name": f"Member{number} User",
                    "email": self._name("member", number) + "@example.com",
                    "slug": self._name("member", number),
                    "token": uuid4().hex,
                    "label": "member",
                    "created": self.now,
                }
                for number, uuid in enumerate(self.people)
            ],
        )
        self.store.insert_many(
            "offering_users",
            [
                {
                    "uuid": uuid4().hex,
                    "offering": self.store.offering_uuid,
                    "user": uuid,
                    "username": self._name("user", number),
                    "state": "OK",
                    "created": self.now,
                    "modified": self.now,
                }
                for number, uuid in enumerate(self.people)
            ],
        )
        self.store.insert_many("roles", self._memberships())

    def _memberships(self) -> list[Record]:
        return [
            self._role(
                self.people[(number * self.members_each + turn) % len(self.people)],
                "PROJECT.MEMBER",
                "project",
                project,
            )
            for number, project in enumerate(self.projects)
            for turn in range(self.members_each)
        ]

    def _sow_resources(self) -> None:
        offering = self.store.offering_uuid
        plan = self.store.rows("SELECT uuid FROM plans WHERE offering = ?", offering)[0]["uuid"]
        owner = self.store.setting("customer_owner")
        rows = [self._resource(number, offering, plan) for number in range(self.resources)]
        self.store.insert_many("resources", rows)
        self.store.insert_many("orders", [self._order(row, owner) for row in rows])
        self.store.insert_many(
            "plan_periods",
            [
                {"uuid": uuid4().hex, "resource": row["uuid"], "plan": plan, "start": self.now}
                for row in rows
            ],
        )
        if self.store.dialect.hides_an_allocation:
            self.store.insert_many("allocations", [self._allocation(row) for row in rows])

    def _role(self, user: str, role: str, scope_type: str, scope: str) -> Record:
        return {
            "uuid": uuid4().hex,
            "user": user,
            "role": role,
            "scope_type": scope_type,
            "scope": scope,
            "created": self.now,
        }

    def _resource(self, number: int, offering: str, plan: str) -> Record:
        name = self._name("alloc", number)
        return {
            "uuid": uuid4().hex,
            "offering": offering,
            "project": self.projects[number % len(self.projects)],
            "plan": plan,
            "name": name,
            "slug": name,
            "state": "OK",
            "backend_id": f"hpc_{name}",
            "limits": {"cpu": 100, "mem": 200, "gpu": 10},
            "attributes": {"name": name},
            "created": self.now,
            "modified": self.now,
        }

    def _order(self, resource: Record, owner: str) -> Record:
        return {
            "uuid": uuid4().hex,
            "resource": resource["uuid"],
            "offering": resource["offering"],
            "project": resource["project"],
            "plan": resource["plan"],
            "type": "Create",
            "state": "done",
            "attributes": resource["attributes"],
            "limits": resource["limits"],
            "created_by": owner,
            "created": self.now,
            "modified": self.now,
        }

    def _allocation(self, resource: Record) -> Record:
        return {
            "uuid": uuid4().hex,
            "resource": resource["uuid"],
            "state": 3,
            "backend_id": resource["backend_id"],
            "visible_from": 0.0,
            "created": self.now,
            "modified": self.now,
        }

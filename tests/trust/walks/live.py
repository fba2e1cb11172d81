"""A site with a real Slurm and a served Waldur: the product's own clients between them.

Jobs are past ones, loaded into the accounting; Waldur's and the agent's clock are set, and go on.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sandbox.slurm import Cluster
from sandbox.slurm.history import load_jobs
from sandbox.slurm.history_jobs import COMPLETED, Job, Shape
from sandbox.waldur import Waldur
from tests.contract_waldur.sites import ServedSite
from tests.e2e.pull_on_slurm import CountingTransport, RealSlurm
from tests.fakes.pull import WALDUR_ACCOUNT
from tests.fakes.slurm import FakeJob
from tests.trust.walks.site import ADMIN, GPU, Held, WalkSite
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    Dialect,
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    Project,
    ProjectUuid,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import tres_name
from waldur_slurm.slurm.accounting.client import SlurmClient

NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
_FLAGS = {
    "is_paused": "paused",
    "is_downscaled": "downscaled",
    "is_restricted": "restrict_member_access",
}
_numbers = count(7_000_000)
_sites = count(1)


class LiveSite(WalkSite):
    gpu = ComponentType("gpu")
    hand: RealSlurm
    can_approach_an_edge = timedelta(minutes=30)

    def __init__(
        self, cluster: Cluster, waldur: Waldur, give_back: Callable[[Waldur], None]
    ) -> None:
        self._give_back = give_back
        self._number = next(_sites)
        self._cluster = cluster
        self._waldur = waldur
        self._served = ServedSite(waldur)
        self._customers: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._done: set[str] = set()
        self._seen: tuple[int, Mapping[AccountName, Account]] | None = None
        self.dialect = Dialect(waldur.dialect)
        self.jobs = []
        self.hand = RealSlurm(cluster)
        self.hand.qos = {"low"}
        self.hand.add_accounts([NewAccount(WALDUR_ACCOUNT, ROOT, "default", "root")])
        environ = {**cluster.environ, "PATH": "/usr/bin:/bin"}
        self._transport = CountingTransport(environ)
        self.slurm = SlurmClient(self._transport, cluster=ClusterName("lab"))
        self.waldur = self._served.market
        for held in waldur.components():
            billed = "limit" if held["type"] == self.gpu else "usage"
            waldur.change("components", held["uuid"], billing_type=billed)
        self._set_clock(NOON)
        self.begin(waldur.offering_uuid)

    def close(self) -> None:
        self._served.close()
        self._waldur.set_clock(None)
        self._give_back(self._waldur)

    def writes(self) -> tuple[object, ...]:
        changes = len(self._changes(self._transport))
        return changes, len(self._waldur.writes()), self.state["pull"].writes

    def look_at_orders(self) -> None:
        for order in self.all_orders():
            if order.state is OrderState.DONE and order.uuid not in self._done:
                self._done.add(order.uuid)
                self.on_done(order)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def wait(self, passed: timedelta) -> None:
        self._set_clock(self.now + passed)

    def _set_clock(self, moment: datetime) -> None:
        self._ahead = moment - datetime.now(UTC)
        self._waldur.set_clock(moment)

    # Customers

    def make_project(self, customer: str) -> None:
        if customer not in self._customers:
            self._customers[customer] = self._waldur.make_customer(customer)
        name = f"P{len(self.projects)}"
        self.projects.append(self._waldur.make_project(self._customers[customer], name))

    def join(self, project: str, name: str) -> None:
        if name not in self._people:
            self._people[name] = self._waldur.make_user(f"{name or 'nobody'}-at-home")
            if name:
                self._waldur.set_offering_username(self._people[name], name)
        if self._people[name] not in self._waldur.members(project):
            self._waldur.add_member(project, self._people[name])

    def leave(self, project: str, name: str) -> None:
        if name in self._people:
            self._waldur.remove_member(project, self._people[name])

    def name_user(self, name: str, username: str, *, is_usable: bool) -> None:
        if name in self._people:
            self._waldur.set_offering_username(self._people[name], username)
            self._waldur.restrict_offering_user(self._people[name], not is_usable)

    def forget_user(self, name: str) -> None:
        if name in self._people:
            self._waldur.forget_offering_user(self._people[name])

    def order_create(self, project: str, gpus: int, *, is_begun: bool) -> None:
        state = "pending-provider" if is_begun else "pending-consumer"
        self._waldur.order_create(project, f"alloc {gpus}", {self.gpu: gpus}, state=state)

    def order_update(self, resource: ResourceUuid, gpus: int) -> None:
        self._waldur.order_update(resource, {self.gpu: gpus})

    def order_terminate(self, resource: ResourceUuid) -> None:
        self._waldur.order_terminate(resource)

    def approve_as_consumer(self, order: OrderUuid) -> None:
        self._waldur.approve_as_consumer(order)

    def cancel(self, order: OrderUuid) -> None:
        self._waldur.cancel(order)

    def set_flag(self, resource: ResourceUuid, flag: str, *, is_on: bool) -> None:
        """The oldest servers have no flags: what was set there would reach no agent."""
        if self.dialect is not Dialect.CLASSIC:
            self._waldur.set_flags(resource, **{_FLAGS[flag]: is_on})

    # Jobs and administrators

    def submit(self, user: UserName, account: AccountName, gpus: int) -> None:
        """One that ran through the last hour, of somebody who may use the account."""
        if user not in self.accounts()[account].users:
            return
        end = self.now.replace(microsecond=0)
        amounts = {"cpu": 2, "mem": 3000, "node": 1, "billing": 1, str(GPU): gpus}
        held = {name: amount for name, amount in amounts.items() if amount}
        start, ended = int((end - HOUR).timestamp()), int(end.timestamp())
        shape = Shape(held, held)
        number = next(_numbers)
        job = Job(number, account, user, COMPLETED, start - 60, start, ended, shape)
        load_jobs(self._cluster, "lab", [job])
        allocated = {tres_name(name): amount for name, amount in held.items()}
        self.jobs.append(
            FakeJob(str(number), account, user, allocated, end - HOUR, end, "COMPLETED")
        )

    def end_jobs(self) -> None:
        """All have ended before they came here."""

    def make_foreign_account(self, name: AccountName, parent: AccountName) -> None:
        new = NewAccount(name, parent, "the admins'", "root", limits={GPU: 77})
        self.hand.add_accounts([new])
        self.hand.add_users({name: [ADMIN, UserName("ann")]})
        self.hand.set_user_hold(name, UserName("ann"), 7)

    def foreign_name(self, label: str) -> AccountName:
        return AccountName(f"adm{self._number}_{label}")

    # What can be seen

    def all_orders(self) -> list[Order]:
        projects = self._projects_by_uuid()
        return [
            Order(
                uuid=OrderUuid(row["uuid"]),
                type=OrderType(row["type"]),
                state=OrderState(row["state"]),
                created=datetime.fromisoformat(row["created"]),
                resource=ResourceUuid(row["resource"]),
                resource_name="",
                project=projects[row["project"]],
                limits=row["limits"],
            )
            for row in self._waldur.orders()
        ]

    def all_resources(self) -> list[Resource]:
        projects = self._projects_by_uuid()
        return [
            Resource(
                uuid=ResourceUuid(row["uuid"]),
                name=row["name"],
                slug=row["slug"],
                state=ResourceState(row["state"]),
                backend_id=row["backend_id"],
                project=projects[row["project"]],
                limits=row["limits"],
                is_paused=bool(row["paused"]),
                is_downscaled=bool(row["downscaled"]),
                is_restricted=bool(row["restrict_member_access"]),
            )
            for row in self._waldur.resources()
        ]

    def _projects_by_uuid(self) -> Mapping[str, Project]:
        unknown = {"slug": "", "customer_name": "", "customer_slug": ""}
        rows = self._waldur.store.rows("SELECT * FROM projects")
        return {
            row["uuid"]: Project(
                uuid=ProjectUuid(row["uuid"]),
                name=row["name"],
                customer_uuid=CustomerUuid(row["customer"]),
                **unknown,
            )
            for row in rows
        }

    def held(self) -> Held:
        return {
            (
                ResourceUuid(row["resource"]),
                ComponentType(row["type"]),
                Month.parse(row["billing_period"][:7]),
            ): Decimal(row["usage"])
            for row in self._waldur.usages()
        }

    def wanted_people(self, resource: Resource) -> frozenset[UserName]:
        team = set(self._waldur.members(resource.project.uuid))
        return frozenset(
            UserName(row["username"])
            for row in self._waldur.offering_users()
            if row["user"] in team
            and row["username"]
            and row["state"] == "OK"
            and not row["is_restricted"]
        )

    def team_names(self, resource: Resource) -> set[str]:
        names = {row["user"]: row["username"] for row in self._waldur.offering_users()}
        return {names.get(user, "") for user in self._waldur.members(resource.project.uuid)}

    def shown_people(self, resource: ResourceUuid) -> frozenset[str] | None:
        if self.dialect is Dialect.TODAY:
            return None
        return frozenset(self._waldur.associations(resource))

    def accounts(self) -> Mapping[AccountName, Account]:
        """Read again when anybody here has changed anything."""
        changes = len(self._changes(self._transport)) + len(self._changes(self.hand.transport))
        if self._seen is None or self._seen[0] != changes:
            self._seen = (changes, self.hand.read_snapshot().accounts)
        return self._seen[1]

    @staticmethod
    def _changes(transport: CountingTransport) -> list[tuple[str, ...]]:
        return [argv for argv in transport.commands if "--immediate" in argv]

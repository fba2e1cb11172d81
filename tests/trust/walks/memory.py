"""A site in memory, for many walks in little time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.fakes.pull import WALDUR_ACCOUNT
from tests.fakes.pull_worlds import scattered
from tests.fakes.slurm import FakeSlurm
from tests.fakes.waldur import FakeMarketplace, fake_marketplace
from tests.trust.walks.site import ADMIN, GPU, Held, WalkSite
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    OrderUuid,
    Project,
    Resource,
    ResourceUuid,
    UserUuid,
)
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, UserName


@dataclass
class WatchedMarketplace(FakeMarketplace):
    """Tells when an order is done, so that somebody looks at that very moment."""

    on_done: Callable[[Order], None] = print

    def complete(self, order: OrderUuid) -> None:
        super().complete(order)
        self.on_done(self.orders[order])


class MemorySite(WalkSite):
    gpu = ComponentType("gres/gpu")
    can_approach_an_edge = timedelta(minutes=2)

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.hand = self.slurm = self._slurm = FakeSlurm()
        self._slurm.qos |= {"low"}
        self._slurm.put(Account(WALDUR_ACCOUNT, "default", "root", parent=ROOT))
        self.jobs = self._slurm.jobs
        self.waldur = self._waldur = WatchedMarketplace(
            dialect=dialect,
            now=fake_marketplace().now,
            on_done=lambda order: self.on_done(order),
        )
        numbers: Any = map(scattered, count())
        self._waldur._numbers = numbers
        self._known_projects: dict[str, Project] = {}
        self._people: dict[str, UserUuid] = {}
        self.begin(self._waldur.offering.uuid)

    def writes(self) -> tuple[object, ...]:
        calls = self._slurm.calls.items()
        return (
            {name: n for name, n in calls if not name.startswith(("read", "may"))},
            len(self._waldur.writes),
            self.state["pull"].writes,
        )

    @property
    def now(self) -> datetime:
        return self._waldur.now

    def wait(self, passed: timedelta) -> None:
        self._waldur.now += passed
        self._slurm.tick(passed)

    # Customers

    def make_project(self, customer: str) -> None:
        project = self._waldur.make_project(f"P{len(self.projects)}", customer)
        self._known_projects[project.uuid] = project
        self.projects.append(project.uuid)

    def join(self, project: str, name: str) -> None:
        found = self._known_projects[project]
        if name not in self._people:
            self._people[name] = self._waldur.add_member(found, name)
            return
        self._waldur.members[found.uuid].add(self._people[name])
        if self._waldur._is_served(found.uuid):
            self._waldur._make_offering_users(found.uuid)

    def leave(self, project: str, name: str) -> None:
        if name in self._people:
            self._waldur.remove_member(self._known_projects[project], self._people[name])

    def name_user(self, name: str, username: str, *, is_usable: bool) -> None:
        if name in self._people:
            self._waldur.name_user(self._people[name], username, is_usable=is_usable)

    def forget_user(self, name: str) -> None:
        if name in self._people:
            self._waldur.offering_users.pop(self._people[name], None)

    def order_create(self, project: str, gpus: int, *, is_begun: bool) -> None:
        state = OrderState.PENDING_PROVIDER if is_begun else OrderState.PENDING_CONSUMER
        found = self._known_projects[project]
        self._waldur.place_create(found, f"alloc {gpus}", {self.gpu: gpus}, state)

    def order_update(self, resource: ResourceUuid, gpus: int) -> None:
        self._waldur.place_update(resource, {self.gpu: gpus})

    def order_terminate(self, resource: ResourceUuid) -> None:
        self._waldur.place_terminate(resource)

    def approve_as_consumer(self, order: OrderUuid) -> None:
        self._waldur.approve_as_consumer(order)

    def cancel(self, order: OrderUuid) -> None:
        self._waldur.reject(order)
        self._waldur._set_order(order, OrderState.CANCELED)

    def set_flag(self, resource: ResourceUuid, flag: str, *, is_on: bool) -> None:
        changed: dict[str, Any] = {flag: is_on}
        self._waldur.resources[resource] = replace(self._waldur.resources[resource], **changed)

    # Jobs and administrators

    def submit(self, user: UserName, account: AccountName, gpus: int) -> None:
        with suppress(CommandFailed):
            self._slurm.submit(user, account, {"cpu": 2, "mem": 3000, GPU: gpus})

    def end_jobs(self) -> None:
        for job in self.jobs:
            if job.state == "RUNNING":
                self._slurm.finish(job)

    def make_foreign_account(self, name: AccountName, parent: AccountName) -> None:
        people = (Association(ADMIN), Association(UserName("ann"), max_submit_jobs=7))
        self._slurm.put(
            Account(
                name, "the admins'", "root", parent=parent, limits={GPU: 77}, associations=people
            )
        )

    # What can be seen

    def all_orders(self) -> list[Order]:
        return list(self._waldur.orders.values())

    def all_resources(self) -> list[Resource]:
        return list(self._waldur.resources.values())

    def resource(self, uuid: ResourceUuid) -> Resource:
        return self._waldur.resources[uuid]

    def held(self) -> Held:
        return {key: usage.amount for key, usage in self._waldur.usages.items()}

    def wanted_people(self, resource: Resource) -> frozenset[UserName]:
        users = self._waldur.offering_users
        team = (users.get(user) for user in self._waldur.members[resource.project.uuid])
        return frozenset(UserName(p.username) for p in team if p is not None and p.is_usable)

    def team_names(self, resource: Resource) -> set[str]:
        users = self._waldur.offering_users
        team = self._waldur.members[resource.project.uuid]
        return {users[user].username if user in users else "" for user in team}

    def shown_people(self, resource: ResourceUuid) -> frozenset[str] | None:
        if self.dialect is Dialect.TODAY:
            return None
        return frozenset(self._waldur.associations.get(resource, set()))

    def accounts(self) -> Mapping[AccountName, Account]:
        """Without counting it as one of the agent's calls."""
        return self._slurm._snapshot(self._slurm._accounts).accounts

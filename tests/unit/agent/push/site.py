"""A site in memory for the push direction: a cluster, a marketplace and one clock for both."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.slurm import FakeJob, FakeSlurm
from tests.fakes.waldur import FakeMarketplace, Write, fake_marketplace
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, Resource, ResourceState
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import TresName, tres_name
from waldur_slurm.state import StateDirectory
from waldur_slurm.telemetry.events import Event

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
HOUR = timedelta(hours=1)

CPU, MEM, GPU = map(ComponentType, ("cpu", "mem", "gres/gpu"))


def component(name: str, billed: AccountingType, factor: int = 60) -> Component:
    return Component(
        tres=tres_name(name),
        type=ComponentType(name),
        label=name,
        measured_unit="hours",
        accounting_type=billed,
        limit=1000,
        unit_factor=Decimal(factor),
    )


COMPONENTS = (
    component("cpu", AccountingType.USAGE),
    component("mem", AccountingType.USAGE, 61440),
    component("gres/gpu", AccountingType.LIMIT),
)


@dataclass
class Site:
    """What both sides hold is set by hand; `told` is what push has written since `forget`."""

    state: StateDirectory
    waldur: FakeMarketplace
    slurm: FakeSlurm = field(default_factory=FakeSlurm)
    events: list[Event] = field(default_factory=list)
    policy: dict[str, Any] = field(default_factory=dict)
    _numbers: int = 0

    @property
    def now(self) -> datetime:
        return self.slurm.now

    def move_to(self, moment: datetime) -> None:
        self.slurm.now = self.waldur.now = moment

    def allocation(self, name: str, *users: str, **limits: int) -> Resource:
        """An allocation that both sides agree on, with its people."""
        project = self.waldur.make_project()
        for user in users:
            self.waldur.add_member(project, user)
        ordered = {"gres/gpu": limits["gpu"]} if "gpu" in limits else {}
        resource = self.waldur.make_resource(project, name, ordered, backend_id=name)
        if self.waldur.dialect is not Dialect.TODAY:
            self.waldur.associations[resource.uuid] = set(users)
        self.account(name, *users, **limits)
        return resource

    def account(self, name: str, *users: str, **limits: int) -> None:
        self.slurm.put(
            Account(
                AccountName(name),
                parent=ROOT,
                limits={tres_name("gres/gpu"): limits["gpu"] * 60} if "gpu" in limits else {},
                associations=tuple(Association(UserName(user)) for user in users),
            )
        )

    def drop_account(self, name: str) -> None:
        self.slurm.put(Account(AccountName(name)))

    def job(
        self,
        account: str,
        user: str,
        start: datetime,
        end: datetime | None = None,
        **tres: int,
    ) -> FakeJob:
        """A job of so many CPUs, GPUs and MiB; without `end` it runs."""
        self._numbers += 1
        given = {"cpu": 1, "node": 1} | tres
        amounts = {TresName("gres/gpu" if name == "gpu" else name): n for name, n in given.items()}
        job = FakeJob(
            str(self._numbers),
            AccountName(account),
            UserName(user),
            amounts,
            start=start,
            end=end,
            state="COMPLETED" if end else "RUNNING",
            submitted=start,
        )
        self.slurm.jobs.append(job)
        return job

    def cycle(self) -> PushCycle:
        return PushCycle(
            accounting=self.slurm,
            marketplace=self.waldur,
            components=COMPONENTS,
            policy=PushPolicy(**self.policy),
            state=self.state,
            sink=self.events.append,
            clock=lambda: self.now,
        )

    @property
    def told(self) -> list[Write]:
        return self.waldur.writes

    def forget(self) -> None:
        self.waldur.writes.clear()
        self.events.clear()

    def held(self, resource: Resource, kind: ComponentType, month: Month) -> Decimal | None:
        usage = self.waldur.usages.get((resource.uuid, kind, month))
        return usage.amount if usage else None

    def hold(self, resource: Resource, kind: ComponentType, month: Month, amount: str) -> None:
        self.waldur.hold_usage(resource.uuid, kind, month, Decimal(amount))

    def held_by(self, resource: Resource, user: str, kind: ComponentType = CPU) -> Decimal | None:
        for usage in self.waldur.user_usages.values():
            if (usage.resource, usage.username, usage.component) == (resource.uuid, user, kind):
                return usage.amount
        return None

    def state_of(self, resource: Resource) -> ResourceState:
        return self.waldur.resources[resource.uuid].state

    def heard(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]


def make_site(directory: Path, dialect: Dialect = Dialect.TODAY, **policy: Any) -> Site:
    site = Site(StateDirectory(directory), fake_marketplace(dialect), policy=policy)
    site.move_to(NOON)
    return site

"""A site in memory for the push direction: a cluster, a marketplace and one clock for both."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.makers import component
from tests.fakes.slurm import FakeJob, FakeSlurm
from tests.fakes.waldur import FakeMarketplace, Write, fake_marketplace
from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, Resource, ResourceState
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.journal import Journal
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

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
EDGE = datetime(2026, 11, 1, tzinfo=UTC)
"""Where October ends."""

CPU, MEM, GPU = map(ComponentType, ("cpu", "mem", "gres/gpu"))


COMPONENTS = (
    component("cpu", AccountingType.USAGE),
    component("mem", AccountingType.USAGE, factor=61440),
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


class Altered:
    """A marketplace of which a test gives some calls; all the others are its own."""

    def __init__(self, waldur: FakeMarketplace, **calls: Any) -> None:
        self._waldur = waldur
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls[name] if name in self._calls else getattr(self._waldur, name)


def with_a_debt(site: Site) -> Resource:
    """Six CPU hours of October that Waldur does not hold."""
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", EDGE - 3 * HOUR, EDGE, cpu=2)
    site.move_to(EDGE + 2 * HOUR)
    site.cycle().run()
    return alpha


def debts(site: Site) -> list[tuple[Month, str, Decimal]]:
    return [(o.month, o.component, o.measured) for o in Journal(site.state).read_owed()]


def with_two_rows(site: Site, first: str, second: str) -> Resource:
    """Two CPU hours were measured this month; the rows are of two plans."""
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.hold(alpha, CPU, NOVEMBER, first)
    row = site.waldur.usages[alpha.uuid, CPU, NOVEMBER]
    other = replace(row, uuid="another-row", amount=Decimal(second))
    site.waldur.usages_in_other_plans.append(other)
    return alpha


def with_totals(site: Site, first: str, second: str) -> Resource:
    """As today's newer servers do: what the plan before was billed, the second row, stays."""
    site.waldur.makes_totals = True
    site.policy["max_decrease"] = Fraction(1, 2)
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    return with_two_rows(site, first, second)


def with_a_job_over_the_edge(site: Site) -> Site:
    site.allocation("alpha", "ann", gpu=5)
    site.job("alpha", "ann", EDGE - 3 * HOUR, EDGE + HOUR, cpu=2, gpu=1)
    return site

"""A whole site in memory for the tests of pull: Slurm, Waldur, a clock, and a state that lasts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from tests.fakes.slurm import FakeSlurm
from tests.fakes.waldur import FakeMarketplace, fake_marketplace
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType, NotOrdered
from waldur_slurm.agent.model.marketplace import Dialect, Resource
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.guard.brake import Guarded
from waldur_slurm.agent.pull.news import CycleReport
from waldur_slurm.agent.pull.world.policy import NO_CONSENT, Consent, PullPolicy
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import Document
from waldur_slurm.telemetry.events import Event, Level

COMPONENTS = (
    Component(
        tres=tres_name("cpu"),
        type=ComponentType("cpu"),
        label="CPU",
        measured_unit="k-Hours",
        accounting_type=AccountingType.USAGE,
        limit=16,
        unit_factor=Decimal(60000),
    ),
    Component(
        tres=tres_name("gres/gpu"),
        type=ComponentType("gpu"),
        label="GPU",
        measured_unit="hours",
        accounting_type=AccountingType.LIMIT,
        limit=0,
        unit_factor=Decimal(60),
        when_not_ordered=NotOrdered.ZERO,
    ),
    Component(
        tres=tres_name("mem"),
        type=ComponentType("mem"),
        label="RAM",
        measured_unit="GiB-hours",
        accounting_type=AccountingType.LIMIT,
        limit=0,
        unit_factor=Decimal(61440),
    ),
)
WALDUR_ACCOUNT = AccountName("waldur")


@dataclass
class FakeState:
    documents: dict[str, Document] = field(default_factory=dict)
    writes: int = 0

    def read(self, name: str) -> Document:
        return self.documents.get(name, {})

    def replace(self, name: str, document: Document) -> None:
        self.documents[name] = document
        self.writes += 1


@dataclass
class FinalUsageDesk:
    """Takes last usages; `is_behind` while records are still on their way."""

    reported: list[tuple[str, str]] = field(default_factory=list)
    is_behind: bool = False
    in_doubt: AccountName | None = None
    """Whose records cannot be read."""

    def __call__(self, resource: Resource, account: AccountName) -> bool:
        if account == self.in_doubt:
            raise UnparsableOutput("no amount: '??'")
        if not self.is_behind:
            self.reported.append((resource.uuid, account))
        return not self.is_behind


@dataclass
class Site:
    """Both sides and what lies between two cycles."""

    waldur: FakeMarketplace
    slurm: FakeSlurm = field(default_factory=FakeSlurm)
    policy: PullPolicy = field(default_factory=PullPolicy)
    state: FakeState = field(default_factory=FakeState)
    desk: FinalUsageDesk = field(default_factory=FinalUsageDesk)
    events: list[Event] = field(default_factory=list)
    wrap_slurm: Callable[[Accounting], Accounting] = lambda accounting: accounting
    wrap_waldur: Callable[[Marketplace], Marketplace] = lambda marketplace: marketplace

    def __post_init__(self) -> None:
        if WALDUR_ACCOUNT not in self.slurm.read_snapshot().accounts:
            self.slurm.put(Account(WALDUR_ACCOUNT, "default", "root", parent=ROOT))

    def cycle(self) -> PullCycle:
        """A new process: it knows what the state and the two sides hold, and nothing else."""
        return PullCycle(
            accounting=self.wrap_slurm(self.slurm),
            marketplace=self.wrap_waldur(self.waldur),
            offering=self.waldur.offering.uuid,
            components=COMPONENTS,
            policy=self.policy,
            state=self.state,
            sink=self.events.append,
            clock=lambda: self.waldur.now,
            report_final_usage=self.desk,
            pause=lambda _seconds: None,
        )

    def run(self, consent: Consent = NO_CONSENT) -> CycleReport:
        return self.cycle().run(consent)

    def plan(self, consent: Consent = NO_CONSENT) -> Guarded:
        return self.cycle().plan(consent)

    def settle(self, cycles: int = 12) -> None:
        """Run until a cycle changes nothing, with time for jobs to go on in between."""
        for _ in range(cycles):
            if self.run().is_idle:
                return
            self.wait(timedelta(minutes=2))
        raise AssertionError("the site does not come to rest")

    def wait(self, passed: timedelta) -> None:
        self.waldur.now += passed
        self.slurm.tick(passed)

    def accounts(self) -> Mapping[AccountName, Account]:
        return self.slurm.read_snapshot().accounts

    def account_of(self, resource: str | None) -> Account:
        """The one account that carries the resource's mark."""
        mark = f"/{resource} "
        (account,) = (a for a in self.accounts().values() if mark in f"{a.description} ")
        return account

    def change_policy(self, **changes: object) -> None:
        self.policy = replace(self.policy, **changes)  # type: ignore[arg-type]  # a test's typo fails at once

    def said_at_info(self) -> list[Event]:
        return [event for event in self.events if event.level >= Level.INFO]


def new_site(dialect: Dialect = Dialect.TODAY) -> Site:
    return Site(fake_marketplace(dialect))


def served(site: Site, *people: str, limits: Mapping[str, object] | None = None) -> Resource:
    """An allocation that is there, with its people in it."""
    project = site.waldur.make_project()
    for user in people:
        site.waldur.add_member(project, user)
    order = site.waldur.place_create(project, "alloc", limits or {"gpu": 1})
    site.settle()
    assert order.resource is not None
    return site.waldur.resources[order.resource]

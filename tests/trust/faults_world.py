"""Both directions between a served Waldur and a Slurm in memory, and what may never be seen there.

The cycles are the product's own, over real HTTP; what is expected is told without their code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from sandbox.waldur import Waldur
from tests.contract_waldur.sites import PATIENT, ServedSite
from tests.fakes.makers import component
from tests.fakes.pull import WALDUR_ACCOUNT, FakeState
from tests.fakes.slurm import FakeJob, FakeSlurm
from waldur_slurm.agent.components_sync import apply_components, plan_components
from waldur_slurm.agent.model.components import AccountingType, NotOrdered
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.news import CycleReport as PullReport
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.news import CycleReport as PushReport
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.agent.waldur.transport import Bounds
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.tres import TresName, tres_name
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.telemetry.events import Event

NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GPU = tres_name("gres/gpu")
GPU_MINUTES = 60

Amounts = dict[tuple[str, str], Decimal]


COMPONENTS = (
    component("cpu", AccountingType.USAGE, factor=GPU_MINUTES),
    component("gpu", tres="gres/gpu", factor=GPU_MINUTES, when_not_ordered=NotOrdered.ZERO),
)


MANY_LIVES = Allowance(1_000, Fraction(0))
"""What is taken away in many flows one after the other; the brake would add them up for a day."""


@dataclass
class World:
    """One offering with its projects, people and jobs; each method of the first half is a deed."""

    waldur: Waldur
    slurm: FakeSlurm = field(default_factory=FakeSlurm)
    policy: PullPolicy = field(default_factory=PullPolicy)
    events: list[Event] = field(default_factory=list)
    usage: Amounts = field(default_factory=dict)
    """By resource and component, exactly."""
    usage_by_user: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Resources whose account somebody took away, so that they may be called erred."""
    batch: int = 8
    """How many spare allocations are made at once."""
    clock_error: timedelta = timedelta(0)
    """How far the agent's own clock is off."""
    seen_through: Callable[[FakeSlurm], Accounting] = lambda slurm: slurm

    def __post_init__(self) -> None:
        for held in self.waldur.components():
            billed = "limit" if held["type"] == "gpu" else "usage"
            self.waldur.change("components", held["uuid"], billing_type=billed)
        self.move_to(NOON)
        self.slurm.put(Account(WALDUR_ACCOUNT, "default", "root", parent=ROOT))
        self.served = ServedSite(self.waldur, bounds=PATIENT)
        self.pull_state, self.push_state = FakeState(), FakeState()
        self.customer = self.waldur.make_customer("Science")
        self._users: dict[str, str] = {}
        self._spare: list[str] = []

    def move_to(self, moment: datetime) -> None:
        self._moment, self._began = moment, datetime.now(UTC)
        self.waldur.set_clock(moment)

    def wait(self, passed: timedelta) -> None:
        self.move_to(self.now() + passed)

    def now(self) -> datetime:
        return self._moment + (datetime.now(UTC) - self._began)

    def restart(self, bounds: Bounds = PATIENT) -> None:
        """The agent as a new process: it knows what the two sides and the state hold."""
        self.served.close()
        self.served = ServedSite(self.waldur, bounds=bounds)

    # What people do

    def make_project(self, *usernames: str) -> str:
        project = self.waldur.make_project(self.customer, "Physics")
        for username in usernames:
            self.join(project, username)
        return project

    def join(self, project: str, username: str) -> None:
        if username not in self._users:
            self._users[username] = self.waldur.make_user(f"{username}-at-home")
            self.waldur.set_offering_username(self._users[username], username)
        self.waldur.add_member(project, self._users[username])

    def leave(self, project: str, username: str) -> None:
        self.waldur.remove_member(project, self._users[username])

    def order(self, project: str, gpu: int = 3) -> str:
        return self.waldur.order_create(project, "alloc", {"gpu": gpu}).resource_uuid

    def spare(self) -> str:
        """An allocation of ann and bob that is there already; they are made several at once."""
        if not self._spare:
            self._spare = [self.order(self.make_project("ann", "bob")) for _ in range(self.batch)]
            self.settle()
        return self._spare.pop()

    def job(self, resource: str, user: str, *, cpu: int, gpu: int, hours: int = 2) -> None:
        """A job that has ended, and what Waldur is to hold of it."""
        job = FakeJob(
            id=str(len(self.slurm.jobs) + 1),
            account=self.account(resource).name,
            user=UserName(user),
            allocated={TresName("cpu"): cpu, GPU: gpu, TresName("node"): 1},
            start=self.now() - 5 * HOUR,
            end=self.now() - 5 * HOUR + hours * HOUR,
            state="COMPLETED",
            submitted=self.now() - 5 * HOUR,
        )
        self.slurm.jobs.append(job)
        for kind, amount in (("cpu", cpu), ("gpu", gpu)):
            used = Decimal(amount * hours)
            self.usage[resource, kind] = self.usage.get((resource, kind), Decimal()) + used
            key = (resource, kind, user)
            self.usage_by_user[key] = self.usage_by_user.get(key, Decimal()) + used

    # What the agent does

    def pull(self) -> PullReport:
        return PullCycle(
            accounting=self._accounting(),
            marketplace=self.served.market,
            offering=self.waldur.offering_uuid,  # type: ignore[arg-type]  # text will do
            components=COMPONENTS,
            policy=self.policy,
            state=self.pull_state,
            sink=self.events.append,
            clock=self._agents_now,
            report_final_usage=FinalUsage(
                reader=self._push_cycle(self.pull_state).reader, sink=self.events.append
            ),
            pause=lambda _seconds: None,
        ).run()

    def push(self) -> PushReport:
        return self._push_cycle(self.push_state).run()

    def load_components(self) -> None:
        market = self.served.market
        apply_components(plan_components(market.read_offering().components, SOLD), market)

    def settle(self) -> None:
        for _ in range(10):
            if self.pull().is_idle:
                return
        raise AssertionError(f"it does not come to rest: {self.events[-5:]}")

    # What is there

    def accounts(self) -> dict[AccountName, Account]:
        return dict(self.slurm.read_snapshot().accounts)

    def marked(self, resource: str) -> list[Account]:
        return [a for a in self.accounts().values() if f"/{resource}" in a.description]

    def account(self, resource: str) -> Account:
        (account,) = self.marked(resource)
        return account

    def usage_in_waldur(self) -> Amounts:
        return {(u["resource"], u["type"]): Decimal(u["usage"]) for u in self.waldur.usages()}

    def usage_of(self, resource: str) -> Amounts:
        return {key: used for key, used in self.usage.items() if key[0] == resource}

    def user_usage_in_waldur(self) -> dict[tuple[str, str, str], Decimal]:
        return {
            (u["resource"], u["type"], u["username"]): Decimal(u["usage"])
            for u in self.waldur.user_usages()
        }

    def assert_nothing_false(self) -> None:
        """What no fault may bring about, not even for the time it lasts."""
        assert {order["state"] for order in self.waldur.orders()}.isdisjoint({"erred", "rejected"})
        for resource in self.waldur.resources():
            assert len(self.marked(resource["uuid"])) <= 1, "two accounts for one allocation"
            assert resource["state"] != "Erred" or resource["uuid"] in self.lost
        assert self.usage_in_waldur().items() <= self.usage.items(), "usage that nobody had"
        assert self.user_usage_in_waldur().items() <= self.usage_by_user.items()

    def _agents_now(self) -> datetime:
        return self.now() + self.clock_error

    def _accounting(self) -> Accounting:
        self.slurm.now = self.now()
        return self.seen_through(self.slurm)

    def _push_cycle(self, state: FakeState) -> PushCycle:
        return PushCycle(
            accounting=self._accounting(),
            marketplace=self.served.market,
            components=COMPONENTS,
            policy=PushPolicy(),
            state=state,
            sink=self.events.append,
            clock=self._agents_now,
        )


SOLD = (
    component("cpu", AccountingType.USAGE),
    component("node", AccountingType.USAGE),
)
"""What `load_components` brings to an offering: one component that is there, and a new one."""

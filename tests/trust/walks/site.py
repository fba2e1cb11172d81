"""A site to walk on: both sides, one clock, and the agent, which is a new process after a kill.

What customers, administrators and jobs do, and what can be seen of it, is told by the two kinds
of site: one in memory, and one with a real Slurm and a served Waldur.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.makers import component
from tests.fakes.pull import FakeState
from tests.fakes.pull_crash import Crash
from tests.fakes.slurm import FakeJob
from tests.trust.walks.trouble import SLURM, STATE, WALDUR, Calm, Gate, Trouble
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType, NotOrdered
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUuid,
    Order,
    OrderState,
    OrderUuid,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import Consent, PullPolicy
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.findings import Owed
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import tres_name
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.telemetry.events import Event

GPU, NODE = tres_name("gres/gpu"), tres_name("node")
GPU_MINUTES = 60
MOST_REMOVALS = 1
ADMIN = UserName("the-admin")
UTC_ZONE = ZoneInfo("UTC")
OPEN = (OrderState.PENDING_CONSUMER, OrderState.PENDING_PROVIDER, OrderState.EXECUTING)

Held = Mapping[tuple[ResourceUuid, ComponentType, Month], Decimal]


def components(gpu: str) -> tuple[Component, ...]:
    """What is sold; `gpu` is what Waldur calls the one that is billed by its limit."""
    return (
        component("cpu", AccountingType.USAGE, when_not_ordered=NotOrdered.ZERO),
        component("mem", AccountingType.USAGE, factor=61440, when_not_ordered=NotOrdered.ZERO),
        component(gpu, tres="gres/gpu", factor=GPU_MINUTES, when_not_ordered=NotOrdered.ZERO),
    )


POLICY = PullPolicy(
    require_unix_users=False,
    max_removals=Allowance(MOST_REMOVALS, Fraction(0)),
    max_terminations=2,
    downscaled_qos="low",
)


@dataclass(frozen=True)
class CycleEnd:
    """How a cycle ended. `is_whole`: it came to its end, and nothing failed."""

    is_whole: bool
    changes: int = 0

    @property
    def is_idle(self) -> bool:
        return self.is_whole and not self.changes


class WalkSite(ABC):
    dialect: Dialect
    gpu: ComponentType
    hand: Accounting
    """Slurm, as an administrator gets at it."""
    slurm: Accounting
    waldur: Marketplace
    jobs: list[FakeJob]
    projects: list[str]
    on_done: Callable[[Order], None]
    """Whoever looks when Waldur says that an order is done."""
    can_approach_an_edge: timedelta
    """How near to a month's end the clock may be set."""

    def begin(self, offering: str) -> None:
        self.offering = OfferingUuid(offering)
        self.components = components(self.gpu)
        self.events: list[Event] = []
        self.projects = []
        self.on_done = print
        self.trouble: Trouble = Calm()
        self.forget()

    def close(self) -> None:  # noqa: B027 - there may be nothing to let go of
        """Let go of connections."""

    # The agent

    def forget(self) -> None:
        """The state directories are lost; the agent starts with nothing."""
        self.state = {"pull": FakeState(), "push": FakeState()}
        self.restart()

    def restart(self) -> None:
        """A new process, which knows what the state and the two sides hold, and nothing else."""
        slurm: Any = Gate(SLURM, self.slurm, lambda: self.trouble)
        waldur: Any = Gate(WALDUR, self.waldur, lambda: self.trouble)
        state: Mapping[str, Any] = {
            direction: Gate(STATE, held, lambda: self.trouble)
            for direction, held in self.state.items()
        }

        def push_with(state: Any) -> PushCycle:
            return PushCycle(
                accounting=slurm,
                marketplace=waldur,
                components=self.components,
                policy=PushPolicy(),
                state=state,
                sink=self.events.append,
                clock=lambda: self.now,
            )

        self._push = push_with(state["push"])
        self._pull = PullCycle(
            accounting=slurm,
            marketplace=waldur,
            offering=self.offering,
            components=self.components,
            policy=POLICY,
            state=state["pull"],
            sink=self.events.append,
            clock=lambda: self.now,
            report_final_usage=FinalUsage(
                reader=push_with(state["pull"]).reader, sink=self.events.append
            ),
            pause=lambda _seconds: None,
        )

    def pull(self, trouble: Trouble, consent: Consent) -> CycleEnd:
        return self._run(trouble, lambda: self._pull.run(consent))

    def push(self, trouble: Trouble) -> CycleEnd:
        return self._run(trouble, self._push.run)

    def _run(self, trouble: Trouble, run: Callable[[], Any]) -> CycleEnd:
        self.trouble = trouble
        try:
            report = run()
        except Crash:
            self.restart()
            return CycleEnd(is_whole=False)
        except ExpectedError:
            return CycleEnd(is_whole=False)
        finally:
            self.trouble = Calm()
            self.look_at_orders()
        return CycleEnd(is_whole=not report.failures, changes=report.changes)

    def owed(self) -> tuple[Owed, ...]:
        return Journal(self.state["push"]).read_owed()

    def look_at_orders(self) -> None:  # noqa: B027 - a site may tell at the very moment instead
        """Tell of orders that are done since the last look."""

    @abstractmethod
    def writes(self) -> tuple[object, ...]:
        """Equal before and after a cycle that wrote nothing."""

    # Time

    @property
    @abstractmethod
    def now(self) -> datetime: ...

    @abstractmethod
    def wait(self, passed: timedelta) -> None: ...

    @property
    def month(self) -> Month:
        return Month.containing(self.now, UTC_ZONE)

    # Customers

    @abstractmethod
    def make_project(self, customer: str) -> None: ...

    @abstractmethod
    def join(self, project: str, name: str) -> None:
        """A blank name is somebody whom the provider has not named yet."""

    @abstractmethod
    def leave(self, project: str, name: str) -> None: ...

    @abstractmethod
    def name_user(self, name: str, username: str, *, is_usable: bool) -> None: ...

    @abstractmethod
    def forget_user(self, name: str) -> None:
        """Waldur deletes an offering user."""

    @abstractmethod
    def order_create(self, project: str, gpus: int, *, is_begun: bool) -> None:
        """`is_begun`: nobody on the customer's side has to approve it first."""

    @abstractmethod
    def order_update(self, resource: ResourceUuid, gpus: int) -> None: ...

    @abstractmethod
    def order_terminate(self, resource: ResourceUuid) -> None: ...

    @abstractmethod
    def approve_as_consumer(self, order: OrderUuid) -> None: ...

    @abstractmethod
    def cancel(self, order: OrderUuid) -> None: ...

    @abstractmethod
    def set_flag(self, resource: ResourceUuid, flag: str, *, is_on: bool) -> None: ...

    # Jobs and administrators

    @abstractmethod
    def submit(self, user: UserName, account: AccountName, gpus: int) -> None:
        """A job, where Slurm takes it."""

    @abstractmethod
    def end_jobs(self) -> None:
        """All that run come to their end."""

    @abstractmethod
    def make_foreign_account(self, name: AccountName, parent: AccountName) -> None:
        """An administrator's own."""

    def foreign_name(self, label: str) -> AccountName:
        """A name that nobody else gives."""
        return AccountName(f"adm_{label}")

    # What can be seen

    @abstractmethod
    def all_orders(self) -> list[Order]: ...

    @abstractmethod
    def all_resources(self) -> list[Resource]: ...

    @abstractmethod
    def held(self) -> Held:
        """Usage that Waldur holds."""

    @abstractmethod
    def wanted_people(self, resource: Resource) -> frozenset[UserName]:
        """Of the team, who has a user name that may be used."""

    @abstractmethod
    def team_names(self, resource: Resource) -> Set[str]:
        """The user names of the team, whatever they may be used for; empty for who has none."""

    @abstractmethod
    def shown_people(self, resource: ResourceUuid) -> frozenset[str] | None:
        """Whom Waldur shows in the allocation, where it shows anybody."""

    @abstractmethod
    def accounts(self) -> Mapping[AccountName, Account]: ...

    def open_orders(self, *states: OrderState) -> list[Order]:
        return [order for order in self.all_orders() if order.state in (states or OPEN)]

    def live_resources(self) -> Iterator[Resource]:
        return (r for r in self.all_resources() if r.state is not ResourceState.TERMINATED)

    def resource(self, uuid: ResourceUuid) -> Resource:
        return next(each for each in self.all_resources() if each.uuid == uuid)

    def orderable(self) -> list[ResourceUuid]:
        """Resources that may be ordered for: settled, and without an order in flight."""
        busy = {order.resource for order in self.open_orders()}
        settled = (r.uuid for r in self.all_resources() if r.state is ResourceState.OK)
        return [uuid for uuid in settled if uuid not in busy]

    def marked(self, resource: ResourceUuid) -> list[Account]:
        return [a for a in self.accounts().values() if f"/{resource} " in f"{a.description} "]

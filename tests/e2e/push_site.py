"""A real Slurm with jobs of our choosing, a served Waldur, and push between them.

Everybody's clock is set to one moment in the middle of a month; where no slurmctld takes part, it
is any month we like.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.slurm import Cluster
from sandbox.slurm.history import load_jobs
from sandbox.slurm.history_jobs import COMPLETED, Job, Shape
from sandbox.slurm.history_sums import exact_sums
from sandbox.waldur import Waldur
from tests.fakes.makers import component
from waldur_slurm.agent.model.components import AccountingType, Component
from waldur_slurm.agent.model.marketplace import OfferingUuid, OrderUuid, ResourceUuid
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.agent.waldur.client import WaldurMarketplace
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.state import StateDirectory
from waldur_slurm.telemetry.events import Event

NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")
GPU_MINUTES = 60

_accounts = count(1)
_numbers = count(5_000_000)

Amounts = Mapping[tuple[str, str], Decimal]


COMPONENTS = (
    component("cpu", AccountingType.USAGE),
    component("mem", AccountingType.USAGE, factor=61440),
    component("gpu", tres="gres/gpu", factor=GPU_MINUTES),
)


@dataclass
class PushSite:
    cluster: Cluster
    waldur: Waldur
    directory: Path
    moment: datetime = NOON
    events: list[Event] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    """What was started to ask Slurm, by any of this site's clients."""
    jobs: list[Job] = field(default_factory=list)
    components: tuple[Component, ...] = COMPONENTS
    is_staff: bool = False
    _people: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = datetime.now(UTC)
        for held in self.waldur.components():
            billed = "limit" if held["type"] == "gpu" else "usage"
            self.waldur.change("components", held["uuid"], billing_type=billed)
        self.move_to(self.moment)

    def move_to(self, moment: datetime) -> None:
        """Set the clock, which goes on from there."""
        self.moment, self.began = moment, datetime.now(UTC)
        self.waldur.set_clock(moment)

    def now(self) -> datetime:
        return self.moment + (datetime.now(UTC) - self.began)

    def slurm(self, **options: Any) -> SlurmClient:
        return SlurmClient(
            ListeningTransport(self, **options),
            cluster=ClusterName("lab"),
        )

    def marketplace(self) -> WaldurMarketplace:
        session = WaldurSession(
            self.waldur.url,
            self.waldur.tokens.staff if self.is_staff else self.waldur.tokens.provider,
            user_agent="waldur-slurm-agent/test (push; waldur-site-agent)",
            bounds=Bounds(connect=5.0, read=20.0, whole=30.0),
        )
        return WaldurMarketplace(session, OfferingUuid(self.waldur.offering_uuid))

    def cycle(self, **options: Any) -> PushCycle:
        return PushCycle(
            accounting=self.slurm(**options),
            marketplace=self.marketplace(),
            components=self.components,
            policy=PushPolicy(),
            state=StateDirectory(self.directory),
            sink=self.events.append,
            clock=self.now,
        )

    def allocate(self, *users: str, gpu: int) -> tuple[ResourceUuid, AccountName]:
        """An allocation as pull leaves it behind, in both systems."""
        name = AccountName(f"push_{next(_accounts):04}")
        customer = self.waldur.make_customer("Science")
        project = self.waldur.make_project(customer, f"Project of {name}")
        for user in users:
            self.waldur.add_member(project, self._person(user))
        order = self.waldur.order_create(project, name, {"gpu": gpu})
        self._complete(OrderUuid(order.uuid), ResourceUuid(order.resource_uuid), name)
        limits = {tres_name("gres/gpu"): gpu * GPU_MINUTES}
        slurm = self.slurm()
        slurm.add_accounts([NewAccount(name, ROOT, name, "root", limits=limits)])
        slurm.add_users({name: [UserName(user) for user in users]})
        return ResourceUuid(order.resource_uuid), name

    def _person(self, username: str) -> str:
        if username not in self._people:
            self._people[username] = self.waldur.make_user(f"{username}-at-home")
            self.waldur.set_offering_username(self._people[username], username)
        return self._people[username]

    def _complete(self, order: OrderUuid, resource: ResourceUuid, name: str) -> None:
        agent = self.marketplace()
        agent.approve_order(order)
        made = agent.read_resource(resource)
        agent.tell_backend_id(made, name)
        agent.tell_work_begun(made)
        agent.tell_resource_ok(made)
        agent.tell_order_done(order)

    def held_job(
        self, account: str, user: str, start: datetime, end: datetime, **tres: int
    ) -> None:
        """Load a job that ended; `gpu` stands for gres/gpu."""
        amounts = {"cpu": 1, "node": 1, "mem": 1024, "billing": 1} | tres
        named = {"gres/gpu" if name == "gpu" else name: n for name, n in amounts.items()}
        began, ended = int(start.timestamp()), int(end.timestamp())
        shape = Shape(named, named)
        number = next(_numbers)
        job = Job(number, account, user, COMPLETED, began - 60, began, ended, shape)
        load_jobs(self.cluster, "lab", [job])
        self.jobs.append(job)

    def known(self, account: str, month: str) -> dict[str, dict[str, Decimal]]:
        """What the jobs come to, by component and user, exactly."""
        found: dict[str, dict[str, Decimal]] = {}
        sums = exact_sums(self.jobs, UTC_ZONE, int(self.now().timestamp()))
        for sold in self.components:
            for share, seconds in sums.items():
                if (share.account, share.month, share.tres) == (account, month, sold.tres):
                    by_user = found.setdefault(sold.type, {})
                    by_user[share.user] = sold.to_usage(seconds)
        return found

    def usage(self, resource: str, month: str) -> dict[str, Decimal]:
        return {
            row["type"]: Decimal(row["usage"])
            for row in self.waldur.usages(resource)
            if row["billing_period"] == f"{month}-01"
        }

    def user_usage(self, resource: str, month: str) -> dict[str, dict[str, Decimal]]:
        found: dict[str, dict[str, Decimal]] = {}
        for row in self.waldur.user_usages(resource):
            if row["billing_period"] == f"{month}-01":
                found.setdefault(row["type"], {})[row["username"]] = Decimal(row["usage"])
        return found

    def limits(self, resource: str) -> dict[str, int]:
        found: dict[str, int] = self.waldur.resource(resource)["limits"]
        return found

    def told(self) -> list[str]:
        """Requests that may change something, since the last time this was asked."""
        written = [f"{one.method} {one.path}" for one in self.waldur.writes()]
        self.waldur.forget_requests()
        return written


class ListeningTransport(NativeTransport):
    """Keeps every command that it carries."""

    def __init__(self, site: PushSite, **options: Any) -> None:
        super().__init__({**site.cluster.environ, "PATH": "/usr/bin:/bin"}, **options)
        self._commands = site.commands

    def run(self, argv: tuple[str, ...], **more: Any) -> Completed:
        self._commands.append(argv)
        return super().run(argv, **more)

    def stream(self, argv: tuple[str, ...], **more: Any) -> Iterator[str]:
        self._commands.append(argv)
        return super().stream(argv, **more)

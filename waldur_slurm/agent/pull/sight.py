"""How far a cycle sees: both sides whole, or what some orders touch and nothing else."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from waldur_slurm.agent.model.marketplace import Order, ResourceUuid
from waldur_slurm.agent.pull.read import read_part_again, read_part_of_waldur, read_waldur
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.pull.world.touched import Background, touched_by
from waldur_slurm.agent.pull.world.world import Claims, WaldurSide
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.processes.at_once import at_once
from waldur_slurm.slurm.accounting.port import Accounting

Both = tuple[WaldurSide, timedelta, Snapshot]
"""Two sides, and by how much Waldur's clock differs from ours where that matters."""


class Sight(Protocol):
    """What both sides are asked for at the beginning of a cycle, and again after its work."""

    @property
    def is_partial(self) -> bool: ...

    @property
    def claims(self) -> Claims:
        """What is known from before of the names that are not looked at."""
        ...

    def read_both(self) -> Both: ...

    def read_waldur(self, before: WaldurSide) -> WaldurSide:
        """Read again what may have changed since `before` by what Waldur was told."""
        ...

    def read_slurm(self, waldur: WaldurSide) -> Snapshot: ...


@dataclass(frozen=True, slots=True)
class Everything:
    """All resources, and all accounts."""

    is_partial: ClassVar[bool] = False
    accounting: Accounting
    marketplace: Marketplace
    clock: Callable[[], datetime]

    @property
    def claims(self) -> Claims:
        return {}

    def read_both(self) -> Both:
        """At the same time: either side mostly waits for its own server."""
        (waldur, difference), snapshot = at_once(
            self._read_waldur_and_clock, self.accounting.read_snapshot
        )
        return waldur, difference, snapshot

    # What was read before restricts nothing here.
    def read_waldur(self, before: WaldurSide) -> WaldurSide:  # noqa: ARG002
        return read_waldur(self.marketplace)

    # What Waldur says restricts nothing here.
    def read_slurm(self, waldur: WaldurSide) -> Snapshot:  # noqa: ARG002
        return self.accounting.read_snapshot()

    def _read_waldur_and_clock(self) -> tuple[WaldurSide, timedelta]:
        waldur = read_waldur(self.marketplace)
        now = self.clock()
        return waldur, abs((self.marketplace.server_time or now) - now)


@dataclass(frozen=True, slots=True)
class Part:
    """Some resources with their orders and people, and the accounts that could be theirs."""

    is_partial: ClassVar[bool] = True
    accounting: Accounting
    marketplace: Marketplace
    policy: PullPolicy
    resources: Collection[ResourceUuid]
    orders: Collection[Order]
    """Those that have just been listed, for the first reading."""
    background: Background

    @property
    def claims(self) -> Claims:
        return self.background.claims

    def read_both(self) -> Both:
        waldur = read_part_of_waldur(self.marketplace, self.resources, self.orders)
        return waldur, timedelta(0), self.read_slurm(waldur)

    def read_waldur(self, before: WaldurSide) -> WaldurSide:
        return read_part_again(self.marketplace, before)

    def read_slurm(self, waldur: WaldurSide) -> Snapshot:
        places = self.background.places
        touched = touched_by(self.policy, waldur.resources, places)
        return self.accounting.read_part(touched.names, touched.is_told_by)

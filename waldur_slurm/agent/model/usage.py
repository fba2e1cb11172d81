"""What people held of a cluster: whole TRES-seconds, added up and never rounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from waldur_slurm.model.jobs import JobRecord, Run
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import Tres, TresName

CPU = TresName("cpu")
BILLING = TresName("billing")


class Share(NamedTuple):
    """One person's part of one account, for one TRES."""

    account: AccountName
    user: UserName
    tres: TresName


Tally = Mapping[Share, int]
"""TRES-seconds."""


class Basis(StrEnum):
    """Which of a job's figures is counted.

    `billing` counts Slurm's billing units (TRESBillingWeights) where `alloc` counts CPUs.
    """

    ALLOCATED = "alloc"
    REQUESTED = "req"
    BILLING = "billing"

    def amounts(self, record: JobRecord) -> Tres:
        """What the record counts for; nothing where nothing was allocated."""
        match self:
            case Basis.ALLOCATED:
                return record.allocated
            case Basis.REQUESTED:
                return record.requested if record.allocated else {}
            case Basis.BILLING:
                return {**record.allocated, CPU: record.allocated.get(BILLING, 0)}


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part of an allocation of which the accounting has no end: it counts if the job lives.

    `is_suspended`: by a suspension that nobody could tell the beginning of, and that still counts.
    """

    run: Run
    account: AccountName
    user: UserName
    held: Window
    seconds: int
    amounts: Tres
    is_suspended: bool

    def until(self, moment: datetime) -> "OpenPart":
        """Return it without what lies after `moment`."""
        held = self.held.before(moment)
        late = self.held.end - held.end
        return replace(self, held=held, seconds=max(0, self.seconds - int(late.total_seconds())))

    def shares(self) -> Iterator[tuple[Share, int]]:
        for tres, amount in self.amounts.items():
            yield Share(self.account, self.user, tres), amount * self.seconds


@dataclass(frozen=True, slots=True)
class Runaway:
    """An allocation without an end that slurmctld does not know; counted until it last did."""

    run: Run
    account: AccountName
    user: UserName
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was held in one window. An account named in `in_doubt` is unknown, with the reason."""

    window: Window
    tally: Tally
    in_doubt: Mapping[str, str] = field(default_factory=dict)
    unfinished: frozenset[AccountName] = frozenset()
    """Accounts with an allocation that has not ended."""
    runaways: tuple[Runaway, ...] = ()

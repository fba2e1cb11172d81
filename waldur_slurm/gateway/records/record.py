"""Jobs and users as the accounting's database numbers them, and what of them is asked for. Pure.

The two sources, sacct and the database itself, both give these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waldur_slurm.model.names import AccountName, UserName

STATES: Mapping[int, str] = {
    0: "PENDING",
    1: "RUNNING",
    2: "SUSPENDED",
    3: "COMPLETED",
    4: "CANCELLED",
    5: "FAILED",
    6: "TIMEOUT",
    7: "NODE_FAIL",
    8: "PREEMPTED",
    9: "BOOT_FAIL",
    10: "DEADLINE",
    11: "OUT_OF_MEMORY",
}
"""Slurm's own numbers of the base states, and its words."""

MOST_NUMBER = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Record:
    """One job. `memory_mib` is what it asked for on each node; None is what is not known."""

    number: int
    uid: int | None
    user: UserName
    association: int | None
    name: str
    cpus: int
    memory_mib: int | None
    account: AccountName
    hosts: str
    partition: str
    node_count: int
    limit_minutes: int | None
    submitted: datetime
    start: datetime | None
    end: datetime | None
    priority: int | None
    state: str
    """Slurm's base state, such as COMPLETED."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of jobs from `least` to `most`, both of them included; None is no bound."""

    least: int | None = None
    most: int | None = None

    def hold(self, number: int) -> bool:
        return (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most
        )

    @property
    def are_some(self) -> bool:
        """Whether any job of Slurm can have one of them."""
        least, most = max(self.least or 1, 1), MOST_NUMBER if self.most is None else self.most
        return least <= min(most, MOST_NUMBER)

    @property
    def only(self) -> int | None:
        """The one number that they are, where they are one."""
        return self.least if self.least is not None and self.least == self.most else None


@dataclass(frozen=True, slots=True)
class RecordsWanted:
    """What is None does not restrict; `owners` are those whose jobs whoever asks may see."""

    limit: int
    offset: int = 0
    user: UserName | None = None
    partition: str | None = None
    name: str | None = None
    association: int | None = None
    state: str | None = None
    numbers: Numbers = Numbers()
    owners: frozenset[UserName] | None = None
    hidden: frozenset[str] = frozenset()
    """Partitions whose jobs are left out."""

    def takes(self, record: Record) -> bool:
        return all(wanted in (None, found) for wanted, found in self._words(record)) and (
            self.numbers.hold(record.number)
            and (self.owners is None or record.user in self.owners)
            and (not self.hidden or not self.hidden.issuperset(record.partition.split(",")))
        )

    def _words(self, record: Record) -> Iterator[tuple[object, object]]:
        yield self.user, record.user
        yield self.partition, record.partition
        yield self.name, record.name
        yield self.association, record.association
        yield self.state, record.state


@dataclass(frozen=True, slots=True)
class Belonging:
    """A user's association with an account; an empty partition is all of them."""

    id: int
    user: UserName
    account: AccountName
    partition: str


FOREVER = timedelta(days=365)
"""How far back sacct is asked where nobody says otherwise."""

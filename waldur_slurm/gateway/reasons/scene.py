"""What is known of the cluster around a job, and may be shown to whoever asks. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.cluster import License, Node, Partition, Qos, Reservation
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import Phase
from waldur_slurm.model.live import LiveJob

_OUT = frozenset(
    {"DRAIN", "DOWN", "FAIL", "NOT_RESPONDING", "MAINTENANCE", "INVALID_REG", "UNKNOWN", "ERROR"}
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that tells why; `limit` and `used` where it is an amount that is reached."""

    about: str
    """What it is of: `node`, `partition`, `qos`, `account`, `reservation`, `license`, `job`."""
    name: str
    says: str
    limit: int | None = None
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """None is what is not known, or not shown to whoever asks."""

    now: datetime
    jobs: Sequence[LiveJob] = ()
    sees_all: bool = False
    """Whether `jobs` are everybody's, so that they can be counted."""
    nodes: tuple[Node, ...] | None = None
    partitions: tuple[Partition, ...] | None = None
    reservations: tuple[Reservation, ...] | None = None
    licenses: tuple[License, ...] | None = None
    qos: tuple[Qos, ...] | None = None

    def partitions_of(self, job: LiveJob) -> Iterator[Partition]:
        names = job.partition.split(",")
        return (each for each in self.partitions or () if each.name in names)

    def nodes_of(self, partition: Partition) -> list[Node]:
        return [node for node in self.nodes or () if partition.name in node.partitions]

    def holding(self, wanted: Callable[[LiveJob], bool]) -> list[LiveJob]:
        """Find those of the jobs that hold what they were given."""
        return [job for job in self.jobs if holds(job) and wanted(job)]


def holds(job: LiveJob) -> bool:
    return job.state.phase in (Phase.RUNNING, Phase.SUSPENDED)


def waits(job: LiveJob) -> bool:
    return job.state.phase is Phase.PENDING


def is_in_service(node: Node) -> bool:
    """Whether it can be given to jobs; one that sleeps to save power can."""
    return node.state.base not in _OUT and _OUT.isdisjoint(node.state.flags)


def hosts_in(text: str) -> tuple[str, ...]:
    """Read names of hosts, be there any; Slurm's words for them are not always whole."""
    try:
        return expand_hosts(text)
    except InvalidName:
        return ()


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def counted(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"

"""What the overview counts: how much there is, how much is given away, what waits and why. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from waldur_slurm.gateway.picture.counts import JobCounts, count_jobs
from waldur_slurm.model.cluster import Node
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.tres import tres_name

_GPU = tres_name("gres/gpu")
MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Amount:
    """What there is on nodes that are not down, and what of it is given to jobs."""

    have: int
    given: int

    @property
    def share(self) -> float | None:
        return self.given / self.have if self.have else None


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """`load` is the mean over nodes that are not down of what of each is fuller: CPUs or memory."""

    states: tuple[tuple[str, int], ...]
    nodes: int
    up: int
    load: float | None
    cpus: Amount
    memory: Amount
    gpus: Amount


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Tasks of an array that wait together are one job."""

    counts: JobCounts
    states: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]

    @property
    def all(self) -> int:
        return sum(number for _, number in self.states)


def machine_figures(nodes: Iterable[Node]) -> MachineFigures:
    every = tuple(nodes)
    up = [node for node in every if node.state.base != "DOWN"]
    states = Counter(str(node.state).lower() for node in every)
    loads = [_fullness(node) for node in up]
    return MachineFigures(
        states=tuple(states.most_common()),
        nodes=len(every),
        up=len(up),
        load=sum(loads) / len(loads) if loads else None,
        cpus=Amount(sum(n.cpus for n in up), sum(n.allocated_cpus for n in up)),
        memory=Amount(sum(n.memory_mib for n in up), sum(n.allocated_memory_mib for n in up)),
        gpus=Amount(
            sum(n.tres.get(_GPU, 0) for n in up), sum(n.allocated_tres.get(_GPU, 0) for n in up)
        ),
    )


def queue_figures(jobs: Iterable[LiveJob]) -> QueueFigures:
    every = tuple(jobs)
    counts = count_jobs(every)
    reasons = Counter(job.reason or "None" for job in every if job.state.base == "PENDING")
    return QueueFigures(
        counts, tuple(counts.by_state.most_common()), tuple(reasons.most_common(MOST_REASONS))
    )


def _fullness(node: Node) -> float:
    parts = [
        (node.allocated_cpus, node.cpus),
        (node.allocated_memory_mib, node.memory_mib),
    ]
    return max((given / have for given, have in parts if have), default=0.0)

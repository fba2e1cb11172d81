"""The facts of a cluster that tell why a job waits, by the kind of reason. Pure."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from waldur_slurm.gateway.reasons.quotas import limit_facts
from waldur_slurm.gateway.reasons.scene import (
    Fact,
    Scene,
    counted,
    holds,
    hosts_in,
    is_in_service,
    shown,
    waits,
)
from waldur_slurm.gateway.reasons.words import Category, meaning_of
from waldur_slurm.model.cluster import License, Node, Partition, Reservation
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.tres import tres_name

MOST_FACTS = 20

_GPU = tres_name("gres/gpu")
_QUEUED = frozenset(
    {Category.RESOURCES, Category.PRIORITY, Category.NODES, Category.LICENSES, Category.NONE}
)
_NAMED_NODES = re.compile(r"UnavailableNodes:(\S+)")
_DEPENDENCY = re.compile(r"([a-z]+):(\d+)(?:_(?:\*|\d+))?(?:\+\d+)?(?:\((\w+)\))?")
_LICENSE = re.compile(r"([^:,;|]+)(?::(\d+))?")


def facts_of(job: LiveJob, category: Category, scene: Scene) -> tuple[Fact, ...]:
    """Find what can be said; at most `MOST_FACTS`."""
    found = (fact for find in _FINDERS.get(category, ()) for fact in find(job, scene))
    return tuple(islice(found, MOST_FACTS))


def _room(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Tell what is free in its partitions; on nodes out of service nothing is."""
    for partition in scene.partitions_of(job):
        nodes = scene.nodes_of(partition)
        if not nodes:
            continue
        up = [node for node in nodes if is_in_service(node)]
        yield _free(partition, up, job)
        if len(up) < len(nodes):
            out = f"{len(nodes) - len(up)} of {len(nodes)}"
            says = f"Nodes of partition {partition.name} that are out of service: {out}."
            yield Fact("partition", partition.name, says, len(nodes), len(up))


def _free(partition: Partition, up: list[Node], job: LiveJob) -> Fact:
    cpus = sum(node.cpus for node in up)
    used = sum(node.allocated_cpus for node in up)
    asks = [counted(job.node_count, "node"), counted(job.cpus, "CPU")]
    idle = sum(not node.allocated_cpus for node in up)
    free = [f"{idle} of {len(up)} nodes", f"{cpus - used} of {cpus} CPUs"]
    gpus = job.tres.get(_GPU, 0)
    if gpus:
        have = sum(node.tres.get(_GPU, 0) for node in up)
        given = sum(node.allocated_tres.get(_GPU, 0) for node in up)
        free.append(f"{have - given} of {have} GPUs")
        asks.append(counted(gpus, "GPU"))
    says = (
        f"Partition {partition.name} has {', '.join(free)} free;"
        f" the job asks for {', '.join(asks)}."
    )
    return Fact("partition", partition.name, says, cpus, used)


def _maintenance(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Name reservations of others that begin before it could end, on nodes that it may use."""
    for partition in scene.partitions_of(job):
        own = set(hosts_in(partition.hosts))
        for each in scene.reservations or ():
            if each.name == job.reservation or each.end <= scene.now:
                continue
            if not own.isdisjoint(hosts_in(each.hosts)) and _is_in_the_way(job, each, scene):
                nodes = counted(each.node_count, "node")
                says = (
                    f"Reservation {each.name} has {nodes} from {shown(each.start)}"
                    f" to {shown(each.end)}."
                )
                yield Fact("reservation", each.name, says)


def _is_in_the_way(job: LiveJob, reservation: Reservation, scene: Scene) -> bool:
    left = (reservation.start - scene.now).total_seconds()
    return left <= 0 or job.limit_s is None or left < job.limit_s


def _before(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Count who is before it, where everybody's jobs are seen; of equals the first comes first."""
    if not scene.sees_all:
        return
    own, rank = set(job.partition.split(",")), (-job.priority, job.number)
    before = sum(
        _is_in_the_queue(other)
        and (-other.priority, other.number) < rank
        and not own.isdisjoint(other.partition.split(","))
        for other in scene.jobs
    )
    says = (
        f"Jobs before it that wait for {job.partition}: {before}. Its priority is {job.priority}."
    )
    yield Fact("partition", job.partition, says, used=before)


def _is_in_the_queue(job: LiveJob) -> bool:
    """Whether it would start if there were room; what is held or waits for others would not."""
    return waits(job) and meaning_of(job.reason).category in _QUEUED


def _dependencies(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    for kind, number, state in _DEPENDENCY.findall(job.dependency):
        others = [other for other in scene.jobs if other.id.number == int(number)]
        open_ones = [other for other in others if not other.state.is_terminal]
        words = [f"Job {number} ({kind}) is {_state(open_ones or others, state)}."]
        if ends := [other.end for other in open_ones if holds(other) and other.end]:
            words.append(f"It ends at {shown(max(ends))} at the latest.")
        yield Fact("job", number, " ".join(words))
    if "singleton" in job.dependency:
        alike = [
            other
            for other in scene.jobs
            if other.number != job.number and (other.user, other.name) == (job.user, job.name)
        ]
        before = sum(not other.state.is_terminal for other in alike)
        says = f"Other jobs of its owner and its name (singleton): {before}."
        yield Fact("job", job.name, says, used=before)


def _state(others: list[LiveJob], told: str) -> str:
    if others:
        return " and ".join(sorted({str(other.state) for other in others}))
    return told or "not known"


def _reservation(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    if not job.reservation or scene.reservations is None:
        return
    found = [each for each in scene.reservations if each.name == job.reservation]
    for each in found:
        times = f"from {shown(each.start)} to {shown(each.end)}"
        says = f"Reservation {each.name} is {each.state.lower()}, {times}."
        yield Fact("reservation", each.name, says)
    if not found:
        says = f"There is no reservation {job.reservation}, or it is hidden."
        yield Fact("reservation", job.reservation, says)


def _needed_nodes(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Name the nodes that Slurm names, or that the job does; others only if out of service."""
    told = _NAMED_NODES.search(job.reason)
    named = {*hosts_in(told[1] if told else ""), *hosts_in(job.requested_hosts)}
    for node in scene.nodes or ():
        if node.name in named and not is_in_service(node):
            why = f": {node.why.text}" if node.why else ""
            yield Fact("node", node.name, f"Node {node.name} is {node.state}{why}")
    if not named:
        yield from _room(job, scene)


def _partition_state(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    for partition in scene.partitions_of(job):
        says = f"Partition {partition.name} is {partition.state}."
        yield Fact("partition", partition.name, says)


def _partition_rules(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Name the bounds of its partitions which it is beyond."""
    for partition in scene.partitions_of(job):
        name, longest, most = partition.name, partition.max_time_s, partition.max_nodes
        if longest is not None and (job.limit_s is None or job.limit_s > longest):
            asked = "no limit" if job.limit_s is None else f"{job.limit_s // 60} minutes"
            says = f"Partition {name} allows {longest // 60} minutes; the job asks for {asked}."
            yield Fact("partition", name, says, longest, job.limit_s)
        if most is not None and job.node_count > most:
            says = f"Partition {name} allows {counted(most, 'node')}; it asks for {job.node_count}."
            yield Fact("partition", name, says, most, job.node_count)
        if job.node_count < partition.min_nodes:
            least = counted(partition.min_nodes, "node")
            says = f"Partition {name} wants at least {least}; it asks for {job.node_count}."
            yield Fact("partition", name, says, partition.min_nodes, job.node_count)


def _begin(job: LiveJob, _scene: Scene) -> Iterator[Fact]:
    if moment := job.start or job.eligible:
        yield Fact("job", str(job.id), f"It may begin at {shown(moment)}.")


def _licenses(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    have = {each.name: each for each in scene.licenses or ()}
    for name, number in _LICENSE.findall(job.licenses):
        found = have.get(name.partition("@")[0]) or have.get(name)
        if found:
            yield _license(found, int(number or 1))


def _license(each: License, asked: int) -> Fact:
    says = f"{each.free} of {each.total} licences {each.name} are free; the job asks for {asked}."
    return Fact("license", each.name, says, each.total, each.used)


def _demands(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    """Set what it asks of a node beside what the largest one has."""
    if job.features:
        yield Fact("job", str(job.id), f"It asks for nodes with {job.features}.")
    for partition in scene.partitions_of(job):
        if nodes := scene.nodes_of(partition):
            cpus = max(node.cpus for node in nodes)
            memory = max(node.memory_mib for node in nodes)
            says = (
                f"Partition {partition.name} has {counted(len(nodes), 'node')},"
                f" of at most {cpus} CPUs and {memory} MiB each."
            )
            yield Fact("partition", partition.name, says)


NEEDED: dict[Category, tuple[str, ...]] = {
    Category.RESOURCES: ("partitions", "nodes", "reservations"),
    Category.PRIORITY: ("partitions", "nodes"),
    Category.LIMIT: ("partitions", "qos"),
    Category.RESERVATION: ("reservations",),
    Category.NODES: ("partitions", "nodes", "reservations"),
    Category.PARTITION: ("partitions",),
    Category.LICENSES: ("licenses",),
    Category.IMPOSSIBLE: ("partitions", "nodes"),
}
"""What of a scene, beside jobs, each kind of reason looks at."""

Finder = Callable[[LiveJob, Scene], Iterator[Fact]]

_FINDERS: dict[Category, tuple[Finder, ...]] = {
    Category.RESOURCES: (_room, _maintenance),
    Category.PRIORITY: (_before, _room),
    Category.LIMIT: (limit_facts, _partition_rules),
    Category.DEPENDENCY: (_dependencies,),
    Category.RESERVATION: (_reservation,),
    Category.NODES: (_needed_nodes, _maintenance),
    Category.PARTITION: (_partition_state,),
    Category.BEGIN_TIME: (_begin,),
    Category.LICENSES: (_licenses,),
    Category.IMPOSSIBLE: (_partition_rules, _demands),
}

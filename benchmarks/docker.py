"""What the `docker` transport adds to a command, over the same command inside the same container.

Rule: the two are measured in turns, so that both meet the same machine.
"""

import shlex
import time
from collections.abc import Iterator
from datetime import timedelta

from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from sandbox.docker.cluster import ContainerCluster
from waldur_slurm.slurm.grammar.commands import ENVIRONMENT, show_clusters
from waldur_slurm.slurm.transports.docker import DockerTransport

MORE_MS = 80.0
LIFETIME = timedelta(minutes=20)
ROUNDS = 5


class NotAnswered(Exception):
    """A command that is to be timed did not end well."""


def measure_docker(scale: Scale) -> list[Row]:
    say(f"docker: {scale.commands} commands in a container of its own")
    through: list[float] = []
    inside: list[float] = []
    with ContainerCluster.start(tcp="stock", lifetime=LIFETIME) as cluster:
        transport = DockerTransport(cluster.container)
        through_seconds(transport)  # connects
        for _ in range(ROUNDS):
            each = max(1, scale.commands // ROUNDS)
            inside += inside_milliseconds(cluster, each)
            through += [through_seconds(transport) * 1000 for _ in range(each)]
        transport.close()
    native = sorted(inside)[len(inside) // 2]
    name = f"docker transport, {' '.join(show_clusters()[:1])}"
    return [
        Row(name=f"{name}: a command", unit="ms", samples=through),
        Row(name=f"{name}: the same inside the container", unit="ms", samples=inside),
        Row(
            name=f"{name}: what the transport adds",
            unit="ms",
            samples=[each - native for each in through],
            bound=MORE_MS,
        ),
    ]


def through_seconds(transport: DockerTransport) -> float:
    began = time.monotonic()
    completed = transport.run(show_clusters(), environ=ENVIRONMENT)
    if completed.code:
        raise NotAnswered(completed.err)
    return time.monotonic() - began


def inside_milliseconds(cluster: ContainerCluster, times: int) -> Iterator[float]:
    """Timed by bash in the container, without any of the engine."""
    command = shlex.join(show_clusters())
    loop = (
        f"for _ in $(seq {times}); do a=$EPOCHREALTIME; {command} >/dev/null || exit; "
        "echo $a $EPOCHREALTIME; done"
    )
    for line in cluster.must("bash", "-c", loop, timeout=600).splitlines():
        began, ended = map(float, line.split())
        yield (ended - began) * 1000

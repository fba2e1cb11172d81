"""Many who follow events of a quiet cluster: what they add, and how soon they end with it."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.gateway.bed import Bed, NotServed
from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.places import PROJECT

MOST_ADDED_MB = 80.0
MOST_ENDING_S = 2.0
WHY_LARGE = "each stream is a task and a connection of its own, some 40 kB of Python objects"


def measure_streams(bed: Bed, scale: Scale) -> Iterator[Row]:
    with bed.running() as gateway:
        gateway.get("/api/v1/jobs?limit=1")
        before = gateway.resident_megabytes
        client = (sys.executable, "-m", "benchmarks.gateway.clients.idle_streams")
        argv = (*client, str(gateway.port), str(scale.streams))
        with subprocess.Popen(
            argv, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as streams:
            if streams.stdout is None or streams.stdout.readline() != f"{scale.streams}\n":
                raise NotServed("not every stream was opened")
            with_all = gateway.resident_megabytes
            ended = gateway.stop()
            streams.communicate()
    name = f"gateway: {scale.streams:,} idle event streams"
    added = [with_all - before]
    yield Row(
        name=f"{name}: what they add",
        unit="MB",
        samples=added,
        bound=MOST_ADDED_MB,
        reason=WHY_LARGE,
    )
    yield Row(name=f"{name}: resident with them", unit="MB", samples=[with_all])
    yield Row(
        name=f"{name}: ended by SIGTERM",
        unit="s",
        samples=[ended],
        bound=MOST_ENDING_S,
        reason="answers under way are given two seconds, and the database is closed after them",
    )

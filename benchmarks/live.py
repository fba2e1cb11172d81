"""Reading the whole queue: beside the bare squeue that prints the same columns, at two sizes.

The jobs are tasks of one held array that were taken apart, so that each is a row of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from tests.places import PROJECT

MOST_TIMES_BARE = 2.0
MOST_MEGABYTES = 150.0
FILL_S = 300.0
ROOM = {"MaxArraySize": "60001", "MaxJobCount": "60000"}


class Told(TypedDict):
    """What a reader says at its end."""

    jobs: int
    bare: list[float]
    walls: list[float]
    own: list[float]
    peak: float


def measure_live(scale: Scale) -> Iterator[Row]:
    for jobs in (scale.queued_jobs, scale.many_queued_jobs):
        with own_directory() as directory:
            options = ClusterOptions(slurm_conf=ROOM, lifetime=timedelta(hours=1))
            cluster = Cluster.start(directory / "slurm", options)
            try:
                fill(cluster, jobs)
                yield from measure_reading(cluster, jobs, scale.runs)
            finally:
                cluster.wipe()


def fill(cluster: Cluster, jobs: int) -> None:
    """Queue so many more."""
    say(f"queueing {jobs:,} jobs")
    for what in (("account", "physics"), ("user", "root", "account=physics")):
        cluster.run("sacctmgr", "--immediate", "add", *what)  # they may be there
    output = "--output=/scratch/project_%A/results/slurm-%A_%a.out"
    comment = "--comment=a mark of 36 characters, as uuids are"
    tasks = f"--array=0-{jobs - 1}"
    array = cluster.submit(None, "physics", "true", "--hold", tasks, output, comment)
    others = f"jobid={array}_[1-{jobs - 1}]"
    cluster.must("scontrol", "update", others, "comment=taken apart", timeout=FILL_S)


def measure_reading(cluster: Cluster, jobs: int, runs: int) -> Iterator[Row]:
    told = read(cluster, runs)
    if told["jobs"] != jobs:
        raise AssertionError(f"{told['jobs']} jobs were read, not {jobs}")
    name = f"live: {jobs:,} jobs"
    yield Row(
        name=f"{name} read",
        unit="s",
        samples=told["walls"],
        floor=told["bare"],
        bound=MOST_TIMES_BARE,
    )
    yield Row(name=f"{name}, peak", unit="MB", samples=[told["peak"]], bound=MOST_MEGABYTES)
    a_row = [1e6 * seconds / jobs for seconds in told["own"]]
    yield Row(name=f"{name}, own CPU a row", unit="us", samples=a_row)


def read(cluster: Cluster, runs: int) -> Told:
    """Have a process of its own read the queue again and again, as a service does."""
    reader = (sys.executable, "-m", "benchmarks.read_queue", str(runs))
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}  # noqa: TID251 - where Slurm's tools lie here
    done = subprocess.run(
        reader, env={**path, **cluster.environ}, cwd=Path(PROJECT), capture_output=True, check=True
    )
    told: Told = json.loads(done.stdout)
    return told

"""The gateway beside bare squeue: fifty clients who ask for the first time, and some who go on."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.live import ROOM, fill
from benchmarks.proc import peak_megabytes
from benchmarks.read_queue import seconds_of_squeue
from benchmarks.rows import Row
from benchmarks.scale import Scale
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.ports import claim_ports
from tests.places import PROJECT

GATEWAY = (sys.executable, "-m", "waldur_slurm.gateway.main")
NOTHING: Mapping[str, str] = {}
CLIENTS = 50
MOST_TIMES_BARE = 6.0
AT_MOST_MS = {"unchanged": 1000 / 2500, "a page of 100": 1000 / 1500}
"""For each answer, doors included: 2,500 and 1,500 a second, beside the client that asks."""
ANSWERS = 4000
FULL_SIZE = Scale().queued_jobs
"""With fewer jobs the fifty connections weigh more than the list."""


@dataclass
class Rounds:
    """What each round of clients came to."""

    bare: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    rpcs: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def measure_gateway(scale: Scale) -> Iterator[Row]:
    with own_directory() as directory:
        options = ClusterOptions(slurm_conf=ROOM, lifetime=timedelta(hours=1))
        cluster = Cluster.start(directory / "slurm", options)
        try:
            fill(cluster, scale.queued_jobs)
            yield from _measure(cluster, directory, scale)
            yield from _measure_again(cluster, directory, scale)
        finally:
            cluster.wipe()


def _measure(cluster: Cluster, directory: Path, scale: Scale) -> Iterator[Row]:
    rounds = Rounds()
    for _ in range(scale.runs):
        rounds.bare.append(seconds_of_squeue({**os.environ, **cluster.environ}))  # noqa: TID251 - its own
        with _running(cluster, directory) as (port, pid):
            before = _listings_asked(cluster)
            answers = _ask(port)
            rounds.rpcs.append(_listings_asked(cluster) - before)
            rounds.walls.append(max(seconds for _, _, seconds in answers))
            rounds.peaks.append(peak_megabytes(pid))
        if {status for status, _, _ in answers} != {200}:
            raise AssertionError(f"not everybody was served: {answers}")
    name = f"gateway: {CLIENTS} cold clients, {scale.queued_jobs:,} jobs"
    yield Row(
        name=f"{name}: all served",
        unit="s",
        samples=rounds.walls,
        floor=rounds.bare,
        bound=MOST_TIMES_BARE if scale.queued_jobs >= FULL_SIZE else None,
    )
    yield Row(name=f"{name}: REQUEST_JOB_INFO", unit="", samples=rounds.rpcs, bound=1)
    yield Row(name=f"{name}: peak", unit="MB", samples=rounds.peaks)


def _measure_again(cluster: Cluster, directory: Path, scale: Scale) -> Iterator[Row]:
    """Ask one that is warm, with a token, for what does not change meanwhile."""
    milliseconds: dict[str, list[float]] = {name: [] for name in AT_MOST_MS}
    unhurried = {"GATEWAY_JOBS_AGE": "1h", "GATEWAY_PACE_AT_ONCE": "1000000"}
    with _running(cluster, directory, unhurried) as (port, _):
        made = ("token", "make", "--name=bench", "--scopes=jobs:read:all")
        environ = _environ(cluster, directory, port)
        done = subprocess.run(
            (*GATEWAY, *made), env=environ, capture_output=True, text=True, check=True
        )
        token = done.stdout.split()[-1]
        for _ in range(scale.runs):
            milliseconds["unchanged"].append(_again(port, token, 304, "--unchanged"))
            milliseconds["a page of 100"].append(_again(port, token, 200))
    for name, samples in milliseconds.items():
        yield Row(name=f"gateway: {name}", unit="ms", samples=samples, bound=AT_MOST_MS[name])


def _again(port: int, token: str, status: int, *options: str) -> float:
    """Return how many milliseconds an answer takes, of thousands over connections that stay."""
    path = "/api/v1/jobs?user=root&limit=100"
    argv = (sys.executable, "-m", "benchmarks.again", str(port), token, path, str(ANSWERS))
    done = subprocess.run((*argv, *options), cwd=PROJECT, capture_output=True, check=True)
    told = json.loads(done.stdout)
    if told["statuses"] != [status]:
        raise AssertionError(f"answered with {told['statuses']}, not {status}")
    return float(told["seconds"] * 1000)


def _environ(cluster: Cluster, directory: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,  # noqa: TID251 - where Slurm's tools lie here
        **cluster.environ,
        "PYTHONPATH": str(PROJECT),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_ANONYMOUS_SCOPES": "jobs:read:all",
        "GATEWAY_STATE_DIR": str(directory / f"gateway-{port}"),
    }


@contextmanager
def _running(
    cluster: Cluster, directory: Path, changes: Mapping[str, str] = NOTHING
) -> Iterator[tuple[int, int]]:
    """Start one that knows nothing yet; yields its port and its process."""
    claimed = claim_ports(1)
    port = claimed.first
    environ = _environ(cluster, directory, port) | {**changes}
    with subprocess.Popen(GATEWAY, env=environ, stderr=subprocess.DEVNULL) as gateway:
        try:
            _await(port)
            yield port, gateway.pid
        finally:
            gateway.terminate()
            claimed.claim.close()


def _await(port: int) -> None:
    for _ in range(600):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the gateway does not answer")


def _ask(port: int) -> list[tuple[int, int, float]]:
    path = "/api/v1/jobs?limit=0"
    argv = (sys.executable, "-m", "benchmarks.many_clients", str(port), path, str(CLIENTS))
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, check=True)
    answers: list[tuple[int, int, float]] = json.loads(done.stdout)
    return answers


def _listings_asked(cluster: Cluster) -> int:
    """How often slurmctld was asked for jobs, as it counts itself."""
    found = re.search(r"REQUEST_JOB_INFO\s+\(\s*\d+\) count:(\d+)", cluster.must("sdiag"))
    return int(found[1]) if found else 0

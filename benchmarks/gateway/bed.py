"""A Slurm with many jobs, and gateways that run on it one after the other, each in its process."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.live import ROOM, fill
from benchmarks.proc import own_cpu_seconds, peak_megabytes, resident_megabytes
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.ports import claim_ports
from tests.places import PROJECT

GATEWAY = "waldur_slurm.gateway.main"
NOTHING: Mapping[str, str] = {}
PATIENCE_S = 60.0
STOPPED_S = 30.0
BOUND = ("setpriv", "--pdeathsig", "KILL")
"""In front of a gateway: it ends when the benchmark does, also after kill -9 of that."""

ROOM_FOR_CLIENTS = ("prlimit", "--nofile=16384", "--")
"""One address may have half of a gateway's descriptors, whatever this shell allows."""


class NotServed(Exception):
    """What is measured did not do its work, so there is no figure of it."""


@dataclass(frozen=True)
class Gateway:
    """One that runs."""

    port: int
    process: "subprocess.Popen[bytes]"
    environ: Mapping[str, str]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def peak_megabytes(self) -> float:
        return peak_megabytes(self.pid)

    @property
    def resident_megabytes(self) -> float:
        return resident_megabytes(self.pid)

    @property
    def cpu_seconds(self) -> float:
        return own_cpu_seconds(self.pid)

    def token(self, *more: str, scopes: str = "jobs:read:all,cluster:read") -> str:
        made = ("token", "make", "--name=bench", f"--scopes={scopes}", *more)
        argv = (sys.executable, "-m", GATEWAY, *made)
        done = subprocess.run(
            argv, env={**self.environ}, capture_output=True, text=True, check=True
        )
        return done.stdout.split()[-1]

    def get(self, path: str, token: str = "") -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise NotServed(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def stop(self) -> float:
        """Ask it to end; return how long that took."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(STOPPED_S)
        return time.monotonic() - began


@dataclass
class Bed:
    cluster: Cluster
    directory: Path
    jobs: int = 0

    def grow(self, jobs: int) -> None:
        """Let there be so many jobs in all."""
        fill(self.cluster, jobs - self.jobs)
        self.jobs = jobs

    @property
    def environ(self) -> dict[str, str]:
        """Where Slurm's commands find this cluster."""
        return {**os.environ, **self.cluster.environ}  # noqa: TID251 - where Slurm's tools lie here

    @contextmanager
    def running(
        self, changes: Mapping[str, str] = NOTHING, module: str = GATEWAY, state: str = ""
    ) -> Iterator[Gateway]:
        """Start one that knows nothing yet, or what one of the same `state` left behind."""
        claimed = claim_ports(1)
        port = claimed.first
        environ = self.environ | {
            "PYTHONPATH": str(PROJECT),
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "GATEWAY_ANONYMOUS_SCOPES": "jobs:read:all,cluster:read",
            "GATEWAY_STATE_DIR": str(self.directory / (state or f"gateway-{time.monotonic_ns()}")),
            **changes,
        }
        argv = (*BOUND, *ROOM_FOR_CLIENTS, sys.executable, "-m", module)
        with subprocess.Popen(argv, env=environ, stderr=subprocess.DEVNULL) as process:
            try:
                _await(port)
                yield Gateway(port, process, environ)
            finally:
                process.terminate()
                try:
                    process.wait(STOPPED_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                claimed.claim.close()

    def listings_asked(self) -> int:
        """How often slurmctld was asked for jobs, as it counts itself."""
        return listings_in(self.cluster.must("sdiag"))


@contextmanager
def bed(jobs: int, **changes: str) -> Iterator[Bed]:
    """Stock TCP, as a production site has it; `changes` are settings of slurm.conf."""
    with own_directory() as directory:
        options = ClusterOptions(
            tcp="stock", slurm_conf={**ROOM, **changes}, lifetime=timedelta(hours=1)
        )
        cluster = Cluster.start(directory / "slurm", options)
        try:
            made = Bed(cluster, directory)
            made.grow(jobs)
            yield made
        finally:
            cluster.wipe()


def listings_in(sdiag: str) -> int:
    found = re.search(r"REQUEST_JOB_INFO\s+\(\s*\d+\) count:(\d+)", sdiag)
    return int(found[1]) if found else 0


def told_by(module: str, *arguments: object) -> Any:
    """Let a client run in a process of its own, and return what it tells at its end."""
    argv = (sys.executable, "-m", f"benchmarks.gateway.clients.{module}", *map(str, arguments))
    done = subprocess.run(argv, cwd=PROJECT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _await(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise NotServed("the gateway does not answer")

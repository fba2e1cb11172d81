"""Slurm's own slurmrestd asked for all jobs, by one client and by six: bounded, as it grows.

It is started by the benchmark at a Unix socket of its own, as nobody, and gone afterwards. Each
request costs it a listing of its own, and half a gigabyte and more: twenty clients take all memory
of a small machine, so six are the most that are tried, and it may have no more than `MOST_BYTES`.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from pwd import getpwnam

from benchmarks.gateway.bed import BOUND, Bed, NotServed
from benchmarks.proc import peak_megabytes
from benchmarks.read_queue import seconds_of_squeue
from benchmarks.rows import Row, Said
from benchmarks.scale import Scale

PROGRAM = "slurmrestd"
JOBS = "/slurm/v0.0.38/jobs"
USER = "nobody"
MOST_BYTES = 12 * 2**30
PATIENCE_S = 120.0
READY_S = 20.0
ALONE, TOGETHER = 1, 6
TURNS = {ALONE: 3, TOGETHER: 1}


@dataclass(frozen=True)
class Restd:
    socket: Path
    pid: int

    def get(self, path: str) -> float:
        """Read the whole answer; return how long it took."""
        began = time.monotonic()
        connection = _Local(self.socket)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            size = sum(len(part) for part in iter(lambda: answer.read1(1 << 20), b""))
        finally:
            connection.close()
        if answer.status != 200 or not size:
            raise NotServed(f"slurmrestd: {answer.status}, {size} bytes")
        return time.monotonic() - began


class _Local(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(str(self._path))


def measure_slurmrestd(bed: Bed, _scale: Scale) -> Iterator[Said]:
    if shutil.which(PROGRAM, path=os.defpath + ":/usr/sbin") is None:
        yield f"{PROGRAM} is not installed, so its rows are left out."
        return
    bare = [seconds_of_squeue(bed.environ) for _ in range(TURNS[ALONE])]
    for clients, turns in TURNS.items():
        with _running(bed) as restd:
            before = bed.listings_asked()
            walls = [_seconds_of_all(restd, clients) for _ in range(turns)]
            asked = (bed.listings_asked() - before) / (clients * turns)
            peak = peak_megabytes(restd.pid)
        whom = "1 client" if clients == 1 else f"{clients} clients"
        name = f"slurmrestd: {whom}, {bed.jobs:,} jobs"
        yield Row(name=f"{name}: all served", unit="s", samples=walls, floor=bare)
        yield Row(name=f"{name}: REQUEST_JOB_INFO a request", unit="", samples=[asked])
        yield Row(name=f"{name}: peak", unit="MB", samples=[peak])


def _seconds_of_all(restd: Restd, clients: int) -> float:
    with ThreadPoolExecutor(clients) as pool:
        return max(pool.map(restd.get, [JOBS] * clients))


@contextmanager
def _running(bed: Bed) -> Iterator[Restd]:
    place = bed.directory / f"slurmrestd-{time.monotonic_ns()}"
    place.mkdir()
    user = getpwnam(USER)
    os.chown(place, user.pw_uid, user.pw_gid)
    at = place / "socket"
    became = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    bound = (*BOUND, *became, "prlimit", f"--as={MOST_BYTES}", "--")
    options = ("-a", "rest_auth/local", "-s", "openapi/v0.0.38", f"unix:{at}")
    environ = {"PATH": f"{os.defpath}:/usr/sbin", **bed.cluster.environ}
    with (
        (place / "log").open("wb") as log,
        subprocess.Popen((*bound, PROGRAM, *options), env=environ, stderr=log) as process,
    ):
        try:
            _await(at, process)
            yield Restd(at, process.pid)
        finally:
            process.kill()


def _await(at: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_S
    while not at.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise NotServed("slurmrestd does not listen")
        time.sleep(0.02)

"""Handing in one job over HTTP, beside `sudo -u USER sbatch` typed by hand."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.scale import Scale
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users, remove_users
from tests.e2e.gateway.acting import SLEEP, SMALL, ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB, CALLER, STRANGER, install

SUBMITS = 20
MOST_ADDED_S = 0.1


def measure_submit(_scale: Scale) -> Iterator[Row]:
    if os.geteuid() != 0:
        raise SystemExit("only root can let a gateway act as users")
    ensure_users((CALLER, ANN, BOB, STRANGER))
    hands = Path(tempfile.mkdtemp(prefix="wsat-hand-", dir="/var/lib"))
    hands.chmod(0o755)
    try:
        with own_directory() as directory:
            cluster = Cluster.start(
                directory / "slurm", ClusterOptions(lifetime=timedelta(hours=1))
            )
            try:
                cluster.must("sacctmgr", "-i", "add", "account", "physics")
                cluster.must("sacctmgr", "-i", "add", "user", f"{ANN},{BOB}", "account=physics")
                yield from _measure(ActingSite.make(cluster, install(hands)))
            finally:
                cluster.wipe()
    finally:
        shutil.rmtree(hands)
        remove_users()


def _measure(site: ActingSite) -> Iterator[Row]:
    token = site.token()
    with site.running() as gateway:
        _over_http(gateway, token)
        by_hand, over_http = [], []
        for _ in range(SUBMITS):
            by_hand.append(_seconds_of(lambda: _by_hand(site)))
            over_http.append(_seconds_of(lambda: _over_http(gateway, token)))
    name = "submit over sudo -u USER sbatch"
    added = [mine - bare for mine, bare in zip(over_http, by_hand, strict=True)]
    yield Row(name=f"{name}: what the gateway adds", unit="s", samples=added, bound=MOST_ADDED_S)
    yield Row(name=f"{name}: wall", unit="s", samples=over_http, floor=by_hand)


def _by_hand(site: ActingSite) -> None:
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    argv = ("sudo", "-n", "-u", ANN, "--", str(site.tools / "true-sbatch"), *options)
    subprocess.run(argv, input=SLEEP, text=True, check=True, capture_output=True)


def _over_http(gateway: ActingGateway, token: str) -> None:
    answer = gateway.submit(token)
    if answer.status != 201 or not answer.json["submit_time"]:
        raise AssertionError(f"not handed in: {answer}")


def _seconds_of(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

"""A small Slurm with users, a hand by sudo, and a gateway that acts: as the tests have them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users, remove_users
from tests.e2e.gateway.acting import ActingSite
from tests.fixtures_hand import ANN, BOB, CALLER, STRANGER, install


@contextmanager
def acting_site() -> Iterator[ActingSite]:
    if os.geteuid() != 0:
        raise SystemExit("only root can let a gateway act as users")
    ensure_users((CALLER, ANN, BOB, STRANGER))
    hands = Path(tempfile.mkdtemp(prefix="wsat-hand-", dir="/var/lib"))
    hands.chmod(0o755)
    try:
        with own_directory() as directory, _cluster(directory) as cluster:
            yield ActingSite.make(cluster, install(hands))
    finally:
        shutil.rmtree(hands)
        remove_users()


@contextmanager
def _cluster(directory: Path) -> Iterator[Cluster]:
    options = ClusterOptions(lifetime=timedelta(hours=1))
    cluster = Cluster.start(directory / "slurm", options)
    try:
        cluster.must("sacctmgr", "-i", "add", "account", "physics")
        cluster.must("sacctmgr", "-i", "add", "user", f"{ANN},{BOB}", "account=physics")
        yield cluster
    finally:
        cluster.wipe()

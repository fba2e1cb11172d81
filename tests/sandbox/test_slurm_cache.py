"""A fresh checkout has no cache; two first starts at once each end with a cluster that serves."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sandbox
from tests.fixtures_slurm import open_directory

ASK = """
import sys
from sandbox.slurm import Cluster, ClusterOptions
with Cluster.start(sys.argv[1], ClusterOptions(with_controller=False)) as cluster:
    print(cluster.must("sacctmgr", "-nP", "list", "tres", "format=type,name,id").split()[-1])
"""


@pytest.fixture
def checkout(_slurm_is_here: None) -> Iterator[Path]:
    place = open_directory()
    shutil.copytree(Path(sandbox.__file__).parent, place / "sandbox")
    yield place
    shutil.rmtree(place)


def test_two_cold_starts_at_once_both_serve_and_leave_one_template(checkout: Path) -> None:
    def ask(name: str) -> str:
        argv = [sys.executable, "-c", ASK, str(checkout / name)]
        done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, ("left", "right"))) == ["gres|gpu|1001\n"] * 2
    kept = sorted(place.name for place in (checkout / ".cache" / "sandbox-slurm").iterdir())
    assert [name.partition("-")[0] for name in kept] == ["database", "loopback", "nodelay"]


def test_a_database_that_was_left_half_made_is_made_anew(checkout: Path) -> None:
    half = checkout / "lab" / "db" / "mysql"
    half.mkdir(parents=True)
    (checkout / "lab" / "start.lock").touch()
    argv = [sys.executable, "-c", ASK, str(checkout / "lab")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, cwd=checkout)
    assert (done.stdout, done.stderr) == ("gres|gpu|1001\n", "")

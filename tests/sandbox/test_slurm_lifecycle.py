"""Nothing outlives a cluster, however it ends, and two clusters never meet."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions, SandboxError
from sandbox.slurm.site import RECORD, short_directory
from tests.fixtures_slurm import NewCluster, open_directory
from tests.sandbox.processes import eventually, keeper_pids, lives, processes_of

ONE_NODE = ClusterOptions(nodes=1)
ACCOUNTING = ClusterOptions(with_controller=False)
SECONDS_TO_VANISH = 5

OWNER = """
import sys, time
from sandbox.slurm import Cluster, ClusterOptions
cluster = Cluster.start(sys.argv[1], ClusterOptions(nodes=1))
cluster.submit(None, "root", "touch started; sleep 1000")
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def directory(_slurm_is_here: None) -> Iterator[Path]:
    place = open_directory()
    yield place
    for record in list(place.rglob(RECORD)):
        Cluster.attach(record.parent).wipe()
    shutil.rmtree(place, ignore_errors=True)


@contextmanager
def running_owner(directory: Path) -> Iterator[int]:
    """Let another process own a cluster that runs a job."""
    argv = [sys.executable, "-c", OWNER, str(directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "ready\n"
            assert eventually((directory / "jobs" / "started").exists, 10)
            yield owner.pid
        finally:
            owner.kill()


def owner_of(directory: Path, owner: int) -> int:
    return owner


def guard_of(directory: Path, owner: int) -> int:
    return keeper_pids(directory)[0]


def supervisor_of(directory: Path, owner: int) -> int:
    return keeper_pids(directory)[1]


@pytest.mark.parametrize("victim", [owner_of, guard_of, supervisor_of])
def test_kill_9_of_any_process_that_holds_a_cluster_ends_its_daemons_and_its_jobs(
    directory: Path, victim: Callable[[Path, int], int]
) -> None:
    with running_owner(directory) as owner:
        expected = {"mariadbd", "munged", "slurmdbd", "slurmctld", "slurmd", "sleep"}
        assert eventually(lambda: expected <= set(processes_of(directory)), 10)
        os.kill(victim(directory, owner), signal.SIGKILL)
        assert eventually(lambda: not processes_of(directory), SECONDS_TO_VANISH)


def test_daemons_end_even_if_guard_and_supervisor_are_killed_in_the_same_instant(
    directory: Path,
) -> None:
    cluster = Cluster.start(directory, ACCOUNTING)
    daemons = set(cluster.pids().values())
    for pid in keeper_pids(directory):
        os.kill(pid, signal.SIGSTOP)
    for pid in keeper_pids(directory):
        os.kill(pid, signal.SIGKILL)
    assert len(daemons) == 3
    assert eventually(lambda: not any(map(lives, daemons)), SECONDS_TO_VANISH)
    cluster.stop()


def test_stop_leaves_no_process_no_mount_and_no_claimed_port(directory: Path) -> None:
    with Cluster.start(directory, ONE_NODE) as cluster:
        claim = f"@wsat-ports-{cluster.port('slurmdbd')}"
        assert claim in Path("/proc/net/unix").read_text()
        assert processes_of(directory)
    assert processes_of(directory) == []
    assert str(directory) not in Path("/proc/self/mounts").read_text()
    assert claim not in Path("/proc/net/unix").read_text()


def test_a_second_start_joins_the_running_cluster_and_one_after_a_stop_finds_its_data(
    directory: Path,
) -> None:
    with Cluster.start(directory, ACCOUNTING) as cluster:
        cluster.must("sacctmgr", "-i", "add", "account", "kept")
        again = Cluster.start(directory)
        assert again.pids() == cluster.pids()
        with pytest.raises(SandboxError, match="other options"):
            Cluster.start(directory, ClusterOptions(nodes=1))
    with Cluster.start(directory) as cluster:
        assert cluster.options == ACCOUNTING
        accounts = cluster.must("sacctmgr", "-nP", "list", "account", "format=account")
        assert "kept" in accounts.split()


def test_two_clusters_that_start_at_once_both_serve_on_ports_of_their_own(
    new_slurm_cluster: NewCluster,
) -> None:
    with ThreadPoolExecutor(2) as pool:
        options = (ClusterOptions(nodes=1, name=name) for name in ("left", "right"))
        left, right = pool.map(new_slurm_cluster, options)
    assert not ports_of(left) & ports_of(right)
    left.submit(None, "root", "touch ran-in-left")
    right.submit(None, "root", "touch ran-in-right")
    assert eventually(lambda: ran(left) == ["ran-in-left"], 10)
    assert eventually(lambda: ran(right) == ["ran-in-right"], 10)
    left.wipe()
    right.wipe()


def ports_of(cluster: Cluster) -> set[int]:
    ports = map(cluster.port, cluster.daemon_names)
    return {port for port in ports if port is not None}


def ran(cluster: Cluster) -> list[str]:
    return [file.name for file in cluster.directory.glob("jobs/ran-in-*")]


def test_a_cluster_ends_by_itself_when_its_time_is_over(directory: Path) -> None:
    lifetime = timedelta(seconds=10)  # a busy machine takes a while to start it
    cluster = Cluster.start(directory, ClusterOptions(with_controller=False, lifetime=lifetime))
    assert processes_of(directory)
    gone_within = lifetime.total_seconds() + SECONDS_TO_VANISH
    assert eventually(lambda: not processes_of(directory), gone_within)
    assert eventually(lambda: not cluster.is_running, SECONDS_TO_VANISH)  # the lock goes last
    cluster.stop()


def test_a_daemon_that_dies_leaves_no_dump_of_its_memory(directory: Path) -> None:
    with Cluster.start(directory, ACCOUNTING) as cluster:
        for pid in cluster.pids().values():
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_a_path_too_long_for_a_socket_serves_as_well_and_nothing_stays_beside_it(
    directory: Path,
) -> None:
    deep = directory / ("a-very-long-name-" * 4) / ("that-goes-on-" * 4)
    cluster = Cluster.start(deep, ONE_NODE)
    assert len(str(deep)) > 107
    cluster.submit(None, "root", "touch ran")
    assert eventually((deep / "jobs" / "ran").exists, 10)
    cluster.wipe()
    assert not short_directory(deep).exists()
    assert list(directory.rglob("*.sock")) == []


def test_a_start_that_fails_shows_why_and_leaves_no_process(directory: Path) -> None:
    options = ClusterOptions(nodes=1, slurm_conf={"SelectType": "select/nonsense"})
    with pytest.raises(SandboxError, match="select/nonsense"):
        Cluster.start(directory, options)
    assert processes_of(directory) == []


def test_a_directory_that_holds_something_else_is_refused(directory: Path) -> None:
    (directory / "thesis.tex").touch()
    with pytest.raises(SandboxError, match=r"holds no cluster: thesis\.tex"):
        Cluster.start(directory)
    assert [file.name for file in directory.iterdir()] == ["thesis.tex"]


def test_a_directory_that_job_owners_cannot_enter_is_refused(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(0o700)
    with pytest.raises(SandboxError, match="other unix users may not enter"):
        Cluster.start(closed / "lab")


def test_a_directory_that_slurm_conf_cannot_name_is_refused(directory: Path) -> None:
    with pytest.raises(SandboxError, match=r"slurm\.conf cannot name"):
        Cluster.start(directory / "with space")

"""What the sandbox cluster in a container promises, on every release that there is an image of."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal

import pytest

from sandbox.docker.cluster import ContainerCluster, remove_abandoned
from sandbox.docker.command import DockerFailed, docker
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.slurm import DeadlinePassed

PATIENCE_S = 20.0

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module", params=sorted(RELEASES))
def cluster(request: pytest.FixtureRequest) -> ContainerCluster:
    name = f"container_cluster_{request.param.replace('.', '_')}"
    shared: ContainerCluster = request.getfixturevalue(name)
    return shared


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[ContainerCluster]:
    """One whose daemons a test may leave in any state."""
    with ContainerCluster.start() as started:
        yield started


def test_each_image_holds_the_release_that_its_tag_promises(cluster: ContainerCluster) -> None:
    assert f" {cluster.release}." in cluster.must("sacctmgr", "--version")


def test_docker_exec_reaches_slurm_by_the_containers_name(cluster: ContainerCluster) -> None:
    said = docker("exec", cluster.container, "sacctmgr", "-nP", "show", "cluster", "format=cluster")
    assert "lab" in said.stdout.splitlines()  # other tests may have added clusters of theirs


@pytest.mark.parametrize("user", [None, "wsat-ann"])
def test_what_runs_there_finds_what_docker_exec_gives(
    cluster: ContainerCluster, user: str | None
) -> None:
    who = ("--user", user) if user else ()
    for argv in (("env",), ("id",), ("pwd",), ("hostname",), ("readlink", "/proc/self/ns/pid")):
        given = docker("exec", "--workdir=/tmp", *who, cluster.container, *argv).stdout
        found = cluster.must(*argv, user=user)
        assert sorted(found.splitlines()) == sorted(given.splitlines())


def test_nothing_runs_in_a_container_that_is_gone() -> None:
    with ContainerCluster.start(nodes=1) as cluster:
        assert cluster.run("true").code == 0
    with pytest.raises(DockerFailed, match="No such object"):
        cluster.run("true")


def test_both_streams_and_the_exit_code_come_back_apart(cluster: ContainerCluster) -> None:
    done = cluster.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")


def test_a_users_job_is_accounted_with_its_gpu(cluster: ContainerCluster) -> None:
    cluster.must("sacctmgr", "-i", "add", "account", "jobs")
    cluster.must("sacctmgr", "-i", "add", "user", "wsat-ann", "account=jobs")
    argv = ("srun", "--account=jobs", "--gres=gpu:1", "id", "-un")
    assert cluster.must(*argv, user="wsat-ann") == "wsat-ann\n"
    query = ("sacct", "-anXP", "--accounts=jobs", "--format=user,state,alloctres")
    wait_until(lambda: "COMPLETED" in cluster.must(*query))
    user, state, tres = cluster.must(*query).strip().split("|")
    assert (user, state) == ("wsat-ann", "COMPLETED")
    assert "gres/gpu=1" in tres.split(",")


@pytest.mark.parametrize("daemon", ["mariadbd", "munged", "slurmdbd", "slurmctld", "n1"])
def test_every_daemon_is_stopped_and_started_by_name(
    cluster: ContainerCluster, daemon: str
) -> None:
    before = processes(cluster)
    cluster.stop_daemon(daemon)
    assert len(processes(cluster)) < len(before)
    cluster.start_daemon(daemon)
    wait_until(lambda: sorted(processes(cluster).values()) == sorted(before.values()))
    assert cluster.run("sacctmgr", "-n", "show", "cluster").code == 0


def test_a_frozen_slurmdbd_does_not_answer_until_it_is_thawed(cluster: ContainerCluster) -> None:
    cluster.freeze("slurmdbd")
    try:
        with pytest.raises(DeadlinePassed):
            cluster.run("sacctmgr", "-n", "show", "cluster", timeout=1)
    finally:
        cluster.thaw("slurmdbd")
    assert cluster.run("sacctmgr", "-n", "show", "cluster").code == 0


def test_a_killed_daemon_stays_dead_until_it_is_started(own_cluster: ContainerCluster) -> None:
    own_cluster.kill_daemon("slurmdbd")
    assert "Connection refused" in own_cluster.run("sacctmgr", "-n", "show", "cluster").err
    own_cluster.start_daemon("slurmdbd")
    assert own_cluster.run("sacctmgr", "-n", "show", "cluster").code == 0


def test_an_unknown_daemon_is_an_error(own_cluster: ContainerCluster) -> None:
    with pytest.raises(DockerFailed, match="no daemon nosuch"):
        own_cluster.start_daemon("nosuch")


def test_a_command_past_its_deadline_is_gone_inside_too(own_cluster: ContainerCluster) -> None:
    with pytest.raises(DeadlinePassed):
        own_cluster.run("sleep", "4242", timeout=0.5)
    assert "4242" not in own_cluster.must("ps", "-eo", "args")


def test_no_zombie_is_left_by_what_ran(own_cluster: ContainerCluster) -> None:
    own_cluster.run("sh", "-c", "for i in 1 2 3; do setsid sh -c 'sleep 0.1; exit' & done")
    time.sleep(0.5)
    assert "Z" not in own_cluster.must("ps", "-eo", "stat=")


def test_the_database_answers_with_names_and_rows(own_cluster: ContainerCluster) -> None:
    assert own_cluster.sql("select name from cluster_table") == "name\nlab\n"


def test_users_are_made_where_slurm_runs(own_cluster: ContainerCluster) -> None:
    own_cluster.ensure_users(("wsat-ann", "wsat-new"))
    assert own_cluster.must("id", "-un", "wsat-new") == "wsat-new\n"


def test_a_restarted_container_keeps_its_accounts(own_cluster: ContainerCluster) -> None:
    own_cluster.must("sacctmgr", "-i", "add", "account", "kept")
    begun = time.monotonic()
    docker("restart", "--time", "120", own_cluster.container)
    assert time.monotonic() - begun < 60, "it did not end when it was told to"
    own_cluster.must("cluster", "ready", "30", timeout=40)
    assert "kept" in own_cluster.must("sacctmgr", "-nP", "show", "account", "format=account")


@pytest.mark.parametrize(("tcp", "is_shimmed"), [("fast", True), ("stock", False)])
def test_tcp_is_what_was_asked_for(tcp: Literal["fast", "stock"], is_shimmed: bool) -> None:
    with ContainerCluster.start(tcp=tcp, nodes=1) as cluster:
        daemon = cluster.must("cat", "/run/cluster/n1.pid").strip()
        for process in (daemon, "self"):
            libraries = cluster.must("cat", f"/proc/{process}/maps")
            assert "libc.so" in libraries
            assert ("nodelay.so" in libraries) == is_shimmed


def test_named_gpus_and_licenses_are_tracked() -> None:
    wanted = ("gres/gpu", "gres/gpu:a100", "license/matlab")
    with ContainerCluster.start(tres=wanted) as cluster:
        known = cluster.must("sacctmgr", "-nP", "show", "tres", "format=type,name").split()
        node = cluster.must("scontrol", "show", "node", "n1")
    assert {"gres|gpu", "gres|gpu:a100", "license|matlab"} <= set(known)
    assert "gres/gpu:a100=4" in node


def test_a_container_ends_with_its_lifetime() -> None:
    with ContainerCluster.start(lifetime=timedelta(seconds=3), nodes=1) as cluster:
        wait_until(lambda: not exists(cluster.container))


def test_what_a_killed_process_left_is_removed_by_the_next_start() -> None:
    program = (
        "from sandbox.docker.cluster import ContainerCluster;"
        "print(ContainerCluster.start(nodes=1).container, flush=True); input()"
    )
    argv = (sys.executable, "-c", program)
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        container = starter.stdout.readline().strip()
        remove_abandoned()
        assert exists(container), "it was removed while its starter lives"
        starter.kill()
    with ContainerCluster.start(nodes=1):
        assert not exists(container)


def test_a_cluster_that_cannot_start_says_why_and_is_gone() -> None:
    name = f"wsat-cannot-start-{os.getpid()}"
    with pytest.raises(DockerFailed, match="not a whole number: -1"):
        ContainerCluster.start(name=name, nodes=-1)
    assert not exists(name)


def test_a_name_that_is_taken_is_refused(own_cluster: ContainerCluster) -> None:
    with pytest.raises(DockerFailed, match="already in use"):
        ContainerCluster.start(name=own_cluster.container)
    assert own_cluster.run("true").code == 0


def test_an_image_that_is_up_to_date_is_not_built_again(own_cluster: ContainerCluster) -> None:
    assert ensure_image(RELEASES[own_cluster.release]) is False


def processes(cluster: ContainerCluster) -> dict[str, str]:
    """Return the daemons' names by process number."""
    daemons = {"mariadbd", "munged", "slurmdbd", "slurmctld", "slurmd"}
    rows = [row.split() for row in cluster.must("ps", "-eo", "pid=,comm=").splitlines()]
    return {row[0]: row[1] for row in rows if row[1] in daemons}


def exists(container: str) -> bool:
    return docker("container", "inspect", container, check=False).returncode == 0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)

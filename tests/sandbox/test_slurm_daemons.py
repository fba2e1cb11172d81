"""Each daemon can fail on its own, in the ways that daemons fail, and come back."""

import pytest

from sandbox.slurm import Cluster, ClusterOptions, DeadlinePassed, SandboxError
from tests.fixtures_slurm import NewCluster
from tests.sandbox.processes import listening_addresses

LOOPBACK = "0100007F"
LIST_CLUSTERS = ("sacctmgr", "-nP", "list", "cluster", "format=cluster")


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Cluster:
    return new_slurm_cluster(ClusterOptions(nodes=1))


def test_a_stopped_slurmdbd_refuses_at_once_and_answers_after_a_restart(cluster: Cluster) -> None:
    cluster.stop_daemon("slurmdbd")
    assert cluster.states()["slurmdbd"] == "exited 0"
    done = cluster.run(*LIST_CLUSTERS, timeout=5)
    assert done.code == 1
    assert "Connection refused" in done.err
    cluster.start_daemon("slurmdbd")
    assert cluster.must(*LIST_CLUSTERS) == "lab\n"


def test_a_frozen_slurmdbd_keeps_its_callers_waiting_until_it_is_thawed(cluster: Cluster) -> None:
    cluster.freeze("slurmdbd")
    assert cluster.states()["slurmdbd"] == "frozen"
    with pytest.raises(DeadlinePassed, match="slurmdbd version"):
        cluster.run(*LIST_CLUSTERS, timeout=1)
    cluster.thaw("slurmdbd")
    assert cluster.must(*LIST_CLUSTERS) == "lab\n"


@pytest.mark.parametrize("name", ["mariadbd", "munged", "slurmdbd", "slurmctld", "n1"])
def test_every_daemon_comes_back_after_kill_9(cluster: Cluster, name: str) -> None:
    before = cluster.pids()
    cluster.kill_daemon(name)
    assert cluster.states()[name] == "SIGKILL"
    cluster.start_daemon(name)
    after = cluster.pids()
    assert set(cluster.states().values()) == {"up"}
    assert {changed for changed in before if before[changed] != after[changed]} == {name}


def test_a_frozen_daemon_can_be_restarted(cluster: Cluster) -> None:
    cluster.freeze("munged")
    cluster.restart_daemon("munged")
    assert cluster.states()["munged"] == "up"


def test_starting_what_runs_changes_nothing(cluster: Cluster) -> None:
    before = cluster.pids()
    cluster.start_daemon("slurmdbd")
    assert cluster.pids() == before


def test_a_daemon_that_cannot_start_shows_the_end_of_its_log(cluster: Cluster) -> None:
    configuration = cluster.directory / "etc" / "slurmdbd.conf"
    right = configuration.read_text()
    cluster.stop_daemon("slurmdbd")
    configuration.write_text(right + "NoSuchSetting=1\n")
    with pytest.raises(SandboxError, match=r"slurmdbd: exited 1(?s:.*)NoSuchSetting"):
        cluster.start_daemon("slurmdbd")
    configuration.write_text(right)
    cluster.start_daemon("slurmdbd")


def test_an_unknown_daemon_is_refused_with_the_names_there_are(cluster: Cluster) -> None:
    with pytest.raises(SandboxError, match=r"no daemon 'slurmd'.* slurmctld, n1"):
        cluster.restart_daemon("slurmd")


def test_no_daemon_listens_beyond_loopback(cluster: Cluster) -> None:
    listening = {name: listening_addresses(pid) for name, pid in cluster.pids().items()}
    quiet = {"munged"}
    assert listening == {name: set() if name in quiet else {LOOPBACK} for name in listening}

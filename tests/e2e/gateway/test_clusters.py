"""Several clusters behind one gateway: of one slurmdbd, or each with a slurm.conf of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway, running
from tests.e2e.program import eventually, fast_tools
from tests.fixtures_slurm import NewCluster


@pytest.fixture(scope="module")
def far(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    cluster = new_slurm_cluster(ClusterOptions(name="far", nodes=3))
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    cluster.must("sacctmgr", "--immediate", "add", "user", slurm_users[0], "account=physics")
    return cluster


@pytest.fixture(scope="module")
def near(lab: Cluster, new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    """A cluster of the same slurmdbd."""
    options = ClusterOptions(name="near", nodes=3, accounting_of=str(lab.directory))
    cluster = new_slurm_cluster(options)
    in_near = ("cluster=near", "account=physics")
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics", "cluster=near")
    cluster.must("sacctmgr", "--immediate", "add", "user", slurm_users[0], *in_near)
    return cluster


@pytest.fixture
def siblings(lab: Cluster, near: Cluster, new_gateway: NewGateway) -> Iterator[Gateway]:
    """One `slurm.conf` for both: the other is found through slurmdbd."""
    with new_gateway(GATEWAY_CLUSTERS=f"{lab.options.name},{near.options.name}") as gateway:
        yield gateway


def test_a_cluster_of_the_same_slurmdbd_is_shown_by_its_name_alone(
    siblings: Gateway, lab: Cluster, near: Cluster, slurm_users: tuple[str, ...]
) -> None:
    def ended() -> list[tuple[str, str, str]]:
        jobs = siblings.get(f"/api/v1/clusters/near/history?job_id={there}").json["jobs"]
        return [(job["cluster"], job["name"], job["outcome"]) for job in jobs]

    here = lab.submit(slurm_users[0], "physics", "true", "--hold", "--job-name=here")
    there = near.submit(slurm_users[0], "physics", "true", "--job-name=there")

    found = siblings.get(f"/api/v1/clusters/near/jobs/{there}?wait=60").json
    assert (found["name"], found["cluster"], found["terminal"]) == ("there", "near", True)
    eventually(lambda: ended() == [("near", "there", "success")], "the accounting has it")
    assert siblings.get(f"/api/v1/jobs/{here}").json["name"] == "here"
    assert {job["name"] for job in siblings.get("/api/v1/jobs?limit=0").json["jobs"]} >= {"here"}
    for thing, count, what in (
        ("nodes", 3, "--Node --format=%N"),
        ("partitions", 1, "--format=%R"),
    ):
        in_lab = {*lab.must("sinfo", "--noheader", "--all", *what.split()).split()}
        assert len(siblings.get(f"/api/v1/clusters/near/{thing}").json[thing]) == count
        assert {each["name"] for each in siblings.get(f"/api/v1/{thing}").json[thing]} == in_lab
    statistics = siblings.get("/api/v1/clusters/near/statistics")
    assert (statistics.status, statistics.json["cluster"]) == (200, "near")
    held = near.submit(slurm_users[0], "physics", "true", "--hold", "--job-name=held")
    listed = siblings.get(f"/api/v1/clusters/near/jobs/{held}")
    assert (listed.status, listed.json["name"]) == (200, "held")


def test_a_sibling_that_is_silent_takes_nothing_from_the_other(
    siblings: Gateway, near: Cluster
) -> None:
    assert siblings.get("/api/v1/clusters/near/jobs").status == 200
    near.stop_daemon("slurmctld")
    try:
        eventually(lambda: siblings.get("/readyz").status == 503, "the silence is noticed", 60)
        assert siblings.get("/api/v1/jobs").status == 200
        assert "warning" not in siblings.get("/api/v1/jobs").headers
    finally:
        near.start_daemon("slurmctld")
    eventually(lambda: siblings.get("/readyz").status == 200, "it answers again", 60)


def test_without_slurmdbd_a_sibling_is_not_found_and_never_taken_for_an_empty_one(
    siblings: Gateway, lab: Cluster, near: Cluster, slurm_users: tuple[str, ...]
) -> None:
    held = near.submit(slurm_users[0], "physics", "true", "--hold")
    path = f"/api/v1/clusters/near/jobs/{held}"
    assert siblings.get(path).status == 200
    lab.stop_daemon("slurmdbd")
    try:
        eventually(lambda: "warning" in siblings.get(path).headers, "it is not found", 60)
        assert siblings.get(path).json["phase"] == "pending"
        assert "warning" not in siblings.get("/api/v1/jobs").headers
    finally:
        lab.start_daemon("slurmdbd")
    eventually(lambda: "warning" not in siblings.get(path).headers, "it is found again", 60)


@pytest.fixture
def both(
    lab: Cluster, far: Cluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    shared = {name: value for name, value in lab.environ.items() if name != "SLURM_CONF"}
    tools = fast_tools(tmp_path_factory.mktemp("tools") / "bin", shared)
    clusters = ",".join(f"{each.options.name}={each.environ['SLURM_CONF']}" for each in (lab, far))
    with running(lab, tools, tmp_path, GATEWAY_CLUSTERS=clusters) as gateway:
        yield gateway


def test_each_cluster_is_shown_by_its_own_slurm_conf(
    both: Gateway, lab: Cluster, far: Cluster, slurm_users: tuple[str, ...]
) -> None:
    here = lab.submit(slurm_users[0], "physics", "true", "--hold", "--job-name=here")
    there = far.submit(slurm_users[0], "physics", "true", "--job-name=there")

    def ended() -> list[str]:
        jobs = both.get(f"/api/v1/clusters/far/history?job_id={there}").json["jobs"]
        return [job["outcome"] for job in jobs]

    names = [each["name"] for each in both.get("/api/v1/clusters").json["clusters"]]
    assert names == ["lab", "far"]
    assert len(both.get("/api/v1/clusters/far/nodes").json["nodes"]) == 3
    assert both.get(f"/api/v1/jobs/{here}").json["cluster"] == "lab"
    found = both.get(f"/api/v1/clusters/far/jobs/{there}?wait=60").json
    assert (found["name"], found["cluster"], found["terminal"]) == ("there", "far", True)
    eventually(lambda: ended() == ["success"], "its accounting has it")
    assert "physics" in both.get("/api/v1/clusters/far/accounts").body.decode()


def test_one_cluster_that_is_silent_takes_nothing_from_the_other(
    both: Gateway, far: Cluster
) -> None:
    assert both.get("/api/v1/clusters/far/jobs").status == 200
    far.stop_daemon("slurmctld")
    try:
        eventually(lambda: both.get("/readyz").status == 503, "the silence is noticed", 60)
        assert both.get("/api/v1/jobs").status == 200
        assert "warning" not in both.get("/api/v1/jobs").headers
        assert b"lab: answers" in both.get("/readyz").body
    finally:
        far.start_daemon("slurmctld")
    eventually(lambda: both.get("/readyz").status == 200, "it answers again", 60)


def test_what_slurm_hides_from_the_gateway_is_said_at_its_start(
    new_slurm_cluster: NewCluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    private = new_slurm_cluster(
        ClusterOptions(nodes=1, slurm_conf={"PrivateData": "jobs,usage", "SlurmUser": "root"})
    )
    tools = fast_tools(tmp_path_factory.mktemp("tools") / "bin", private.environ)
    with running(private, tools, tmp_path) as gateway:
        assert os.geteuid() == 0, "the gateway of this test is SlurmUser"
        eventually(lambda: gateway.get("/readyz").status == 200, "it is ready")
        assert b"PrivateData" not in gateway.get("/readyz").body
        assert "slurm.private" not in gateway.daemon.log

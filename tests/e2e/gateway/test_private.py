"""A Slurm with `PrivateData`, before gateways that it hides others' things from, and others."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import Gateway, program_for
from tests.e2e.lesser_program import LesserProgram
from tests.e2e.program import eventually, fast_tools
from tests.fixtures_slurm import NewCluster, open_directory

ADMINS = "cluster:read,jobs:read:all,history:read,accounts:read"


@pytest.fixture(scope="module")
def private(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    hidden = {"PrivateData": "jobs,usage,users,accounts"}
    cluster = new_slurm_cluster(ClusterOptions(slurm_conf=hidden, slurmdbd_conf=hidden))
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    return cluster


@contextmanager
def running_as(cluster: Cluster, user: str) -> Iterator[Gateway]:
    """Serve as a plain Unix user, as a site does."""
    directory, claimed = open_directory(), claim_ports(2)
    try:
        tools = fast_tools(directory / "bin", cluster.environ)
        made = program_for(cluster, tools, directory, claimed.first)
        (directory / "state").mkdir(mode=0o700)
        for place in (directory, directory / "state"):
            shutil.chown(place, user)
        program = LesserProgram(made.environ, directory, made.module, user=user)
        with program.daemon() as daemon:
            eventually(lambda: "gateway.listening" in daemon.log, "it listens")
            yield Gateway(program, daemon, claimed.first)
    finally:
        claimed.claim.close()
        shutil.rmtree(directory)


def names(gateway: Gateway, path: str, of: str) -> set[str]:
    return {each["name"] for each in gateway.get(path).json[of]}


def lookup(gateway: Gateway, mark: str) -> dict[str, list[str]]:
    body = json.dumps({"marks": [mark]}).encode()
    found = gateway.ask("POST", "/api/v1/jobs/lookup", body).json
    return {name: found[name] for name in ("absent", "unknown")}


def test_a_gateway_that_slurm_hides_jobs_from_says_so_and_calls_none_of_them_gone(
    private: Cluster, slurm_users: tuple[str, ...]
) -> None:
    ann, _, gateways = slurm_users
    hidden = private.submit(ann, "physics", "true", "--hold", "--comment=op:1", "--job-name=anns")
    private.submit(gateways, "physics", "true", "--hold", "--job-name=its own")
    with running_as(private, gateways) as gateway:
        eventually(lambda: "slurm.private" in gateway.daemon.log, "it is noticed")
        said = gateway.get("/readyz")
        (cluster,) = gateway.get("/api/v1/clusters").json["clusters"]

        assert said.status == 200
        assert b"PrivateData hides others" in said.body
        assert {"jobs", "usage", "users", "accounts"} <= {*cluster["hidden"]}
        assert names(gateway, "/api/v1/jobs", "jobs") == {"its own"}
        answer = gateway.get(f"/api/v1/jobs/{hidden}")
        assert (answer.status, "PrivateData" in answer.json["detail"]) == (503, True)
        assert lookup(gateway, "op:1") == {"absent": [], "unknown": ["op:1"]}


def test_a_gateway_that_is_an_operator_decides_itself_who_sees_what(
    private: Cluster, slurm_users: tuple[str, ...]
) -> None:
    ann, bob, gateways = slurm_users
    shown = private.submit(ann, "physics", "true", "--hold", "--comment=op:2", "--job-name=anns")
    private.submit(bob, "physics", "true", "--hold", "--job-name=bobs")
    operator = ("sacctmgr", "--immediate", "modify", "user", gateways, "set")
    private.must(*operator, "adminlevel=Operator")
    try:
        with running_as(private, gateways) as gateway:
            made = gateway.program.run(
                "token", "make", "--name=anns", "--scopes=jobs:read", f"--run-as={ann}"
            )
            token = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}

            def hidden() -> object:
                return gateway.get("/api/v1/clusters").json["clusters"][0]["hidden"]

            eventually(lambda: hidden() is not None, "it is known")
            assert hidden() == []
            assert "slurm.private" not in gateway.daemon.log
            assert b"PrivateData" not in gateway.get("/readyz").body
            assert names(gateway, "/api/v1/jobs", "jobs") >= {"anns", "bobs"}
            assert names(gateway, "/api/v1/users", "users") >= {ann, bob}
            assert gateway.get(f"/api/v1/jobs/{shown}").json["name"] == "anns"
            assert gateway.get("/api/v1/jobs/999999").status == 404
            assert lookup(gateway, "op:3") == {"absent": ["op:3"], "unknown": []}
            listed = gateway.ask("GET", "/api/v1/jobs", None, token).json["jobs"]
            assert {job["user"] for job in listed} == {ann}
    finally:
        private.must(*operator, "adminlevel=None")

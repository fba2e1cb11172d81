"""Slurm RestAPI's clients in front of a real Slurm, brought to the state that was recorded.

The gateway is told everything by the original's own configuration file.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway, program_for, running
from tests.e2e.program import eventually, fast_tools
from tests.fixtures_slurm import NewCluster
from tests.unit.gateway.web.seeds.differences import differences, is_meant
from tests.unit.gateway.web.seeds.recorded import recorded

CONFIG = """\
system:
  use_acct_db: True
  use_cors: True
  serve_index: True
  archive_usage_load: True
  archive_wait_time: 1
"""
PARTITIONS = (
    "PartitionName=high Nodes=n[1-2] PriorityTier=10 MaxTime=1-0",
    "PartitionName=low Nodes=n[2-4] PriorityTier=2",
    "PartitionName=hpcz-test Nodes=n[1-4] MaxTime=2-0",
    "PartitionName=secret Nodes=n4",
)
JOBS = (
    "--partition=high --nodelist=n[1-2] --nodes=2 --ntasks=4 --mem-per-cpu=1000 --time=2:00:00",
    "--partition=low --nodelist=n2 --cpus-per-task=2 --mem=12000 --time=1:00:00",
    "--partition=hpcz-test --nodes=4 --ntasks=4 --mem=2000 --time=1:00:00",
    "--partition=low --nodelist=n4 --array=2-5%2 --mem=100 --time=10",
)
SUSPENDED = "--partition=main --nodelist=n1 --mem=100 --time=1:00:00"
WAITING = (
    "--partition=low --hold --time=1:30:00",
    "--partition=high --exclusive --nodes=2 --time=10",
)


ASKED = (
    "batch_flag", "boards_per_node", "contiguous", "cpus_per_task", "derived_ec",
    "exc_nodes", "max_cpus", "max_nodes", "mem_per_node", "min_memory_node", "ntasks_per_board",
    "ntasks_per_core_str", "ntasks_per_node", "ntasks_per_socket_str", "pn_min_cpus",
    "pn_min_memory", "pn_min_tmp_disk", "power_flags", "profile", "reboot", "req_switch",
    "resize_time", "shared", "sockets_per_board", "std_in", "time_min", "wait4switch",
    "array_max_tasks",
)  # fmt: skip
SPELLED = {"mem_per_cp": "mem_per_cpu", "min_memory_cp": "min_memory_cpu"}
"""Slips of the recorded release, and the names of 17.11."""


@pytest.fixture(scope="module")
def site(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    """Nodes, partitions and jobs as they were when the original was recorded."""
    cluster = new_slurm_cluster(ClusterOptions(nodes=4, gpus=0))
    user = slurm_users[0]
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    for partition in PARTITIONS:
        cluster.must("scontrol", "create", *partition.split())
    for options in JOBS:
        _submit(cluster, user, options)
    suspended = _submit(cluster, user, SUSPENDED)
    eventually(lambda: _count(cluster, "RUNNING") == 6, "all that can run do")
    cluster.must("scontrol", "suspend", str(suspended))
    for options in WAITING:
        _submit(cluster, user, options)
    cluster.must("scontrol", "update", "NodeName=n3", "State=DRAIN", "Reason=bad_disk")
    return cluster


def _submit(cluster: Cluster, user: str, options: str) -> int:
    return cluster.submit(user, "physics", "sleep 900", "--output=/dev/null", *options.split())


def _count(cluster: Cluster, state: str) -> int:
    return len(cluster.must("squeue", "--noheader", f"--states={state}").splitlines())


@contextmanager
def serving(cluster: Cluster, directory: Path, **changes: str) -> Iterator[Gateway]:
    """Serve as the original's file says, this surface alone."""
    claimed = claim_ports(1)
    config = directory / "config.yml"
    config.write_text(CONFIG, encoding="utf-8")
    tools = fast_tools(directory / "bin", cluster.environ)
    told = {
        "SLURM_REST_API_CONFIG": str(config),
        "GATEWAY_LISTEN": f"127.0.0.1:{claimed.first}=restapi",
        **changes,
    }
    try:
        with running(cluster, tools, directory, None, **told) as gateway:
            yield Gateway(gateway.program, gateway.daemon, claimed.first)
    finally:
        claimed.claim.close()


@pytest.fixture(scope="module")
def restapi(site: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serving(site, tmp_path_factory.mktemp("restapi")) as gateway:
        yield gateway


def test_the_matrix_is_the_recorded_one_on_a_cluster_in_that_state(restapi: Gateway) -> None:
    """Memory that was asked for by CPU counts here; there it was 0."""
    expected = recorded("usage")
    high = expected["partitions"]["high"]
    high["alloc_mem"] = 4000
    for name, memory in (("n1", 3000), ("n2", 1000)):
        high["nodes"][name]["mem_allocated"] = memory

    assert restapi.get("/usage").json["data"] == expected


@pytest.mark.parametrize("route", ["nodes", "partitions", "stats"])
def test_things_have_the_recorded_keys_and_kinds_of_values(restapi: Gateway, route: str) -> None:
    theirs, ours = {"data": recorded(route)}, restapi.get(f"/{route}").json
    if route == "stats":  # what was asked of slurmctld is not the same
        for name in ("rpc_type_stats", "rpc_user_stats"):
            theirs["data"][name] = ours["data"][name] = {}
    found = [each for each in differences(theirs, ours) if each.kind not in ("value", "order")]

    assert [each for each in found if not is_meant(route, each)] == []
    assert ours["data"].keys() >= theirs["data"].keys()


def test_jobs_have_the_recorded_keys_and_kinds_of_values(restapi: Gateway) -> None:
    theirs = recorded("queue")
    found = restapi.get("/queue").json["data"]
    by_state: dict[str, Any] = {job["job_state"]: job for job in found.values()}

    for kind in ("22", "78", "27"):
        ours = by_state[theirs[kind]["job_state"]]
        unmeant = [
            each
            for each in differences({"data": {"1": theirs[kind]}}, {"data": {"1": ours}})
            if each.kind in ("missing", "extra") and not is_meant("queue", each)
            if not each.path.startswith((".data.1.cpus_alloc",))
        ]
        assert unmeant == []


def test_each_job_asks_for_what_the_recorded_one_does(restapi: Gateway) -> None:
    def by_kind(jobs: dict[str, Any]) -> dict[tuple[object, ...], dict[str, Any]]:
        return {
            (job["partition"], job["job_state"], job["time_limit"]): job for job in jobs.values()
        }

    theirs, ours = by_kind(recorded("queue")), by_kind(restapi.get("/queue").json["data"])
    kinds = [kind for kind in theirs if "CANCELLED" not in kind and kind in ours]
    names = SPELLED | {name: name for name in ASKED}
    for kind in kinds:
        expected = {ours_of: theirs[kind][theirs_of] for theirs_of, ours_of in names.items()}
        if kind[1] != "PENDING":
            expected["max_nodes"] = None
        assert {name: ours[kind][name] for name in expected} == expected, kind

    assert len(kinds) == 8
    (user,) = {job["user_name"] for job in ours.values()}
    (known,) = restapi.get(f"/users?name={user}").json["data"]
    assert {job["assoc_id"] for job in ours.values()} == {known["id_assoc"]}
    suspended = ours["main", "SUSPENDED", 60]
    assert suspended["suspend_time"] >= suspended["start_time"] > 0
    assert {(job["alloc_node"] != "", job["alloc_sid"] > 0) for job in ours.values()} == {
        (True, True)
    }


def test_each_job_holds_the_cpus_that_slurm_says(restapi: Gateway, site: Cluster) -> None:
    found = restapi.get("/queue").json["data"].values()

    (two_nodes,) = (job for job in found if job["partition"] == "high" and job["nodes"])
    assert two_nodes["cpus_allocated"] == {"n1": 3, "n2": 1}
    assert [len(ids) for ids in two_nodes["cpus_alloc_layout"].values()] == [3, 1]
    listed = site.must("squeue", "--noheader", "--states=all", "--format=%A").split()
    assert {str(job["job_id"]) for job in found} == {*listed}


def test_a_comparator_is_passed_on_raw_and_encoded(restapi: Gateway) -> None:
    def numbers(path: str) -> list[int]:
        return [job["id_job"] for job in restapi.get(path).json["data"]]

    eventually(lambda: len(numbers("/history?limit=100")) >= 6, "the accounting has heard")
    everything = numbers("/history?limit=100")
    middle = sorted(everything)[2]
    for sign, encoded in (("<=", "%3C%3D"), (">=", "%3E%3D"), ("<", "%3C"), (">", "%3E")):
        wanted = [number for number in everything if eval(f"{number}{sign}{middle}")]  # noqa: S307 - numbers
        for written in (sign, encoded):
            assert numbers(f"/history?limit=100&jobid{written}{middle}") == wanted
    both = numbers(f"/history?jobid>={middle}&jobid<={middle}")
    assert both == [middle]


def test_users_are_those_of_the_accounting(restapi: Gateway, slurm_users: tuple[str, ...]) -> None:
    (found,) = restapi.get(f"/users?name={slurm_users[0]}").json["data"]

    assert (found["user"], found["acct"], found["partition"]) == (slurm_users[0], "physics", "")


def test_the_load_is_archived_and_shown_as_recorded(restapi: Gateway) -> None:
    eventually(lambda: len(restapi.get("/load?time=60").json["data"]) >= 3, "it samples")
    theirs = recorded("load, default time")
    (ours,) = restapi.get("/load").json["data"]

    assert [each.path for each in differences(theirs, [ours]) if each.kind != "value"] == []
    assert (ours["total_load"], ours["alloc_cpus"], ours["alloc_mem"]) == (0.375, 12, 24_300)


def test_its_pages_may_be_read_by_any_site_and_its_index_tries_them(restapi: Gateway) -> None:
    answered = restapi.get("/usage", origin="http://front.example.org")

    assert answered.headers["access-control-allow-origin"] == "http://front.example.org"
    assert b"Route OK!" in restapi.get("/").body


def test_its_port_serves_it_alone(restapi: Gateway) -> None:
    assert restapi.get("/api/v1/jobs").status == 404
    assert restapi.get("/queue").status == 200


def test_the_originals_archive_is_taken_over_once(site: Cluster, tmp_path: Path) -> None:
    samples = recorded("load time=86400 (front end)")
    archive = tmp_path / "db.json"
    table = {str(number): each for number, each in enumerate(samples, start=1)}
    archive.write_text(json.dumps({"_default": table}), encoding="utf-8")
    tools = fast_tools(tmp_path / "bin", site.environ)
    program = program_for(site, tools, tmp_path, 1)

    first = program.run("import", "restapi", str(archive))
    again = program.run("import", "restapi", str(archive))
    other = program.run("import", "restapi", str(archive), "--cluster", "nowhere")

    assert (first.returncode, first.stdout.split(",")[0]) == (0, "lab: 3 samples taken over")
    assert again.stdout.split(",")[0] == "lab: 0 samples taken over"
    assert (other.returncode, "no cluster nowhere" in other.stderr) == (78, True)


def test_a_key_without_effect_is_said_at_start(site: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "own.yml"
    config.write_text("system: {debug: True, archive_path: db.json}", encoding="utf-8")
    with serving(site, tmp_path, SLURM_REST_API_CONFIG=str(config)) as gateway:
        said = gateway.daemon.log_file.read_text()

    assert "config.not_honoured" in said
    assert "system.debug" in said
    assert "import restapi db.json" in said


def test_a_slurmctld_that_is_away_is_never_an_empty_answer(
    new_gateway: NewGateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    """It leaves the last picture, marked; who asks for the first time is told so with 503."""
    number = _submit(lab, slurm_users[0], "--hold")
    routes = ("/queue", "/nodes", "/usage")
    with new_gateway() as gateway:
        before = {route: gateway.get(route).json["data"] for route in routes}
        lab.stop_daemon("slurmctld")
        try:
            eventually(lambda: "warning" in gateway.get("/queue").headers, "silence is noticed", 60)
            answered = {route: gateway.get(route) for route in routes}
            first = gateway.get("/stats")
        finally:
            lab.start_daemon("slurmctld")
        eventually(lambda: "warning" not in gateway.get("/queue").headers, "it is back", 60)

    assert str(number) in before["/queue"]
    assert {route: each.json["data"] for route, each in answered.items()} == before
    assert (first.status, [*first.json]) == (503, ["errors"])
    assert "retry-after" in first.headers

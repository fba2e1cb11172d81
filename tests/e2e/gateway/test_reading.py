"""Reading through the real gateway: true, fresh, and one question to slurmctld however many ask."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway, listings_asked, questions_asked
from tests.e2e.program import eventually

HOSTILE = "x|RUNNING\n1|root|\x1f</script>'\"; --wrap"


def submit(lab: Cluster, user: str, command: str = "sleep 600", *options: str) -> int:
    return lab.submit(user, "physics", command, "--output=/dev/null", *options)


def test_a_job_is_followed_from_the_queue_to_the_accounting(
    gateway: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    number = submit(lab, slurm_users[0], "true", f"--job-name={HOSTILE}", "--comment=a mark")

    ended = gateway.get(f"/api/v1/jobs/{number}?wait=60&until=terminal").json

    assert (ended["user"], ended["name"], ended["comment"]) == (
        slurm_users[0],
        HOSTILE,
        "a mark",
    )
    assert (ended["terminal"], ended["outcome"], ended["exit"]["code"]) == (True, "success", 0)

    def is_in_history() -> bool:
        jobs = gateway.get(f"/api/v1/history?job_id={number}").json["jobs"]
        return [job["outcome"] for job in jobs] == ["success"]

    eventually(is_in_history, "the accounting has the job")


def test_what_one_lists_is_what_squeue_lists(
    gateway: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    numbers = {submit(lab, user, "true", "--hold", "--array=1-3") for user in slurm_users[:2]}

    bare = lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%i").split()

    def ids() -> set[str]:
        return {job["job_id"] for job in gateway.get("/api/v1/jobs?limit=0").json["jobs"]}

    eventually(lambda: ids() == set(bare), "a list younger than the jobs has them all")
    listed = gateway.get("/api/v1/jobs?limit=0").json["jobs"]
    assert numbers <= {job["array"]["job_id"] for job in listed if job["array"]}


def test_fifty_who_ask_at_once_cost_slurmctld_one_question(
    new_gateway: NewGateway, lab: Cluster
) -> None:
    with new_gateway(GATEWAY_JOBS_AGE="60s") as gateway, ThreadPoolExecutor(50) as pool:
        before = listings_asked(lab)
        answers = list(pool.map(lambda _: gateway.get("/api/v1/jobs?limit=0"), range(50)))

        assert {answer.status for answer in answers} == {200}
        assert listings_asked(lab) - before == 1


def test_fifty_who_ask_for_the_originals_queue_at_once_cost_slurmctld_two_questions(
    new_gateway: NewGateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    """For jobs and for their details; how long it keeps those that ended is of another kind."""
    number = submit(lab, slurm_users[0], "true", "--hold", "--mem=64")
    told = {"GATEWAY_JOBS_AGE": "60s", "GATEWAY_LOAD_ARCHIVE": "false"}
    with new_gateway(**told) as gateway, ThreadPoolExecutor(50) as pool:
        before = questions_asked(lab)
        answers = list(pool.map(lambda _: gateway.get("/queue"), range(50)))
        cost = questions_asked(lab) - before

    assert {answer.json["data"][str(number)]["min_memory_node"] for answer in answers} == {64}
    assert cost["REQUEST_JOB_INFO"] == 2
    assert [kind for kind, count in cost.items() if "INFO" in kind and count > 2] == []


def test_nodes_partitions_and_counters_are_the_clusters_own(gateway: Gateway, lab: Cluster) -> None:
    nodes = gateway.get("/api/v1/nodes").json["nodes"]
    (cluster,) = gateway.get("/api/v1/clusters").json["clusters"]

    assert [node["name"] for node in nodes] == lab.must(
        "sinfo", "--noheader", "--Node", "--format=%N"
    ).split()
    assert (cluster["reachable"], cluster["is_default"]) == (True, True)
    assert cluster["slurm"]
    for path in ("partitions", "reservations", "licenses", "qos", "statistics", "users"):
        assert gateway.get(f"/api/v1/{path}").status == 200, path
    assert b"slurm_up" in gateway.get("/metrics").body


# Silence


def test_a_slurmctld_that_stops_and_comes_back_is_never_an_empty_queue(
    gateway: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    number = submit(lab, slurm_users[0], "true", "--hold")
    path = f"/api/v1/jobs?job_id={number}"
    eventually(lambda: gateway.get(path).json["total"] == 1, "a list younger than the job has it")
    lab.stop_daemon("slurmctld")
    try:
        eventually(lambda: "warning" in gateway.get(path).headers, "the silence is noticed", 60)
        answers = [gateway.get(path) for _ in range(20)]
        assert {answer.json["total"] for answer in answers} == {1}
        assert gateway.get("/readyz").status == 503
        assert gateway.get("/api/v1/jobs/999999").status == 503
    finally:
        lab.start_daemon("slurmctld")

    eventually(lambda: "warning" not in gateway.get(path).headers, "it answers again", 60)
    assert gateway.get(path).json["total"] == 1


def test_a_gateway_that_starts_before_slurmctld_says_so_and_serves_as_soon_as_it_can(
    new_gateway: NewGateway, lab: Cluster
) -> None:
    lab.stop_daemon("slurmctld")
    try:
        with new_gateway() as gateway:
            silent = gateway.get("/api/v1/jobs")
            assert silent.status == 503
            assert int(silent.headers["retry-after"]) >= 1
            assert silent.json["type"].endswith(":not-now")
            lab.start_daemon("slurmctld")
            eventually(lambda: gateway.get("/api/v1/jobs").status == 200, "it serves", 60)
    finally:
        lab.start_daemon("slurmctld")


# Events


def lines(stream: HTTPResponse) -> Iterator[str]:
    while line := stream.readline():
        yield line.decode().rstrip("\n")


def test_events_tell_of_a_job_until_its_end(
    gateway: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    states = []
    with gateway.opened("GET", f"/api/v1/events?user={slurm_users[1]}") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        number = submit(lab, slurm_users[1], "sleep 2")
        for line in lines(stream):
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if event.get("job_id") == str(number):
                    states.append(event["state"])
                    if event["terminal"]:
                        break
    assert states[-1] == "COMPLETED"
    assert len(states) == len(set(states))


# Starting and stopping


def test_sigterm_ends_it_well_with_a_stream_open(gateway: Gateway) -> None:
    with gateway.opened("GET", "/api/v1/events"):
        assert gateway.daemon.stop(timeout=30) == 0
    assert "gateway.stopped" in gateway.daemon.log


def test_a_port_that_is_taken_is_named_and_tried_again_later(
    new_gateway: NewGateway, tmp_path: Path
) -> None:
    own = {"GATEWAY_STATE_DIR": str(tmp_path / "own")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with new_gateway() as gateway:
            done = gateway.program.run(GATEWAY_LISTEN=f"127.0.0.1:{port}", **own)

    assert done.returncode == 75
    assert f"cannot listen on port {port}" in done.stderr


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"GATEWAY_LISTEN": "0.0.0.0:8040"}, "is not loopback, and there is no TLS"),
        ({"GATEWAY_LISTEN": "8040"}, "GATEWAY_LISTEN: found '8040', expected addresses such as"),
        ({"GATEWAY_ANONYMOUS_SCOPES": "jobs:all"}, "expected one of cluster:read"),
        ({"GATEWAY_TLS_KEY": "/k.pem"}, "GATEWAY_TLS_KEY is set without GATEWAY_TLS_CERTIFICATE"),
        ({"GATEWAY_TLS_CERTIFICATE": "/nowhere.pem"}, "cannot use /nowhere.pem"),
        ({"GATEWAY_CLUSTERS": "a b=slurm.conf"}, "expected clusters such as alpha"),
    ],
)
def test_mistakes_in_the_settings_are_told_before_anything_begins(
    gateway: Gateway, tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    free = {
        "GATEWAY_LISTEN": f"127.0.0.1:{gateway.port + 1}",
        "GATEWAY_STATE_DIR": str(tmp_path / "own"),
    }

    done = gateway.program.run(**(free | variables))

    assert done.returncode == 78
    assert words in done.stderr
    assert "gateway.listening" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reload_without_a_certificate_changes_nothing(gateway: Gateway) -> None:
    gateway.daemon.signal(signal.SIGHUP)
    gateway.daemon.hears("RELOADING=1")
    gateway.daemon.hears("READY=1")

    assert gateway.get("/healthz").status == 200


# TLS


def certificate(directory: Path, name: str) -> Path:
    """Make one of its own for this machine, with its key in the same file."""
    file = directory / f"{name}.pem"
    argv = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    more = (
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    )
    made = (*argv, *more, "-keyout", str(file), "-out", str(directory / "public.pem"))
    subprocess.run(made, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (directory / "public.pem").read_bytes())
    return file


def test_tls_is_served_and_a_renewed_certificate_is_taken_at_a_reload(
    new_gateway: NewGateway, tmp_path: Path
) -> None:
    file = certificate(tmp_path, "first")
    trusting = ssl.create_default_context(cafile=str(file))
    with new_gateway(tls=trusting, GATEWAY_TLS_CERTIFICATE=str(file)) as gateway:
        assert gateway.get("/healthz").status == 200
        shutil.copy(certificate(tmp_path, "second"), file)
        gateway.daemon.signal(signal.SIGHUP)
        gateway.daemon.hears("RELOADING=1")
        gateway.daemon.hears("READY=1")
        with pytest.raises(ssl.SSLCertVerificationError):
            gateway.get("/healthz")
        gateway.tls = ssl.create_default_context(cafile=str(file))
        assert gateway.get("/healthz").status == 200


def test_a_certificate_that_cannot_be_read_leaves_the_one_before(
    new_gateway: NewGateway, tmp_path: Path
) -> None:
    file = certificate(tmp_path, "first")
    trusting = ssl.create_default_context(cafile=str(file))
    with new_gateway(tls=trusting, GATEWAY_TLS_CERTIFICATE=str(file)) as gateway:
        file.write_text("no certificate")
        gateway.daemon.signal(signal.SIGHUP)
        gateway.daemon.hears("READY=1")
        assert gateway.get("/healthz").status == 200
        assert "reload.refused" in gateway.daemon.log

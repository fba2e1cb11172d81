"""A Slurm that stops, hangs, restarts or loses its memory while clients ask: nothing is made up.

What is counted are answers and what they say, never how long they took.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.gateway import Answer, Gateway, running
from tests.e2e.program import eventually, fast_tools
from tests.fixtures_slurm import NewCluster

CLIENTS = 4
COMMANDS_TAKE = "4s"


@pytest.fixture(scope="module")
def fragile(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    """A cluster of this module's own, which may lose everything."""
    cluster = new_slurm_cluster(ClusterOptions())
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    cluster.must("sacctmgr", "--immediate", "add", "user", slurm_users[0], "account=physics")
    return cluster


@pytest.fixture
def gateway(
    fragile: Cluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    tools = fast_tools(tmp_path_factory.mktemp("tools") / "bin", fragile.environ)
    with running(
        fragile,
        tools,
        tmp_path,
        GATEWAY_COMMAND_TIMEOUT=COMMANDS_TAKE,
        GATEWAY_LOG_LEVEL="debug",
        GATEWAY_LOG_FORMAT="json",
    ) as started:
        yield started


class Heard:
    """What clients were told."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def count(self, status: int) -> int:
        return self.statuses[status]


@contextmanager
def clients(gateway: Gateway, path: str) -> Iterator[Heard]:
    """Ask for `path` over and over, some at once, until the body ends."""
    heard, is_over = Heard(), Event()

    def ask() -> None:
        while not is_over.wait(0.02):
            heard.answers.append(gateway.get(path))

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask) for _ in range(CLIENTS)]
        try:
            yield heard
        finally:
            is_over.set()
        for each in asking:
            each.result()


def is_fresh(gateway: Gateway, path: str) -> bool:
    answer = gateway.get(path)
    return answer.status == 200 and "warning" not in answer.headers


def stop_and_start(cluster: Cluster, name: str, wait: Callable[[], None]) -> None:
    cluster.stop_daemon(name)
    try:
        wait()
    finally:
        cluster.start_daemon(name)


def freeze_and_thaw(cluster: Cluster, name: str, wait: Callable[[], None]) -> None:
    cluster.freeze(name)
    try:
        wait()
    finally:
        cluster.thaw(name)


def kill_and_start(cluster: Cluster, name: str, wait: Callable[[], None]) -> None:
    cluster.kill_daemon(name)
    try:
        wait()
    finally:
        cluster.start_daemon(name)


Trouble = Callable[[Cluster, str, Callable[[], None]], None]


def readings(log: str) -> list[str]:
    """What became of each reading of the jobs, and when they were there again, in their order."""
    told = []
    for line in log.splitlines():
        event = json.loads(line)
        if event["event"] == "slurm.command" and "squeue --all" in event["command"]:
            told.append("failed" if event["code"] else "read")
        elif event["event"] == "slurm.answers" and event["thing"] == "jobs":
            told.append("shown")
    return told


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(stop_and_start, marks=pytest.mark.fault("slurmctld is down, or is restarted")),
        pytest.param(freeze_and_thaw, marks=pytest.mark.fault("slurmctld hangs, or is slow")),
        pytest.param(kill_and_start, marks=pytest.mark.fault("slurmctld is down, or is restarted")),
    ],
)
def test_no_trouble_of_slurmctld_makes_a_job_gone_or_another_one(
    fragile: Cluster, gateway: Gateway, slurm_users: tuple[str, ...], trouble: Trouble
) -> None:
    number = fragile.submit(slurm_users[0], "physics", "true", "--hold", "--output=/dev/null")
    path = f"/api/v1/jobs/{number}"
    listing = f"/api/v1/jobs?job_id={number}"
    eventually(lambda: is_fresh(gateway, path), "the job is shown")

    def wait() -> None:
        def is_noticed() -> bool:
            return any("warning" in answer.headers for answer in heard.answers)

        eventually(is_noticed, "the silence is noticed", 60)

    with clients(gateway, path) as heard, clients(gateway, listing) as listed:
        trouble(fragile, "slurmctld", wait)
        fragile.must("squeue", "--noheader", timeout=60)
        before = gateway.daemon.log.rindex("\n") + 1
        eventually(lambda: is_fresh(gateway, path), "it answers again", 60)

    # The one that was under way may fail; the first after it is what is shown.
    since = " ".join(readings(gateway.daemon.log[before:]))
    assert re.fullmatch("(failed ?)?(read( shown)?( read)*)?", since)
    assert heard.statuses.keys() <= {200, 503}
    assert heard.count(200) > 0
    assert {a.json["state"]["base"] for a in heard.answers if a.status == 200} == {"PENDING"}
    assert listed.statuses.keys() <= {200, 503}
    assert {a.json["total"] for a in listed.answers if a.status == 200} == {1}
    assert {a.headers["retry-after"].isdecimal() for a in heard.answers if a.status == 503} <= {
        True
    }


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(stop_and_start, marks=pytest.mark.fault("slurmdbd is down, or is restarted")),
        pytest.param(freeze_and_thaw, marks=pytest.mark.fault("slurmdbd hangs, or is slow")),
    ],
)
def test_trouble_of_slurmdbd_takes_history_alone(
    fragile: Cluster, gateway: Gateway, slurm_users: tuple[str, ...], trouble: Trouble
) -> None:
    held = fragile.submit(slurm_users[0], "physics", "true", "--hold", "--output=/dev/null")
    queue, absent = f"/api/v1/jobs/{held}", "/api/v1/jobs/999999"
    eventually(lambda: is_fresh(gateway, queue), "the job is shown")
    assert gateway.get(absent).status == 404

    def wait() -> None:
        eventually(lambda: gateway.get(absent).status == 503, "the silence is noticed", 60)
        answers = [gateway.get(absent) for _ in range(5)]
        assert {answer.status for answer in answers} == {503}
        assert gateway.get("/api/v1/history").status == 503

    with clients(gateway, queue) as heard:
        trouble(fragile, "slurmdbd", wait)

    assert heard.statuses.keys() == {200}
    assert not any("warning" in answer.headers for answer in heard.answers)
    eventually(lambda: gateway.get(absent).status == 404, "the accounting is back", 60)
    eventually(lambda: gateway.get("/api/v1/history").status == 200, "so is history", 60)


@pytest.mark.fault("slurmctld has lost its memory")
def test_a_slurmctld_that_lost_its_memory_makes_no_running_job_gone(
    fragile: Cluster, gateway: Gateway, slurm_users: tuple[str, ...]
) -> None:
    number = fragile.submit(slurm_users[0], "physics", "sleep 600", "--output=/dev/null")
    path = f"/api/v1/jobs/{number}"

    def state() -> str:
        answer = gateway.get(path)
        return str(answer.json["state"]["base"]) if answer.status == 200 else ""

    def accounting() -> set[str]:
        said = fragile.must("sacct", "--allusers", "-X", "-n", "-P", f"-j{number}", "-oState")
        return {line.split()[0] for line in said.splitlines()}

    eventually(lambda: state() == "RUNNING", "the job runs")
    eventually(lambda: accounting() == {"RUNNING"}, "the accounting has heard of it")
    config = fragile.must("scontrol", "show", "config")
    found = re.search(r"^StateSaveLocation\s*=\s*(\S+)$", config, re.MULTILINE)
    assert found
    with clients(gateway, path) as heard:
        fragile.stop_daemon("slurmctld")
        shutil.rmtree(found[1])
        Path(found[1]).mkdir(mode=0o700)
        fragile.start_daemon("slurmctld")
        eventually(lambda: is_fresh(gateway, "/api/v1/jobs"), "the new one answers", 60)
        eventually(lambda: is_fresh(gateway, path), "the job is found in the accounting", 60)

    assert heard.statuses.keys() <= {200, 503}
    told = {a.json["state"]["base"] for a in heard.answers if a.status == 200}
    assert told <= {"RUNNING", "COMPLETING"} | accounting()

"""The agent is stopped, frozen, started twice or killed with its host; nothing is lost by it."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import DialectName, Waldur
from tests.e2e.program import Daemon, Program, eventually
from tests.e2e.pull_program import IDLE
from tests.e2e.pull_site import LiveSite
from tests.fixtures_program import NewProgram
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from tests.patience import AT_ONCE_S
from tests.trust.size import CLUSTER, SEED, count, size

NEVER = "1d"
TRY_AGAIN = 75
LONGEST_CYCLE_S = 2.5
"""About how long a cycle takes on a quiet machine: a moment within it is chosen at random."""
LONGER_THAN_A_REQUEST_S = 5.0
"""With `REQUESTS_TIMEOUT=1` no request may take longer than four seconds."""


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


def dice_of(fault: str) -> random.Random:
    return random.Random(f"{fault} {SEED}")  # noqa: S311 - chance, not secrecy


def order(waldur: Waldur, name: str) -> str:
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    return waldur.order_create(project, name, {"cpu": 10}).resource_uuid


def assert_made_once(waldur: Waldur, cluster: Cluster, resource: str) -> None:
    listed = cluster.must("sacctmgr", "-nP", "show", "account", "format=account,descr")
    assert listed.count(f"/{resource}") == 1
    assert waldur.resource(resource)["state"] == "OK"
    assert {each["state"] for each in waldur.orders(resource)} == {"done"}


def test_asked_to_stop_at_any_moment_it_ends_within_seconds_and_the_next_one_carries_on(
    waldur: Waldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    dice = dice_of("stop")
    program = new_program(waldur, WALDUR_SYNC_INTERVAL=NEVER)
    for number in range(size(3, 60)):
        resource = order(waldur, f"stopped{number}")
        with program.daemon() as daemon:
            daemon.hears("STATUS=a cycle is running")
            time.sleep(dice.uniform(0, LONGEST_CYCLE_S))
            began = time.monotonic()
            code = daemon.stop(timeout=60)
            took = time.monotonic() - began
            log = daemon.log

        assert code == 0, log
        assert took < AT_ONCE_S
        assert "agent.stopped" in log
        assert "ERROR" not in log
        assert program.run("once").returncode == 0
        assert_made_once(waldur, slurm_cluster, resource)
        count("fault of the agent: SIGTERM at a random moment")


def test_frozen_for_longer_than_any_request_it_goes_on_where_it_was(
    waldur: Waldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    dice = dice_of("freeze")
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1", REQUESTS_TIMEOUT="1")
    for number in range(size(1, 15)):
        resource = order(waldur, f"frozen{number}")
        with program.daemon() as daemon:
            daemon.hears("STATUS=a cycle is running")
            time.sleep(dice.uniform(0, LONGEST_CYCLE_S))
            with frozen(daemon):
                beside = program.run("once")
                time.sleep(LONGER_THAN_A_REQUEST_S)
            eventually(
                lambda resource=resource: waldur.resource(resource)["state"] == "OK",  # type: ignore[misc]  # bound at once
                "the order is done",
            )
            daemon.hears("STATUS=last cycle ended well")
            assert daemon.stop(timeout=60) == 0
            assert "ERROR" not in daemon.log

        assert beside.returncode == TRY_AGAIN
        assert f"process {daemon.process.pid} already serves" in beside.stderr
        assert_made_once(waldur, slurm_cluster, resource)
        count("fault of the agent: frozen for seconds")


@contextmanager
def frozen(daemon: Daemon) -> Iterator[None]:
    daemon.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        daemon.signal(signal.SIGCONT)


def test_of_agents_started_at_once_one_runs_and_the_others_name_it(
    waldur: Waldur, new_program: NewProgram
) -> None:
    """The one that runs is killed, so that the next ones find a lock with a dead one's number."""
    program = new_program(waldur, WALDUR_SYNC_INTERVAL=NEVER)
    for _ in range(size(2, 25)):
        with ExitStack() as stack:
            agents = [stack.enter_context(started(program)) for _ in range(3)]
            eventually(lambda agents=agents: len(running(agents)) == 1, "two have ended", 60.0)  # type: ignore[misc]  # bound at once
            (winner,) = running(agents)
            for agent in agents:
                if agent is not winner:
                    said = agent.communicate()[1]
                    assert agent.returncode == TRY_AGAIN, said
                    assert f"process {winner.pid} already serves" in said
        count("fault of the agent: started three times at once")


@contextmanager
def started(program: Program) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        program.argv(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=program.environ,
    ) as agent:
        try:
            yield agent
        finally:
            agent.kill()


def running(agents: list["subprocess.Popen[str]"]) -> list["subprocess.Popen[str]"]:
    return [agent for agent in agents if agent.poll() is None]


@pytest.fixture(scope="module")
def own_cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    """A cluster that may be pulled down."""
    with new_slurm_cluster(CLUSTER) as cluster:
        yield cluster


@pytest.mark.parametrize("dialect", ["today", "transition"])
def test_a_termination_that_went_down_with_its_host_is_finished_later(
    dialect: DialectName,
    own_cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> None:
    ann, bob, _ = slurm_users
    dice = dice_of("reboot")
    site = LiveSite(own_cluster, start_waldur(dialect, allocation_delay=0.0), tmp_path)
    beside = site.allocate(site.make_project("Neighbours", bob), "neighbour")
    neighbour = site.account(beside)
    for _ in range(size(1, 12)):
        resource = site.allocate(site.make_project("Physics", ann))
        own_cluster.submit(ann, site.account(resource).name, "sleep 600", "--mem=10")
        site.waldur.order_terminate(resource)

        site.program.killed_at(dice.randrange(9), after=dice.random() < 0.5).run()
        reboot(own_cluster)

        eventually(lambda: site.run(cycles=8) == IDLE and site.is_absent(resource), "its end", 90.0)  # noqa: B023 - ends before the next round
        assert site.waldur.resource(resource)["state"] == "Terminated"
        assert {each["state"] for each in site.waldur.orders(resource)} == {"done"}
        assert site.account(beside) == neighbour
        count("fault of the agent: host rebooted during a termination")


def reboot(cluster: Cluster) -> None:
    """End every daemon and job as a power cut does, and start the daemons again."""
    for name in cluster.daemon_names:
        cluster.kill_daemon(name)
    for pid in job_processes(cluster):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for name in cluster.daemon_names:
        cluster.start_daemon(name)


def job_processes(cluster: Cluster) -> Iterator[int]:
    """What slurmd has started for jobs: it carries the cluster's SLURM_CONF."""
    mark = cluster.environ["SLURM_CONF"].encode()
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if place.name.isdecimal() and mark in (place / "environ").read_bytes():
                yield int(place.name)

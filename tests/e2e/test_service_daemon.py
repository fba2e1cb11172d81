"""The daemon as systemd runs it: it works by itself, heeds signals and ends when asked."""

import signal
import time
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.program import eventually
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from tests.places import PROJECT

NEVER = "1d"


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


def order(waldur: Waldur, name: str) -> str:
    """A customer orders an allocation; the answer is the resource."""
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    return waldur.order_create(project, name, {"cpu": 10}).resource_uuid


def has_account(cluster: Cluster, name: str) -> bool:
    return name in cluster.must("sacctmgr", "-nP", "show", "account", "format=account")


def test_an_order_becomes_an_account_within_an_interval(
    waldur: Waldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1")
    with program.daemon() as daemon:
        daemon.hears("READY=1")
        resource = order(waldur, "daily")

        name = f"hpc_{resource[:5]}_daily"
        eventually(lambda: has_account(slurm_cluster, name), f"the account {name}")
        daemon.hears("STATUS=last cycle ended well")

        assert daemon.stop() == 0
    assert waldur.tokens.provider not in "".join(program.said)


def test_an_idle_daemon_says_and_writes_nothing_after_it_was_registered(
    waldur: Waldur, new_program: NewProgram
) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1")
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        assert [agent["name"] for agent in waldur.agents()] == ["waldur-slurm-agent pull"]
        waldur.forget_requests()
        for _ in range(2):
            daemon.hears("STATUS=last cycle ended well")
        assert daemon.stop() == 0
        names = [line.split()[2] for line in daemon.log.splitlines()]

    assert names == ["agent.started", "waldur.dialect_found", "agent.stopped"]
    assert waldur.writes() == []


def test_a_signal_runs_a_cycle_now(waldur: Waldur, new_program: NewProgram) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL=NEVER)
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        daemon.signal(signal.SIGUSR1)
        daemon.hears("STATUS=a cycle is running")
        daemon.hears("STATUS=last cycle ended well")
        assert daemon.stop() == 0


def test_hangup_takes_over_the_tres_file_but_not_one_with_mistakes(
    waldur: Waldur, new_program: NewProgram, tmp_path: Path
) -> None:
    file = tmp_path / "tres.yaml"
    file.write_bytes((PROJECT / "config-components.yaml").read_bytes())
    program = new_program(waldur, WALDUR_SYNC_INTERVAL=NEVER, SLURM_TRES_CONFIG_PATH=str(file))
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: "reload.done" in daemon.log, "the file was read again")
        file.write_text("cpu: [", encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: "reload.refused" in daemon.log, "the broken file was refused")
        daemon.signal(signal.SIGUSR1)
        daemon.hears("STATUS=last cycle ended well")
        assert daemon.stop() == 0


def test_it_ends_in_the_middle_of_a_slow_cycle(
    waldur: Waldur, new_program: NewProgram, slurm_tools: Path, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    for tool in slurm_tools.iterdir():
        script = slow / tool.name
        script.write_text(tool.read_text().replace("exec ", "sleep 2\nexec "))
        script.chmod(0o755)
    program = new_program(waldur, SLURM_BIN_PATH=str(slow))
    resource = order(waldur, "slow")
    with program.daemon() as daemon:
        daemon.hears("STATUS=a cycle is running")
        time.sleep(1.5)
        assert daemon.stop(timeout=60) == 0
    assert waldur.resource(resource)["state"] != "OK", "the cycle was not cut short"

    # What it left is carried on by the next one.
    assert program.run("once").returncode == 0
    assert waldur.resource(resource)["state"] == "OK"


def test_two_agents_for_the_same_thing_do_not_run(waldur: Waldur, new_program: NewProgram) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL=NEVER)
    with program.daemon() as daemon:
        daemon.hears("READY=1")
        second = program.run()
        by_hand = program.run("once")
        reading = program.run("plan")
        assert daemon.stop() == 0

    assert (second.returncode, by_hand.returncode, reading.returncode) == (75, 75, 0)
    assert f"process {daemon.process.pid} already serves" in second.stderr


def test_a_daemon_that_was_killed_is_followed_by_one_that_carries_on(
    waldur: Waldur, new_program: NewProgram
) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1")
    with program.daemon() as daemon:
        daemon.hears("READY=1")
        daemon.process.kill()
        daemon.process.wait()
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        assert daemon.stop() == 0


def test_a_side_that_is_down_is_waited_for(waldur: Waldur, new_program: NewProgram) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1")
    waldur.kill()
    with program.daemon() as daemon:
        daemon.hears("STATUS=failed 1 time in a row")
        waldur.restart()
        daemon.hears("STATUS=last cycle ended well")
        assert "cycle.recovered" in daemon.log
        assert "ERROR" not in daemon.log
        assert daemon.stop() == 0

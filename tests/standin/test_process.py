"""The server as a process: on loopback alone, gone with its starter, and nothing lost by a kill."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from sandbox.waldur import Waldur, process
from sandbox.waldur.cli import main
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]

STARTER = """
import sys, time
from pathlib import Path
from sandbox.waldur import Waldur
waldur = Waldur.start(Path(sys.argv[1]), dialect="today")
print(waldur.pid, waldur.port, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_the_server_is_gone_after_kill_9_of_its_starter(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server, _ = (int(word) for word in starter.stdout.readline().split())
        assert is_alive(server)
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    assert wait_until_gone(server)


def test_a_kill_loses_nothing_that_was_answered(start_waldur: StartWaldur, asking: Asks) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.report(resource, cpu="3")
    before = ask.read(f"{ask.resources}/{resource}/")
    address = ask.waldur.url
    ask.waldur.kill()
    ask.waldur.restart()
    assert ask.waldur.url == address
    assert ask.read(f"{ask.resources}/{resource}/") == before


def test_it_listens_on_loopback_alone(start_waldur: StartWaldur) -> None:
    waldur = start_waldur("today")
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f":{waldur.port:04X}"
    addresses = {line.split()[1] for line in listening if line.split()[1].endswith(port)} - {
        f"0100007F{port}"
    }
    assert addresses == set()
    with socket.create_connection(("127.0.0.1", waldur.port), timeout=5):
        pass


def test_after_an_upgrade_the_same_state_speaks_the_new_dialect(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("classic")
    _, resource = asking(waldur).make_running()
    waldur.restart(dialect="today")
    shown = asking(waldur).read(f"marketplace-provider-resources/{resource}/")
    assert (shown["state"], "last_sync" in shown) == ("OK", True)


def test_from_the_command_line_it_ends_when_its_time_is_over(tmp_path: Path) -> None:
    assert main(["start", str(tmp_path), "--for", "1s"]) == 0
    found = process.running(tmp_path)
    assert found is not None
    assert wait_until_gone(found[0])
    reap(found[0])
    assert process.running(tmp_path) is None


def test_offering_and_token_can_be_those_of_an_env_file(
    tmp_path: Path,
) -> None:
    uuid, token = "e21a0f0030b447deb63bedf69db6742e", "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"
    assert main(["begin", str(tmp_path), "--offering", uuid, "--token", token]) == 0
    with Waldur.start(tmp_path) as waldur:
        assert (waldur.offering_uuid, waldur.tokens.provider) == (uuid, token)
        asked = requests.get(
            f"{waldur.url}marketplace-provider-offerings/{uuid}/",
            headers={"Authorization": f"Token {token}"},
            timeout=5,
        )
        assert asked.json()["uuid"] == uuid


def reap(pid: int) -> None:
    """In real use the starter is gone by then; here it is this process."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def test_the_command_line_plays_a_customer_from_order_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = str(tmp_path)

    def run(command: str, *words: str) -> str:
        assert main([command, where, *words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    shown = run("start", "--dialect", "transition", "--for", "1m")
    assert "http://127.0.0.1:" in shown
    found = process.running(tmp_path)
    assert found is not None
    try:
        run("customer", "Org")
        run("project", "Org", "Project")
        run("user", "ann")
        run("join", "Project", "ann")
        run("name", "ann", "ann1")
        run("create", "Project", "alloc", "--limit", "cpu=5", "--as-member")
        run("approve", run("show", "orders").split("│")[1].strip())
        run("flag", "alloc", "--paused")
        assert "pending-provider" in run("show", "orders")
        assert "paused" in run("show", "resources")
        assert "ann1" in run("show", "users")
        assert main(["update", where, "alloc", "--limit", "cpu=9"]) == 1
        assert "Valid states for operation: OK." in capsys.readouterr().err
        assert "stopped" in run("stop")
    finally:
        if process.running(tmp_path):
            process.stop_detached(tmp_path)
        reap(found[0])
    assert main(["status", where]) == 1

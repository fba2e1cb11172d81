"""A private RabbitMQ ends with whoever started it, however that ends, and so does its epmd."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.rabbitmq import Broker
from sandbox.slurm.daemons import listens
from tests.fixtures_slurm import open_directory
from tests.sandbox.processes import eventually, listening_addresses, lives, processes_of

OWNER = """
import sys, time
from pathlib import Path
from sandbox.rabbitmq import running_rabbitmq
with running_rabbitmq(Path(sys.argv[1])) as broker:
    print(broker.port, *broker.pids.values(), flush=True)
    time.sleep(600)
"""


@pytest.mark.usefixtures("_rabbitmq_is_here")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_and_its_epmd_end_with_their_owner(number: int) -> None:
    directory = open_directory()
    argv = [sys.executable, "-c", OWNER, str(directory)]
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout is not None
            port, *pids = map(int, owner.stdout.readline().split())
            assert listens(port)
            assert len(pids) == 2
            assert all(map(lives, pids))
            os.kill(owner.pid, number)
        assert eventually(lambda: not any(map(lives, pids)), 10)
        assert eventually(lambda: processes_of(directory) == [], 10)
        assert not listens(port)
    finally:
        shutil.rmtree(directory)


def test_a_broker_listens_on_loopback_alone(rabbitmq: Broker) -> None:
    of_it = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    beams = [pid for pid in of_it if _home(pid) == str(rabbitmq.directory)]

    found = set().union(*(listening_addresses(pid) for pid in beams))

    assert found
    assert found <= {"0100007F", "00000000000000000000000001000000"}


def _home(pid: int) -> str:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((each[5:].decode() for each in environ if each.startswith(b"HOME=")), "")

"""A private sshd ends with whoever started it, however that ends, and what it runs ends too."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.slurm.daemons import listens
from tests.fixtures_slurm import open_directory
from tests.fixtures_ssh import NewSshd
from tests.sandbox.processes import eventually

OWNER = """
import sys, time
from pathlib import Path
from sandbox.ssh import running_sshd
with running_sshd(Path(sys.argv[1])) as server:
    print(server.port, server.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_sshd_ends_with_its_owner(new_sshd: NewSshd, number: int) -> None:
    directory = open_directory()
    argv = [sys.executable, "-c", OWNER, str(directory)]
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout is not None
            port, pid = map(int, owner.stdout.readline().split())
            assert listens(port)
            os.kill(owner.pid, number)
        assert eventually(lambda: not Path(f"/proc/{pid}").exists(), 10)
        assert not listens(port)
    finally:
        shutil.rmtree(directory)


def test_an_sshd_that_was_ended_starts_again_on_its_port(new_sshd: NewSshd) -> None:
    with new_sshd("") as server:
        port, first = server.port, server.pid
        server.end()
        assert not listens(port)
        server.start()
        assert listens(port)
        assert server.pid != first
    assert not listens(port)

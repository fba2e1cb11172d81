"""How long an engine that was started here lives; a sleeping script stands for dockerd."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.docker.engine import LEASE, ROOT

PATIENCE_S = 10.0


class Kept:
    """A keeper with its stand-in for dockerd, which writes down its process number."""

    def __init__(self, place: Path) -> None:
        self.state, self.log, self._record = place / "state", place / "log", place / "dockerd.pid"
        self.state.mkdir()
        self.lease = self.state / "lease"
        self.lease.touch()
        stand_in = place / "dockerd"
        stand_in.write_text(f"#!/bin/sh\necho $$ >{self._record}\necho $*\nexec sleep 60\n")
        stand_in.chmod(0o755)
        argv = (sys.executable, "-m", "sandbox.docker.keeper", str(self.state), str(self.log))
        environ = {"PATH": f"{place}:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.keeper = subprocess.Popen(argv, cwd=ROOT, env=environ)
        self.wait_until(lambda: self._record.exists() and bool(self._record.read_text()))
        self.engine = int(self._record.read_text())

    @property
    def engine_runs(self) -> bool:
        try:
            stat = Path(f"/proc/{self.engine}/stat").read_text()
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.02)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.keeper.kill()
    made.keeper.wait()
    if made.engine_runs:
        os.kill(made.engine, signal.SIGKILL)


def test_the_engine_listens_on_a_unix_socket_only(kept: Kept) -> None:
    kept.wait_until(lambda: kept.log.read_text() != "")
    assert kept.log.read_text() == "--host unix:///var/run/docker.sock\n"


def test_the_engine_runs_while_its_lease_is_renewed(kept: Kept) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        kept.keeper.wait(3)
    assert kept.engine_runs


def test_the_engine_ends_when_nobody_renews_its_lease(kept: Kept) -> None:
    long_ago = time.time() - LEASE.total_seconds() - 1
    os.utime(kept.lease, (long_ago, long_ago))
    kept.keeper.wait(PATIENCE_S)
    assert not kept.engine_runs


def test_the_engine_ends_when_its_keeper_is_told_to(kept: Kept) -> None:
    kept.wait_until((kept.state / "keeper.pid").exists)
    kept.keeper.terminate()
    kept.keeper.wait(PATIENCE_S)
    assert not kept.engine_runs
    assert not (kept.state / "keeper.pid").exists()


def test_the_engine_ends_when_its_keeper_is_killed(kept: Kept) -> None:
    kept.keeper.kill()
    kept.wait_until(lambda: not kept.engine_runs)

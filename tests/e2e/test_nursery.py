"""Forked programs are started, told of and ended as those that Python starts anew."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.forked import run_to_its_end, start
from tests.places import PROJECT
from tests.sandbox.processes import eventually

TELLS = "tests.e2e.telling"
ENVIRON = {"PATH": os.defpath, "TZ": "Asia/Tokyo", "ONE": "1"}
STARTS_ONE = """
import os, sys
from tests.e2e.forked import start
started = start([sys.executable, "-m", "tests.e2e.telling", "waits"], {}, 1, 2)
print(started.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_is_forked_has_what_a_fresh_start_has() -> None:
    argv = [sys.executable, "-m", TELLS, "all", "a b"]
    fresh = subprocess.run(
        argv, cwd=PROJECT, env=ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )

    forked = run_to_its_end(argv, ENVIRON)

    assert (fresh.returncode, fresh.stderr) == (7, "to its error output")
    assert (forked.stdout, forked.stderr, forked.returncode) == (fresh.stdout, fresh.stderr, 7)


def test_a_signal_is_told_as_the_end(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        started = start([sys.executable, "-m", TELLS, "waits"], {}, said.fileno(), said.fileno())
    assert started.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(0.01)

    started.send_signal(signal.SIGTERM)

    assert started.wait(60) == started.poll() == -signal.SIGTERM


def test_nothing_is_left_of_tests_that_were_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS_ONE], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert eventually(lambda: not Path("/proc", done.stdout.strip()).exists(), 60)

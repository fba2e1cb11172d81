"""The command line does what its help says, in a form that a person and a shell can read."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures_slurm import open_directory
from tests.sandbox.processes import processes_of


def sandbox(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def directory(_slurm_is_here: None) -> Iterator[Path]:
    place = open_directory() / "lab"
    yield place
    if place.exists():
        sandbox("slurm", "wipe", str(place))
    place.parent.rmdir()


def test_a_cluster_outlives_the_command_that_started_it_until_it_is_wiped(directory: Path) -> None:
    started = sandbox("slurm", "start", str(directory), "--no-controller", "--lifetime", "5m")
    assert started.stderr == ""
    heading, blank, *table = started.stdout.splitlines()
    assert heading.startswith(f"lab in {directory} runs until ")
    assert blank == ""
    assert [line.split()[:2] for line in table] == [
        ["DAEMON", "STATE"],
        ["mariadbd", "up"],
        ["munged", "up"],
        ["slurmdbd", "up"],
    ]
    assert sandbox("slurm", "status", str(directory)).stdout == started.stdout
    again = sandbox("slurm", "start", str(directory))
    assert (again.returncode, again.stdout) == (0, started.stdout)

    env = sandbox("slurm", "env", str(directory)).stdout
    shell = f"{env}\nsacctmgr -nP list cluster format=cluster"
    asked = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, timeout=30)
    assert asked.stdout == "lab\n"

    assert sandbox("slurm", "freeze", str(directory), "munged").returncode == 0
    status = sandbox("slurm", "status", str(directory))
    assert status.returncode == 1
    assert "munged    frozen" in status.stdout
    assert sandbox("slurm", "thaw", str(directory), "munged").returncode == 0
    assert sandbox("slurm", "restart", str(directory), "slurmdbd").returncode == 0
    assert sandbox("slurm", "status", str(directory)).returncode == 0

    assert sandbox("slurm", "stop", str(directory)).returncode == 0
    assert processes_of(directory) == []
    stopped = sandbox("slurm", "status", str(directory)).stdout
    assert stopped.startswith(f"lab in {directory} is stopped\n")
    assert "munged    down" in stopped
    assert sandbox("slurm", "wipe", str(directory)).returncode == 0
    assert not directory.exists()


def test_what_is_not_a_cluster_is_told_in_one_line(tmp_path: Path) -> None:
    for command in ("status", "stop", "env", "wipe"):
        done = sandbox("slurm", command, str(tmp_path))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"{tmp_path} holds no cluster\n"
    assert tmp_path.exists()


def test_help_names_every_command() -> None:
    shown = sandbox("slurm", "--help").stdout
    for command in ("start", "stop", "status", "env", "wipe", "restart", "freeze", "thaw", "kill"):
        assert f"    {command} " in shown


def test_a_mistake_is_a_usage_error() -> None:
    assert sandbox("slurm", "start", "/nowhere", "--lifetime", "soon").returncode == 2
    assert sandbox("nonsense").returncode == 2
    assert sandbox().returncode == 2

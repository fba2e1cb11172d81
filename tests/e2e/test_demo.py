"""`make demo` as a newcomer meets it: real Slurm, the real program, and nothing left behind."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.demo.place import own_directory
from tests import readme
from tests.fixtures_slurm import open_directory
from tests.places import PROJECT

PATIENCE_S = 120

pytestmark = pytest.mark.usefixtures("_slurm_is_here")


@dataclass(frozen=True)
class Tour:
    shown: str
    left: tuple[str, ...]
    """Processes and files that are still there afterwards."""


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a demo makes its directory; nobody else's are there."""
    directory = open_directory()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def tour() -> Tour:
    """What somebody sees who types `make demo`, without a terminal."""
    place = open_directory()
    line = next(line for line in readme.lines("Try it") if line.startswith("make demo"))
    make, *words = shlex.split(line, comments=True)
    done = demo(place, make, "--silent", *words)
    left = (*processes_in(place), *(file.name for file in place.iterdir()))
    shutil.rmtree(place)
    assert done.returncode == 0, done.stdout + done.stderr
    return Tour(done.stdout, left)


def demo(place: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv,
        cwd=PROJECT,
        env=environ(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def environ(place: Path) -> dict[str, str]:
    path = os.environ["PATH"]  # noqa: TID251 - another Python would make the environment anew
    return {"PATH": path, "TMPDIR": str(place), "HOME": str(place)}


def processes_in(place: Path) -> list[str]:
    """Return the command lines of everything that was started in there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(place).encode() in told:
            found.append((process / "comm").read_text().strip())
    return found


def wait_until_empty(place: Path) -> None:
    deadline = time.monotonic() + 30
    while processes_in(place) or any(place.iterdir()):
        assert time.monotonic() < deadline, (processes_in(place), list(place.iterdir()))
        time.sleep(0.1)


def amounts(line: str) -> list[float]:
    return [float(word) for word in re.findall(r"\d+\.\d\d", line)]


def test_a_newcomer_sees_a_whole_round(tour: Tour) -> None:
    assert "approve order" in tour.shown
    assert len(re.findall(r" wsat-\w+ .* COMPLETED ", tour.shown)) == 3
    assert tour.shown.count("Nothing to do.") == 2


def test_it_reads_well_in_80_columns_and_without_a_terminal(tour: Tour) -> None:
    assert max(map(len, tour.shown.splitlines())) <= 80
    assert "\x1b" not in tour.shown


def test_nothing_is_left_behind(tour: Tour) -> None:
    assert tour.left == ()


def test_what_waldur_shows_is_what_slurm_counted(tour: Tour) -> None:
    shown = tour.shown.splitlines()
    jobs = [line.split() for line in shown if "COMPLETED" in line]
    used = {line.split()[0]: amounts(line) for line in shown if re.match(r" +wsat-\w+ .*\.", line)}
    total = {line.split()[0]: amounts(line) for line in shown if re.match(r"   [LM]\w+ .*\.", line)}
    assert len(jobs) == 3
    for _, user, _, _, seconds, cpus, memory, gpus in jobs:
        minutes = int(seconds) / 60
        in_minutes = [float(figure.rstrip("G")) * minutes for figure in (cpus, memory, gpus)]
        assert used[user] == pytest.approx(in_minutes, abs=0.006)
    both = [sum(pair) for pair in zip(used["wsat-ann"], used["wsat-bob"], strict=True)]
    assert total["Lattice"] == pytest.approx(both, abs=0.011)
    assert total["Melting"] == used["wsat-eve"]


def test_a_site_that_is_kept_can_be_played_with_and_ends_when_told(place: Path) -> None:
    done = demo(place, sys.executable, "-m", "sandbox", "demo", "--keep")
    stayed = re.search(r"`kill (\d+)`", done.stdout)
    assert stayed, done.stdout + done.stderr
    try:
        (shell,) = place.glob("waldur-slurm-demo-*/shell")
        played = subprocess.run(
            (
                *("sh", "-euc"),
                f". {shell}; waldur create Glaciers Storms --limit cpu=5; pull once;"
                " sacctmgr -nP show account format=account; waldur show orders",
            ),
            env=environ(place),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert played.returncode == 0, played.stdout + played.stderr
        assert "hpc_storms-1" in played.stdout.split()
        assert re.search(r"Storms +│ done", played.stdout)
    finally:
        os.kill(int(stayed[1]), signal.SIGTERM)
    wait_until_empty(place)


def test_a_demo_that_is_killed_leaves_no_process_and_the_next_one_tidies_up(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = subprocess.Popen(
        (sys.executable, "-m", "sandbox", "demo"),
        cwd=PROJECT,
        env=environ(place),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert victim.stdout is not None
    while "provider loads" not in victim.stdout.readline():
        assert victim.poll() is None
    assert "slurmctld" in processes_in(place)
    victim.kill()
    victim.communicate()

    deadline = time.monotonic() + 30
    while left := processes_in(place):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with own_directory() as directory:
        assert list(place.iterdir()) == [directory]

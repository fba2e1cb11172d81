"""`make demo FRONT=operator` as a newcomer meets it: it all happens, and nothing is left."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.kube.node import may_be_here
from tests import readme
from tests.e2e.test_demo import environ, processes_in
from tests.fixtures_slurm import open_directory, skip_here
from tests.places import PROJECT
from tests.sandbox.processes import eventually

pytestmark = [pytest.mark.usefixtures("_slurm_is_here"), pytest.mark.timeout(900)]

PATIENCE_S = 800
"""The image is built first, where it is not there yet."""
ENDS_IN_S = 120


@dataclass(frozen=True)
class Kept:
    """A site that stays, and what its tour showed."""

    shown: str
    place: Path
    pid: int

    def type(self, line: str) -> str:
        """Type a line in a shell that did what the tour says."""
        (kubeconfig,) = re.findall(r"^ +(export KUBECONFIG=\S+)$", self.shown, re.MULTILINE)
        (told,) = re.findall(r"^ +(\. \S+/told)$", self.shown, re.MULTILINE)
        (made,) = self.place.iterdir()
        done = subprocess.run(
            ("/bin/bash", "-euc", f"{kubeconfig}\n{told}\n{line}"),
            env={**environ(self.place), "HOME": str(made)},  # where kubectl keeps what it learns
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def demo(place: Path, *argv: str) -> str:
    done = subprocess.run(
        argv,
        cwd=PROJECT,
        env={**environ(place), "HOME": str(Path.home())},  # where Kubernetes lies that was built
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """What somebody sees who types the line of the README, and asks for it to stay."""
    if why := may_be_here():
        skip_here(why)
    place = open_directory()
    (line,) = (line for line in readme.lines("Try it") if "FRONT=operator" in line)
    make, *words = shlex.split(line, comments=True)
    shown = demo(place, make, "--silent", *words, "KEEP=1")
    (pid,) = re.findall(r"kill (\d+)`", " ".join(shown.split()))
    try:
        yield Kept(shown, place, int(pid))
    finally:
        os.kill(int(pid), signal.SIGTERM)
        is_gone = eventually(
            lambda: not processes_in(place) and not any(place.iterdir()), ENDS_IN_S, 0.3
        )
        assert is_gone, (processes_in(place), [*place.iterdir()])
        place.rmdir()


def told(shown: str) -> list[str]:
    return [" ".join(line.split()) for line in shown.splitlines()]


def test_the_node_carries_what_the_site_says(kept: Kept) -> None:
    lines = told(kept.shown)

    assert "slurm.sylabs.io/cuda=10.0" in lines
    assert "slurm.sylabs.io/workload-manager=slurm" in lines


def test_a_cow_says_moo_in_its_pods_log_and_its_file_is_in_the_claim(kept: Kept) -> None:
    lines = told(kept.shown)

    assert lines[lines.index("$ kubectl logs cow-job") + 1] == "moo"
    assert lines[lines.index("$ cat claim/cow/cow.txt") + 1] == "the cow says moo"
    assert re.search(r"^ +cow +Succeeded +1 +COMPLETED", kept.shown, re.MULTILINE)
    assert re.search(r"Normal +Collected +slurmjob/cow", kept.shown)


def test_the_job_of_who_was_deleted_is_cancelled(kept: Kept) -> None:
    assert "2 wsat-ann sbatch CANCELLED" in told(kept.shown)


def test_it_reads_well_in_80_columns(kept: Kept) -> None:
    assert max(map(len, kept.shown.splitlines())) <= 80
    assert "\x1b" not in kept.shown


def test_a_site_that_is_kept_can_be_played_with(kept: Kept) -> None:
    (apply,) = re.findall(r"^ +(kubectl apply -f \S+/bull.yaml)$", kept.shown, re.MULTILINE)
    kept.type(apply)
    kept.type("until squeue --states=RUNNING --noheader --format=%A | grep -q .; do sleep 1; done")
    kept.type("kubectl delete sj bull")

    assert kept.type("squeue --noheader --format=%A") == ""


def test_without_a_kubelet_it_says_what_is_left_out_and_a_kill_leaves_nothing_running() -> None:
    place = open_directory()
    shown = demo(
        place,
        *(sys.executable, "-m", "sandbox", "demo", "--front", "operator", "--keep"),
        "--without-node",
    )
    words = " ".join(shown.split())
    (pid,) = re.findall(r"kill (\d+)`", words)
    try:
        assert "No kubelet runs here" in words
        assert "results, which a pod collects, are left out" in words
        assert re.search(r"^ +cow +Succeeded +1 +COMPLETED", shown, re.MULTILINE)
        assert "kubectl logs" not in shown
        assert {"kube-apiserver", "slurmctld"} <= {*processes_in(place)}
    finally:
        os.kill(int(pid), signal.SIGKILL)
    assert eventually(lambda: not processes_in(place), ENDS_IN_S, 0.3), processes_in(place)
    shutil.rmtree(place)  # what a kill leaves are files; the next demo there removes them

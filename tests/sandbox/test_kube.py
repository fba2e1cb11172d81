"""A private Kubernetes serves, takes kill -9, and is gone with whoever started it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.kube import Bed, BedOptions
from sandbox.slurm.errors import SandboxError
from sandbox.slurm.keeping import ROOT
from tests.fixtures_kube import NewBed
from tests.sandbox.processes import eventually, processes_of

BARE = BedOptions(with_controllers=False)
SECONDS_TO_VANISH = 5

OWNER = """
import sys, time
from sandbox.kube import Bed
Bed.start(sys.argv[1])
print("ready", flush=True)
time.sleep(1000)
"""

A_KIND = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "cows.example.org"},
    "spec": {
        "group": "example.org",
        "names": {"kind": "Cow", "plural": "cows"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"says": {"type": "string"}},
                    }
                },
            }
        ],
    },
}
A_COW = {
    "apiVersion": "example.org/v1",
    "kind": "Cow",
    "metadata": {"name": "elsie"},
    "says": "moo",
}


def test_it_takes_a_kind_of_ones_own_and_objects_of_that_kind(bed: Bed) -> None:
    bed.must("apply", "-f", "-", said=json.dumps(A_KIND))
    bed.must("wait", "--for=condition=Established", "crd/cows.example.org")
    bed.must("apply", "-f", "-", said=json.dumps(A_COW))
    assert bed.must("get", "cows.example.org", "elsie", "-o", "jsonpath={.says}") == "moo"


def test_its_controllers_do_what_they_are_there_for(bed: Bed) -> None:
    bed.must("create", "namespace", "with-an-account")

    def has_account() -> bool:
        return bed.kubectl("-n", "with-an-account", "get", "serviceaccount", "default").code == 0

    assert eventually(has_account, 30)


def test_what_nobody_allowed_is_refused(bed: Bed) -> None:
    said = bed.kubectl("--as=somebody", "get", "nodes")
    assert said.code == 1
    assert "forbidden" in said.err


@pytest.fixture(scope="module")
def bare(new_bed: NewBed) -> Iterator[Bed]:
    """One whose parts may be killed and frozen: whoever does so sees to it that all is up again."""
    with new_bed(BARE) as made:
        yield made


def test_a_killed_api_server_comes_back_with_what_it_knew(bare: Bed) -> None:
    bare.must("create", "configmap", "kept", "--from-literal=a=b")
    bare.kill_daemon("kube-apiserver")
    assert bare.kubectl("get", "configmap", "kept", timeout=30).code == 1
    assert bare.states() == {"etcd": "up", "kube-apiserver": "SIGKILL"}
    bare.start_daemon("kube-apiserver")
    assert bare.must("get", "configmap", "kept", "-o", "jsonpath={.data.a}") == "b"


def test_two_serve_at_once_and_a_stopped_one_keeps_what_it_stored(
    new_bed: NewBed, bare: Bed
) -> None:
    with new_bed(BARE) as left:
        left.must("create", "namespace", "only-left")
        assert "only-left" not in bare.must("get", "namespaces")
        left.stop()
        assert left.pids() == {}
        again = Bed.start(left.place.directory)
        assert "only-left" in again.must("get", "namespaces")
        again.stop()


def test_a_frozen_part_answers_again_once_its_time_goes_on(bare: Bed) -> None:
    bare.freeze("kube-apiserver")
    said = bare.kubectl("--request-timeout=1s", "get", "namespaces")
    bare.thaw("kube-apiserver")
    assert said.code == 1
    assert "default" in bare.must("get", "namespaces")


@contextmanager
def running_owner(directory: Path) -> Iterator[int]:
    argv = [sys.executable, "-c", OWNER, str(directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "ready\n"
            yield owner.pid
        finally:
            owner.kill()


def test_kill_9_of_its_owner_ends_all_of_it(new_bed: NewBed, bed_directory: Path) -> None:
    with running_owner(bed_directory) as owner:
        parts = {"etcd", "kube-apiserver", "kube-scheduler"}
        names = {name[:15] for name in parts}
        assert names <= {name[:15] for name in processes_of(bed_directory)}
        os.kill(owner, signal.SIGKILL)
        assert eventually(lambda: not processes_of(bed_directory), SECONDS_TO_VANISH)


def test_a_start_that_fails_shows_why_and_leaves_no_process(
    new_bed: NewBed, bed_directory: Path
) -> None:
    Bed.start(bed_directory, BARE).stop()
    (bed_directory / "pki" / "server.key").write_text("no key")
    with pytest.raises(SandboxError, match="find any PEM data in key input"):
        Bed.start(bed_directory)
    assert processes_of(bed_directory) == []


def test_a_directory_that_holds_something_else_is_refused(
    new_bed: NewBed, bed_directory: Path
) -> None:
    (bed_directory / "thesis.tex").touch()
    with pytest.raises(SandboxError, match=r"holds no Kubernetes: thesis\.tex"):
        Bed.start(bed_directory)
    assert [file.name for file in bed_directory.iterdir()] == ["thesis.tex"]


def typed(*argv: str) -> subprocess.CompletedProcess[str]:
    argv = (sys.executable, "-m", "sandbox", "kube", *argv)
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_line_starts_one_that_outlives_it_and_wipes_it(
    new_bed: NewBed, bed_directory: Path
) -> None:
    directory = str(bed_directory)
    assert typed("start", directory, "--bare", "--lifetime", "10m").returncode == 0
    assert "kube-apiserver  up" in typed("status", directory).stdout
    told = f"export KUBECONFIG={bed_directory}/admin.kubeconfig\n"
    assert typed("env", directory).stdout == told
    assert typed("kill", directory, "kube-apiserver").returncode == 0
    assert typed("status", directory).returncode == 1
    assert typed("start-daemon", directory, "kube-apiserver").returncode == 0
    assert typed("status", directory).returncode == 0
    assert typed("wipe", directory).returncode == 0
    assert not bed_directory.exists()
    assert typed("stop", directory).stderr == f"{directory} holds no Kubernetes\n"

"""The resource daemon as its page says: applied to a real API server, labelling a real node."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.kube import Bed
from tests.e2e.operator.rights import is_allowed
from tests.places import PROJECT
from tests.sandbox.processes import eventually

FILE = PROJECT / "resource-daemon" / "deploy" / "resource-daemon.yaml"
PATIENCE_S, PAUSE_S = 60, 0.1
CORE = "/api/v1/namespaces/default"
CONFIG = """\
n1:
  slurm_local: http://localhost:8080
  resources: {cpu: 2, odd: x}
  labels: {cuda: 10.0, containers: singularity, infiniband: yes}
broken: 7
n2: {labels: {cuda: 11.0}}
"""


def say(bed: Bed, config: str) -> None:
    """Write the ConfigMap, as an administrator does."""
    named = {"metadata": {"name": "slurm-config", "namespace": "default"}}
    bed.api.apply({"apiVersion": "v1", "kind": "ConfigMap", **named, "data": {"config": config}})


def ours(bed: Bed, node: str) -> dict[str, str]:
    """What a node carries of ours: labels, and resources with a number sign."""
    found = bed.api.find(f"/api/v1/nodes/{node}")
    labels, capacity = found["metadata"].get("labels"), found["status"].get("capacity")
    counts = {f"{name}#": count for name, count in (capacity or {}).items()}
    both = {**(labels or {}), **counts}
    prefix = "slurm.sylabs.io/"
    return {
        name.removeprefix(prefix): value for name, value in both.items() if name.startswith(prefix)
    }


def kubeconfig_of_the_daemon(bed: Bed, place: Path) -> Path:
    """Be known as the daemon's own account, and as nobody else."""
    api = bed.api

    def named() -> list[str]:
        found = api.find(f"{CORE}/serviceaccounts/slurm-rd").get("secrets", [])
        return [each["name"] for each in found]

    def token() -> str:
        kept = [api.find(f"{CORE}/secrets/{name}").get("data", {}) for name in named()]
        return "".join(each.get("token", "") for each in kept)

    assert eventually(lambda: bool(token()), PATIENCE_S, PAUSE_S)
    config = json.loads(bed.kubeconfig.read_text())
    shown = base64.b64decode(token()).decode()
    config["users"] = [{"name": "me", "user": {"token": shown}}]
    file = place / "daemon.kubeconfig"
    file.write_text(json.dumps(config))
    return file


def environ_of(kubeconfig: Path) -> dict[str, str]:
    return {
        "KUBECONFIG": str(kubeconfig),
        "OPERATOR_NODES_EVERY": "1s",
        "PATH": os.environ["PATH"],  # noqa: TID251 - for the interpreter's own libraries
        "PYTHONPATH": str(PROJECT),
    }


def once(kubeconfig: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "waldur_slurm.operator.main", "resource-daemon", "--once"]
    return subprocess.run(
        argv, env=environ_of(kubeconfig), capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def running(kubeconfig: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "waldur_slurm.operator.main", "resource-daemon"]
    with (
        log.open("ab") as written,
        subprocess.Popen(argv, env=environ_of(kubeconfig), stderr=written) as daemon,
    ):
        try:
            yield daemon
        finally:
            daemon.kill()


@pytest.fixture(scope="module")
def bed(bed: Bed) -> Bed:
    """The shared Kubernetes, with two nodes that nobody runs."""
    for name in ("n1", "n2"):
        bed.api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    bed.must("apply", "-f", str(FILE))
    return bed


@pytest.fixture
def kubeconfig(bed: Bed, tmp_path: Path) -> Path:
    say(bed, "")
    file = kubeconfig_of_the_daemon(bed, tmp_path)
    once(file)
    return file


def test_nodes_carry_what_the_site_says_and_lose_it_again(bed: Bed, kubeconfig: Path) -> None:
    say(bed, CONFIG)
    said = once(kubeconfig)

    assert ours(bed, "n1") == {
        "cuda": "10.0",
        "containers": "singularity",
        "infiniband": "yes",
        "integration-type": "local",
        "workload-manager": "slurm",
        "cpu#": "2",
    }
    assert ours(bed, "n2") == {"cuda": "11.0", "workload-manager": "slurm"}
    assert "line 3: resource odd: 'x' is no whole number" in said.stderr
    assert "line 5: broken: names with values are expected" in said.stderr
    described = bed.must("describe", "no", "n1")
    for line in ("cuda=10.0", "containers=singularity", "infiniband=yes"):
        assert re.search(rf"slurm\.sylabs\.io/{line}$", described, re.MULTILINE)

    bed.must("label", "node", "n1", "slurm.sylabs.io/somebodys=own")
    say(bed, "n2: {labels: {cuda: 12.0}}\n")
    assert once(kubeconfig).returncode == 0
    assert ours(bed, "n1") == {"somebodys": "own"}
    assert ours(bed, "n2") == {"cuda": "12.0", "workload-manager": "slurm"}
    bed.must("label", "node", "n1", "slurm.sylabs.io/somebodys-")


def test_its_account_may_do_this_and_nothing_else(bed: Bed) -> None:
    def may(verb: str, resource: str, name: str = "", namespace: str = "default") -> bool:
        resource, _, part = resource.partition("/")
        asked = {"verb": verb, "resource": resource, "subresource": part, "name": name}
        return is_allowed(bed, "slurm-rd", **asked, namespace=namespace)

    assert may("list", "nodes")
    assert may("patch", "nodes")
    assert may("patch", "nodes/status")
    assert may("get", "configmaps", "slurm-config")
    for verb in ("create", "delete", "update"):
        assert not may(verb, "nodes")
    for asked in ("configmaps", "secrets", "pods", "services"):
        for verb in ("list", "create", "patch", "delete"):
            assert not may(verb, asked)
    assert not may("get", "configmaps", "other")
    assert not may("get", "configmaps", "slurm-config", "kube-system")


def test_without_a_config_map_nothing_is_changed_and_it_says_so(bed: Bed, kubeconfig: Path) -> None:
    say(bed, "n2: {labels: {cuda: 12.0}}\n")
    once(kubeconfig)
    bed.api.must("DELETE", f"{CORE}/configmaps/slurm-config")
    said = once(kubeconfig)

    assert said.returncode == 1
    assert "nothing is changed" in said.stderr
    assert ours(bed, "n2") == {"cuda": "12.0", "workload-manager": "slurm"}


def test_it_says_so_once_while_the_api_server_is_away_and_goes_on_after(
    bed: Bed, kubeconfig: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    say(bed, "n1: {labels: {cuda: 1.0}}\n")
    with running(kubeconfig, log) as daemon:
        assert eventually(lambda: ours(bed, "n1").get("cuda") == "1.0", PATIENCE_S, PAUSE_S)
        bed.kill_daemon("kube-apiserver")
        assert eventually(lambda: "did not answer" in log.read_text(), PATIENCE_S, PAUSE_S)
        time.sleep(3)
        bed.start_daemon("kube-apiserver")
        say(bed, "n1: {labels: {cuda: 2.0}}\n")
        assert eventually(lambda: ours(bed, "n1").get("cuda") == "2.0", PATIENCE_S, PAUSE_S)
        assert log.read_text().count("did not answer") == 1
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0


def test_a_kill_at_any_moment_leaves_what_the_next_one_puts_right(
    bed: Bed, kubeconfig: Path, tmp_path: Path
) -> None:
    for number in range(6):
        say(bed, f"n1: {{labels: {{l{number}: x}}, resources: {{r{number}: {number}}}}}\n")
        with running(kubeconfig, tmp_path / "log"):
            time.sleep(0.15 * (number + 2))
    assert once(kubeconfig).returncode == 0
    assert ours(bed, "n1") == {"l5": "x", "r5#": "5", "workload-manager": "slurm"}
    say(bed, "")
    once(kubeconfig)
    assert ours(bed, "n1") == {}

"""A private Kubernetes runs pods, and leaves the machine as it was."""

import json
import shutil
from pathlib import Path

import pytest

from sandbox.kube import Bed, BedOptions
from sandbox.kube.image import write_image
from sandbox.kube.node import SETTINGS, groups, may_be_here
from sandbox.slurm.keeping import PATH
from tests.fixtures_kube import NewBed
from tests.fixtures_slurm import skip_here
from tests.sandbox.processes import eventually, processes_of

IMAGE = "bed.local/busybox:1"
KERNEL = Path("/proc/sys")
PATIENCE_S, PAUSE_S = 60, 0.1
CORE = "/api/v1/namespaces/default"


@pytest.fixture(scope="module")
def untouched() -> dict[str, str]:
    """The machine's settings before a node was there."""
    return settings_of_the_machine()


@pytest.fixture(scope="module")
def node(
    new_bed: NewBed, tmp_path_factory: pytest.TempPathFactory, untouched: dict[str, str]
) -> Bed:
    require_node()
    busybox = shutil.which("busybox", path=PATH)
    if busybox is None:
        skip_here("NO BUSYBOX HERE, so this promise was not tested: make setup")
    bed = new_bed(BedOptions(with_node=True))
    archive = tmp_path_factory.mktemp("image") / "busybox.tar"
    write_image(
        archive, IMAGE, ["/bin/sh"], {"bin/busybox": Path(busybox), "bin/sh": Path(busybox)}
    )
    bed.load(archive)
    return bed


def require_node() -> None:
    why = may_be_here()
    if why:
        skip_here(why)


def a_pod(name: str, script: str, **spec: object) -> dict[str, object]:
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/bin/sh", "-c", script],
        **({"volumeMounts": spec.pop("mounts")} if "mounts" in spec else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container], **spec},
    }


def phase_of(bed: Bed, pod: str) -> str:
    return str(bed.api.find(f"{CORE}/pods/{pod}")["status"].get("phase", ""))


def run(bed: Bed, pod: dict[str, object]) -> str:
    """Run it to its end and return what it wrote."""
    account = f"{CORE}/serviceaccounts/default"
    assert eventually(lambda: bool(bed.api.find(account)), PATIENCE_S, PAUSE_S)
    bed.must("apply", "-f", "-", said=json.dumps(pod))
    name = str(pod["metadata"]["name"])  # type: ignore[index]  # it is one of `a_pod`
    assert eventually(lambda: phase_of(bed, name) == "Succeeded", PATIENCE_S, PAUSE_S), bed.must(
        "describe", "pod", name
    )
    return bed.must("logs", name)


def test_a_pod_runs_to_its_end_and_its_output_is_had(node: Bed) -> None:
    assert run(node, a_pod("cow", "echo moo")) == "moo\n"


def test_a_pod_has_an_address_of_its_own_and_its_way_leads_to_this_machine(node: Bed) -> None:
    said = run(node, a_pod("net", "busybox ip -4 -o addr; busybox ip route"))
    assert "10.87." in said
    assert "default via 10.87." in said


def test_a_pod_is_given_secrets_as_files_and_runs_as_whom_it_says(node: Bed) -> None:
    node.must("create", "secret", "generic", "job-token", "--from-literal=token=abc")
    pod = a_pod(
        "secretive",
        "busybox cat /token/token; busybox id -u",
        securityContext={"runAsNonRoot": True, "runAsUser": 65532},
        volumes=[{"name": "token", "secret": {"secretName": "job-token"}}],
        mounts=[{"name": "token", "mountPath": "/token", "readOnly": True}],
    )
    assert run(node, pod) == "abc65532\n"


def test_a_killed_kubelet_comes_back_and_runs_pods_again(node: Bed) -> None:
    node.kill_daemon("kubelet")
    node.start_daemon("kubelet")
    assert run(node, a_pod("again", "echo moo")) == "moo\n"


def test_it_leaves_the_machine_as_it_was(node: Bed, untouched: dict[str, str]) -> None:
    """The last one here: it ends the node that the others used."""
    made = groups(node.place)
    assert made
    assert all(group.is_dir() for group in made)
    assert settings_of_the_machine() == untouched
    assert str(node.place.directory) not in Path("/proc/self/mounts").read_text()
    node.wipe()
    assert [group for group in made if group.exists()] == []
    assert processes_of(node.place.directory) == []
    assert settings_of_the_machine() == untouched


def settings_of_the_machine() -> dict[str, str]:
    return {name: (KERNEL / name).read_text() for name in SETTINGS}

"""The original's document, step by step: a controller, the daemon, the operator, and a cow.

On a real API server with a real kubelet and a real Slurm, by one ConfigMap as the original had it.
The bed has one difference: its API server listens on loopback, so pods share its network.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from sandbox.kube import Bed
from sandbox.kube.people import NODE
from sandbox.kube.place import PORTS
from sandbox.slurm import Cluster
from sandbox.ssh import SshServer
from tests.e2e.gateway.controller_site import ControllerSite
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.operator.rights import is_allowed
from tests.e2e.operator.test_resource_daemon import ours
from tests.fixtures_hand import ANN, HandSite
from tests.fixtures_ssh import NewSshd
from tests.packaging.operator_rights import OWN, Right, used_by_operator, used_for_results
from tests.page import read_blocks
from tests.places import PROJECT
from tests.sandbox.processes import eventually
from waldur_slurm.operator.kube import paths

TYPED = [
    line
    for block in read_blocks(PROJECT / "docs" / "operator.md")
    if (block.section, block.language) == ("Install", "bash")
    for line in block.lines
]
pytestmark = pytest.mark.timeout(900)  # the image is built first, where it is not there yet

OPERATOR = "slurm-operator"
PATIENCE_S, PAUSE_S = 180.0, 0.2
ACCOUNT = f"--as=system:serviceaccount:{OWN}:{OPERATOR}"
ENDED = ("Succeeded", "Failed")
ON_THE_HOSTS_NETWORK = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
"""The bed's API server listens on loopback alone, and the bed has nobody who forwards services."""

CONFIG = """\
{node}:
  slurm_local: http://localhost:{port}
  resources: {{cpu: 2}}
  labels: {{cuda: 10.0, containers: singularity, infiniband: yes}}
"""


BY_SSH = """\
lab:
  ssh: 127.0.0.1:{port}
  knownHosts: slurm-known-hosts/known_hosts
  namespaces: {{physics: {{user: {user}, ssh: true}}}}
"""


@dataclass(frozen=True)
class Document:
    """What the reader of the document has in front of him."""

    bed: Bed
    controller: Gateway
    site: ControllerSite
    sshd: SshServer

    def type(self, line: str) -> str:
        """Type a line in the checkout."""
        done = subprocess.run(
            shlex.split(line),
            cwd=PROJECT,
            env=self.bed.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def suit_the_bed(self, name: str) -> None:
        port = self.bed.place.api_port
        told = ("KUBERNETES_SERVICE_HOST=127.0.0.1", f"KUBERNETES_SERVICE_PORT={port}")
        self.bed.must("set", "env", f"deployment/{name}", *told)
        if name == OPERATOR:
            self.serve_pages_at(self.bed.place.first_port + PORTS)
        self.bed.must("patch", "deployment", name, "-p", json.dumps(ON_THE_HOSTS_NETWORK))

    def serve_pages_at(self, port: int) -> None:
        """Let its health be asked at a port of the bed's own, on loopback.

        Its `ports` stay as they are: one more of the same name would not merge with the shipped.
        """
        listen = f"OPERATOR_HTTP_LISTEN=127.0.0.1:{port}"
        self.bed.must("set", "env", f"deployment/{OPERATOR}", listen)
        asked = {"httpGet": {"port": port}}
        probed = {"name": OPERATOR, "livenessProbe": asked, "readinessProbe": asked}
        changed = {"spec": {"template": {"spec": {"containers": [probed]}}}}
        self.bed.must("patch", "deployment", OPERATOR, "-p", json.dumps(changed))

    def status(self, namespace: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.bed.api.find(paths.job(namespace, name)).get("status", {})
        return found

    def wait(self, holds: Callable[[], bool], name: str = OPERATOR) -> None:
        assert eventually(holds, PATIENCE_S, PAUSE_S), self.log(name)

    def log(self, name: str) -> str:
        done = self.bed.kubectl("logs", f"deployment/{name}")
        return done.out + done.err + self.bed.must("describe", "pods", "-l", f"app={name}")


@pytest.fixture(scope="module")
def document(
    node_bed: Bed,
    lab: Cluster,
    installed_hand: HandSite,
    new_sshd: NewSshd,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Document]:
    """Have Kubernetes and Slurm in a suitable topology, as the document assumes."""
    place = tmp_path_factory.mktemp("document")
    with (
        ControllerSite.make(lab, ANN) as site,
        site.running("-api") as controller,
        new_sshd(f"SetEnv HOME={site.checkout} PATH={site.environ['PATH']}") as sshd,
    ):
        config = place / "config"
        config.write_text(CONFIG.format(node=NODE, port=controller.port))
        node_bed.must("create", "configmap", "slurm-config", f"--from-file=config={config}")
        known = f"--from-file={sshd.known_hosts}"
        node_bed.must("create", "secret", "generic", "slurm-known-hosts", known)
        yield Document(node_bed, controller, site, sshd)


def test_the_resource_daemon_labels_its_node_and_again_after_a_kubelet_forgot(
    document: Document,
) -> None:
    bed = document.bed
    document.type("kubectl apply -f resource-daemon/deploy/resource-daemon.yaml")
    document.suit_the_bed("slurm-rd")
    labelled = {
        "cuda": "10.0",
        "containers": "singularity",
        "infiniband": "yes",
        "integration-type": "local",
        "workload-manager": "slurm",
        "cpu#": "2",
    }
    document.wait(lambda: ours(bed, NODE) == labelled, "slurm-rd")

    described = document.type(f"kubectl describe no {NODE}")
    for line in ("cuda=10.0", "containers=singularity", "infiniband=yes"):
        assert re.search(rf"slurm\.sylabs\.io/{line}$", described, re.MULTILINE)
    bed.restart_daemon("kubelet")
    document.wait(lambda: ours(bed, NODE) == labelled, "slurm-rd")


@pytest.fixture(scope="module")
def operated(document: Document) -> Document:
    """Have the operator applied too."""
    (apply_operator,) = (line for line in TYPED if line == "kubectl apply -k deploy")
    document.type(apply_operator)
    document.suit_the_bed("slurm-operator")
    document.bed.must("wait", "--for=condition=Established", "crd/slurmjobs.slurm.sylabs.io")
    (make_namespace,) = (line for line in TYPED if line.startswith("kubectl create namespace"))
    document.type(make_namespace)
    return document


def test_the_operator_is_applied_and_a_cow_says_moo(operated: Document) -> None:
    document = operated
    (apply_cow,) = (line for line in TYPED if line.endswith("-f examples/kubernetes/cow.yaml"))
    (show,) = (line for line in TYPED if line.startswith("kubectl get sj"))
    document.type(apply_cow)

    document.wait(lambda: document.status("physics", "cow").get("phase") in ENDED)
    told = json.loads(document.type(f"{show} cow -o json"))["status"]
    assert (told["phase"], told["status"]) == ("Succeeded", "Succeeded")
    assert told["output"]["tail"] == "moo\n"
    heading, row = document.type(show).splitlines()
    assert heading.split()[:4] == ["NAME", "STATUS", "JOB", "STATE"]
    assert row.split()[:4] == ["cow", "Succeeded", told["jobId"], "COMPLETED"]
    (job,) = document.controller.get(f"/sacct/{told['jobId']}").json
    assert job["name"] == "cow"


def test_its_pod_is_nobody_writes_nothing_and_can_speak_ssh(operated: Document) -> None:
    operated.type("kubectl rollout status deployment/slurm-operator --timeout=120s")
    inside = "id -un; ssh -V 2>&1; touch /tmp/here && echo written; touch /here 2>&1"
    done = operated.bed.kubectl("exec", "deployment/slurm-operator", "--", "sh", "-c", inside)

    who, ssh, *rest = done.out.splitlines()
    assert (who, ssh.partition("_")[0], rest[0]) == ("slurm-operator", "OpenSSH", "written")
    assert "Read-only file system" in rest[1]


def test_its_account_may_each_thing_that_it_asks_and_nothing_else(operated: Document) -> None:
    bed = operated.bed
    asked = used_by_operator()

    assert [each for each in asked if not may(bed, each)] == []
    assert listed(bed, "kube-public") == listed(bed, "physics")
    assert not any(may(bed, each) for each in used_for_results())
    (apply_results,) = (line for line in TYPED if "overlays/results" in line)
    operated.type(apply_results)
    assert [each for each in used_for_results() if not may(bed, each)] == []
    added = listed(bed, "physics") - listed(bed, "kube-public")
    assert added == {"pods [list create delete]", "secrets [create delete]"}


def test_two_that_take_turns_are_taken_by_the_server(operated: Document) -> None:
    said = operated.type("kubectl apply --dry-run=server -k deploy/overlays/replicas")

    assert "deployment.apps/slurm-operator configured (server dry run)" in said


def test_by_ssh_a_cow_says_moo_as_the_account_that_it_brings(operated: Document) -> None:
    """The last one here: from now on the ConfigMap has another cluster."""
    document = operated
    bed, sshd = document.bed, document.sshd
    (apply_ssh,) = (line for line in TYPED if "overlays/ssh" in line)
    document.type(apply_ssh)
    key = f"--from-file=key={sshd.user_key}"
    bed.must("create", "secret", "generic", "slurm", "--namespace=physics", key)
    clusters = {"clusters": BY_SSH.format(port=sshd.port, user=ANN)}
    bed.must("patch", "configmap", "slurm-config", "-p", json.dumps({"data": clusters}))

    cow = yaml.safe_load((PROJECT / "examples" / "kubernetes" / "cow.yaml").read_text())
    cow["metadata"] |= {"name": "cow-ssh", "namespace": "physics"}
    del cow["spec"]["nodeSelector"]
    secret = {"secretKeyRef": {"name": "slurm", "key": "key"}}
    cow["spec"] |= {
        "ssh": {"user": ANN, "key": secret},
        "options": {"chdir": str(document.site.checkout)},
    }
    bed.must("apply", "-f", "-", said=json.dumps(cow))

    document.wait(lambda: document.status("physics", "cow-ssh").get("phase") in ENDED)
    told = document.status("physics", "cow-ssh")
    assert (told["phase"], told["output"]["tail"]) == ("Succeeded", "moo\n")
    assert document.site.owner(told["jobId"]) == ANN


def may(bed: Bed, right: Right) -> bool:
    resource, _, part = right.resource.partition("/")
    asked = {"group": right.group, "resource": resource, "subresource": part, "verb": right.verb}
    where = {"namespace": right.namespace or OWN, "name": right.name}
    return is_allowed(bed, OPERATOR, **asked, **where)


def listed(bed: Bed, namespace: str) -> set[str]:
    """Return what the API server says that it may there: each resource, with its verbs."""
    lines = bed.must("auth", "can-i", "--list", f"--namespace={namespace}", ACCOUNT).splitlines()
    return {" ".join(re.sub(r"\[\]", "", line).split()) for line in lines[1:]}

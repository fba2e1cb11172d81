"""What the operator's demo runs on: the gateway's demo, and a Kubernetes beside it.

Rule: all of it ends with the process that made it. Where no kubelet can run there are no pods:
operator and resource daemon are then processes of this machine, and nothing collects results.
"""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.demo.site import ROOT
from sandbox.docker.agent import ensure_operator_image
from sandbox.docker.command import docker
from sandbox.gateway_demo.site import GatewaySite
from sandbox.gateway_demo.site import running as running_program
from sandbox.gateway_demo.site import running_site as gateway_site
from sandbox.kube import Bed, BedOptions
from sandbox.kube.node import may_be_here
from sandbox.kube.people import NODE
from sandbox.operator_demo.network import pods_on_this_machine

IMAGE = "slurm-operator:latest"
NOBODY = 65532
"""Whom the operator's image runs as."""

CONFIG = """\
{node}:
  resources: {{cpu: 2}}
  labels: {{cuda: 10.0, containers: singularity, infiniband: yes}}
"""

CLUSTERS = """\
demo:
  url: http://127.1:{port}
  token: slurm-gateway
  default: true
  labels: {{containers: singularity}}
  namespaces:
    default: {{user: {user}, account: physics}}
"""

COW = """\
apiVersion: slurm.sylabs.io/v1alpha1
kind: SlurmJob
metadata: {{name: cow}}
spec:
  batch: |
    #!/bin/sh
    echo moo
    echo "the cow says moo" >cow.txt
  nodeSelector: {{slurm.sylabs.io/containers: singularity}}
  options: {{chdir: {home}}}
{results}"""

RESULTS = """\
  results:
    from: cow.txt
    mount: {persistentVolumeClaim: {claimName: data}}
"""

BULL = """\
apiVersion: slurm.sylabs.io/v1alpha1
kind: SlurmJob
metadata: {{name: bull}}
spec:
  batch: "#!/bin/sh\\nsleep 600\\n"
  options: {{chdir: {home}}}
"""


@dataclass(frozen=True)
class OperatorSite:
    gateway: GatewaySite
    bed: Bed
    no_pods: str
    """Why no pods run here; nothing where they do."""
    ends: ExitStack
    """What is started later ends with it."""

    @property
    def directory(self) -> Path:
        return self.gateway.directory

    @property
    def user(self) -> str:
        return self.gateway.people[0]


@contextmanager
def running_site(lifetime: timedelta, *, with_node: bool) -> Iterator[OperatorSite]:
    with ExitStack() as ends:
        gateway = ends.enter_context(gateway_site(lifetime))
        no_pods = may_be_here() if with_node else "this demo was asked to do without"
        options = BedOptions(with_node=not no_pods, lifetime_s=lifetime.total_seconds())
        bed = ends.enter_context(Bed.start(gateway.directory / "kube", options))
        site = OperatorSite(gateway, bed, no_pods, ends)
        _lay_out(site)
        if no_pods:
            bed.api.apply(_node())
        else:
            ends.enter_context(pods_on_this_machine(bed, site.directory / "webhook"))
            bring_image(bed, site.directory / "operator.tar")
            lend(bed, site.directory / "claim", "default")
        yield site


def _lay_out(site: OperatorSite) -> None:
    """Write the files of the tour, and tell its shells where all is."""
    here, gateway = site.directory, site.gateway
    home = f"{here}/home/{site.user}"
    for name in ("deploy", "resource-daemon"):
        (here / name).symlink_to(ROOT / name)
    (here / "kubeconfig").symlink_to(site.bed.kubeconfig)
    (here / "config.yaml").write_text(CONFIG.format(node=NODE))
    (here / "clusters.yaml").write_text(CLUSTERS.format(port=gateway.port, user=site.user))
    (here / "cow.yaml").write_text(COW.format(home=home, results="" if site.no_pods else RESULTS))
    (here / "bull.yaml").write_text(BULL.format(home=home))
    told = "".join(
        f"export {n}={shlex.quote(v)}\n" for n, v in gateway.cluster.environ.items() if n != "PATH"
    )
    (here / "told").write_text(f'{told}slurm-gateway() {{ {gateway.client} "$@"; }}\n')
    gateway.variables |= {
        "BASH_ENV": str(here / "told"),
        "KUBECONFIG": str(site.bed.kubeconfig),
        "HOME": str(here / "kube" / "home"),
    }


def _node() -> Mapping[str, Any]:
    """Say that there is a node, though nothing runs on it: it can carry labels."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}


def bring_image(bed: Bed, archive: Path) -> None:
    """Give its node the operator's image, by the name that the files in deploy/ have for it."""
    made = ensure_operator_image()
    docker("save", "--output", str(archive), made)
    bed.load(archive)
    archive.unlink()
    bed.call_image(made, IMAGE)


def lend(bed: Bed, claim: Path, namespace: str) -> None:
    """Make a claim, `data`, on a directory of this machine, as an administrator may."""
    claim.mkdir()
    os.chown(claim, NOBODY, NOBODY)
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    size = {"storage": "1Gi"}
    for kind, meta, spec in (
        ("PersistentVolume", {}, {"capacity": size, "hostPath": {"path": str(claim)}}),
        (
            "PersistentVolumeClaim",
            {"namespace": namespace},
            {"resources": {"requests": size}, "volumeName": "data"},
        ),
    ):
        made = {"metadata": {"name": "data", **meta}, "spec": {**common, **spec}}
        bed.api.apply({"apiVersion": "v1", "kind": kind, **made})


def start_process(site: OperatorSite, command: str) -> None:
    """Run one of the operator's programs on this machine, where there are no pods."""
    secret = site.directory / "secrets" / "slurm-gateway"
    secret.mkdir(parents=True, exist_ok=True)
    (secret / "token").write_bytes((site.directory / "token").read_bytes())
    environ = {
        "KUBECONFIG": str(site.bed.kubeconfig),
        "OPERATOR_SECRETS_DIR": str(secret.parent),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    argv = (sys.executable, "-m", "waldur_slurm.operator.main", command)
    site.ends.enter_context(running_program(argv, environ, site.directory))

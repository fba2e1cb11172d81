"""The job-companion as a pod on a real kubelet, in front of a real gateway and a real Slurm."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sandbox.docker.agent import ensure_operator_image
from sandbox.docker.command import docker
from sandbox.kube import Bed, BedOptions
from sandbox.kube.authority import Authority
from sandbox.kube.node import may_be_here
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.conftest import acting_site, lab, lab_tools
from tests.e2e.operator.cow import put
from tests.e2e.operator.own_authority import HOST, authority, gateway
from tests.fixtures_hand import ANN
from tests.fixtures_kube import NewBed
from tests.fixtures_slurm import skip_here
from tests.places import PROJECT
from tests.sandbox.processes import eventually
from waldur_slurm.operator.composition import Parts, means_of
from waldur_slurm.operator.errors import ChangedMeanwhile
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.companion import NOBODY, Manifest, Means, pod_of, secret_of
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.jobs.pods import Pod, Waiting
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.access import access_by_kubeconfig
from waldur_slurm.operator.kube.client import KubeClient, utc_now
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.cluster import ByGateway, Cluster, RunsAs
from waldur_slurm.operator.model.slurm_job import SlurmJob, from_wire
from waldur_slurm.operator.settings import Settings

__all__ = ["acting_site", "authority", "gateway", "lab", "lab_tools"]

pytestmark = pytest.mark.timeout(900)  # the first one builds an image
PATIENCE_S = 180
NAMESPACE = "physics"
CRD = PROJECT / "deploy" / "crds" / "slurmjobs.yaml"


@dataclass(frozen=True)
class Kubernetes:
    """A bed with a node, a namespace that has a claim, and the operator's way to pods."""

    bed: Bed
    talk: Talk
    claim: Path
    pods: KubePods
    image: str

    def apply(self, **manifest: Any) -> None:
        self.bed.must("apply", "-f", "-", said=json.dumps(manifest))

    def must(self, *argv: str) -> str:
        return self.bed.must("-n", NAMESPACE, *argv)

    def slurm_job(self, name: str, claim: str = "data", **spec: Any) -> SlurmJob:
        results = {"mount": {"persistentVolumeClaim": {"claimName": claim}}}
        results |= spec.pop("results", {})
        spec = {"batch": "#!/bin/sh\n", **spec, "results": results}
        self.apply(
            apiVersion="slurm.sylabs.io/v1alpha1",
            kind="SlurmJob",
            metadata={"name": name, "namespace": NAMESPACE},
            spec=spec,
        )
        return from_wire(json.loads(self.must("get", "sj", name, "-o", "json")))

    def make(self, job: SlurmJob) -> None:
        """Make its companion, which finds no gateway."""
        results = job.spec.results
        assert results
        means = Means(self.image, "http://127.0.0.1:1")
        secret = secret_of(job, results, means, "7", "no-token")
        self.pods.make_companion(secret, pod_of(job, results, means))

    def pod(self, job: SlurmJob) -> Pod | None:
        found = self.pods.list_companions(NAMESPACE)
        return next((each for each in found if each.of == job.uid), None)

    def logs(self, job: SlurmJob) -> str:
        return self.bed.kubectl("-n", NAMESPACE, "logs", f"{job.name}-job").out

    def status(self, job: SlurmJob) -> Any:
        found = json.loads(self.must("get", "sj", job.name, "-o", "json"))
        return from_wire(found).status

    def results(self, job: SlurmJob) -> str:
        """The reason that its condition ResultsCollected has."""
        conditions = self.status(job).get("conditions", [])
        found = (each["reason"] for each in conditions if each["type"] == "ResultsCollected")
        return str(next(found, ""))


@pytest.fixture(scope="module")
def kubernetes(new_bed: NewBed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    why = may_be_here()
    if why:
        skip_here(why)
    place = tmp_path_factory.mktemp("claim")
    archive, image = place / "operator.tar", "slurm-operator:bed"
    docker("tag", ensure_operator_image(), image)
    try:
        docker("save", "--output", str(archive), image)
    finally:
        docker("rmi", image)
    claim = place / "data"
    claim.mkdir()
    os.chown(claim, NOBODY, NOBODY)
    for above in (place, place.parent):
        above.chmod(0o755)
    with new_bed(BedOptions(with_node=True)) as bed:
        bed.load(archive)
        archive.unlink()
        bed.must("apply", "-f", str(CRD))
        bed.must("wait", "--for=condition=Established", "crd/slurmjobs.slurm.sylabs.io")
        bed.must("create", "namespace", NAMESPACE)
        talk = Talk(access_by_kubeconfig(bed.kubeconfig))
        made = Kubernetes(bed, talk, claim, OnThisMachine(talk), image)
        lend(made)
        yield made


def lend(made: Kubernetes) -> None:
    """Make a claim on a directory of this machine, as an administrator may."""
    size: Mapping[str, Any] = {"storage": "1Gi"}
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    made.apply(
        apiVersion="v1",
        kind="PersistentVolume",
        metadata={"name": "data"},
        spec={**common, "capacity": size, "hostPath": {"path": str(made.claim)}},
    )
    made.apply(
        apiVersion="v1",
        kind="PersistentVolumeClaim",
        metadata={"name": "data", "namespace": NAMESPACE},
        spec={**common, "resources": {"requests": size}, "volumeName": "data"},
    )


class OnThisMachine(KubePods):
    """Its pods are in this machine's network, as the gateway is."""

    def make_companion(self, secret: Manifest, pod: Manifest) -> None:
        spec = {**pod["spec"], "hostNetwork": True}
        super().make_companion(secret, {**pod, "spec": spec})


def cycle_of(kubernetes: Kubernetes, url: str, secret: Path) -> ClusterCycle:
    """What an operator does for the one cluster, turn by turn; `secret` is its mounted Secret."""
    told = {"OPERATOR_SECRETS_DIR": str(secret.parent), "OPERATOR_IMAGE": kubernetes.image}
    settings = Settings.from_environ({"KUBECONFIG": str(kubernetes.bed.kubeconfig), **told})
    by = ByGateway(url, secret.name)
    alpha = Cluster("alpha", by, namespaces={NAMESPACE: RunsAs(ANN, "physics")})
    talk = kubernetes.talk
    kube = KubeClient(talk)

    def read() -> Snapshot:
        found, _ = talk.list(paths.JOBS)
        return Snapshot(tuple(map(from_wire, found)), timedelta())

    return ClusterCycle(
        name="alpha",
        kubernetes=kube.read_cluster_id(),
        jobs=Parts(settings, {}).way_to(alpha),
        kube=kube,
        read=read,
        clusters=lambda: {"alpha": alpha},
        tell=lambda _: None,
        now=utc_now,
        collector=Collector(kubernetes.pods, "alpha", partial(means_of, by, settings), utc_now),
    )


def kill_all_of(pod: Pod) -> None:
    """End what runs in it, and nothing else, as kill -9 does."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_its = f"pod{pod.uid}" in (process / "cgroup").read_text()
            if is_its and b"slurm-operator" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def test_logs_come_while_the_job_runs_and_its_file_is_in_the_claim_though_the_pod_was_killed(
    kubernetes: Kubernetes,
    gateway: ActingGateway,
    authority: Authority,
    acting_site: ActingSite,
    tmp_path: Path,
) -> None:
    secret = tmp_path / "gateway"
    secret.mkdir()
    (secret / "token").write_text(acting_site.token())
    shutil.copy(authority.certificate, secret / "ca.crt")
    cycle = cycle_of(kubernetes, f"https://{HOST}:{gateway.port}", secret)
    home = acting_site.hand.home(ANN)

    def comes(happened: Callable[[], bool]) -> bool:
        def turned() -> bool:
            cycle.turn()
            return happened()

        return eventually(turned, PATIENCE_S)

    script = "echo moo; until [ -e go ]; do sleep 0.2; done; mkdir out; echo 1 >out/a.csv; echo end"
    job = kubernetes.slurm_job(
        "cow",
        batch=f"#!/bin/sh\n{script}\n",
        options={"chdir": str(home), "mem": "10"},
        results={"from": "out/*.csv"},
    )
    assert comes(lambda: kubernetes.logs(job) == "moo\n"), kubernetes.must("describe", "sj,pods")
    first = kubernetes.pod(job)
    assert first

    kill_all_of(first)
    assert comes(lambda: kubernetes.results(job) == "MadeAgain")
    assert comes(lambda: (pod := kubernetes.pod(job)) is not None and pod.attempt == 2)
    put(home, "go", b"")
    assert comes(lambda: kubernetes.results(job) == "Collected"), kubernetes.status(job)

    status = kubernetes.status(job)
    digest = sha256(b"1\n").hexdigest()
    assert status["results"]["files"] == [{"path": "out/a.csv", "size": 2, "sha256": digest}]
    assert status["phase"] == "Succeeded"
    assert kubernetes.logs(job).startswith("moo\nend\n")
    assert (kubernetes.claim / "cow" / "out" / "a.csv").read_bytes() == b"1\n"
    assert [*kubernetes.claim.rglob("*.partial")] == []
    assert kubernetes.must("get", "secrets", "--field-selector=type=Opaque", "-o", "name") == ""


def test_pod_and_secret_go_with_their_slurm_job(kubernetes: Kubernetes) -> None:
    job = kubernetes.slurm_job("bull")
    kubernetes.make(job)
    assert kubernetes.must("get", "secret", "bull-job", "-o", "name").strip()
    assert eventually(lambda: "waiting for the gateway" in kubernetes.logs(job), PATIENCE_S)
    kubernetes.must("delete", "sj", "bull")

    def left() -> str:
        return kubernetes.must(
            "get", "pods,secrets", "-l", "slurm.sylabs.io/job=bull", "-o", "name"
        )

    assert eventually(lambda: not left().strip(), PATIENCE_S), left()


def test_a_pod_that_waits_for_its_claim_says_so_and_nothing_is_done_twice(
    kubernetes: Kubernetes,
) -> None:
    job = kubernetes.slurm_job("calf", claim="nowhere")
    kubernetes.make(job)

    def why() -> str:
        found = kubernetes.pod(job)
        return found.state.why if found and isinstance(found.state, Waiting) else ""

    assert eventually(lambda: "nowhere" in why(), PATIENCE_S), why()
    with pytest.raises(ChangedMeanwhile):
        kubernetes.make(job)
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    pod = kubernetes.pod(job)
    assert pod
    kubernetes.pods.end_companion(NAMESPACE, pod)
    kubernetes.pods.end_companion(NAMESPACE, pod)
    assert kubernetes.pod(job) is None

"""The job-companion as a pod on a real kubelet, in front of a real gateway and a real Slurm."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.docker.agent import ensure_operator_image
from sandbox.docker.command import docker
from sandbox.kube import Bed, BedOptions
from sandbox.kube.node import may_be_here
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.conftest import acting, acting_site, lab, lab_tools
from tests.e2e.operator.cow import SCOPES, Cow, hand_in, put
from tests.fixtures_kube import NewBed
from tests.fixtures_slurm import skip_here
from tests.places import PROJECT
from tests.sandbox.processes import eventually
from waldur_slurm.operator.errors import ChangedMeanwhile
from waldur_slurm.operator.jobs.companion import NOBODY, Means, pod_of, secret_of
from waldur_slurm.operator.jobs.pods import Ended, Pod, Waiting
from waldur_slurm.operator.kube.access import access_by_kubeconfig
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.slurm_job import SlurmJob, from_wire

__all__ = ["acting", "acting_site", "lab", "lab_tools"]

pytestmark = pytest.mark.timeout(900)  # the first one builds an image
PATIENCE_S = 180
NAMESPACE = "physics"
CRD = PROJECT / "deploy" / "crds" / "slurmjobs.yaml"


@dataclass(frozen=True)
class Kubernetes:
    """A bed with a node, a namespace that has a claim, and the operator's way to pods."""

    bed: Bed
    claim: Path
    pods: KubePods
    image: str

    def apply(self, **manifest: Any) -> None:
        self.bed.must("apply", "-f", "-", said=json.dumps(manifest))

    def must(self, *argv: str) -> str:
        return self.bed.must("-n", NAMESPACE, *argv)

    def slurm_job(self, name: str, **results: str) -> SlurmJob:
        mount = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        spec = {"batch": "#!/bin/sh\n", "results": {"mount": mount, **results}}
        self.apply(
            apiVersion="slurm.sylabs.io/v1alpha1",
            kind="SlurmJob",
            metadata={"name": name, "namespace": NAMESPACE},
            spec=spec,
        )
        return from_wire(json.loads(self.must("get", "sj", name, "-o", "json")))

    def make(self, job: SlurmJob, cow: Cow, attempt: int = 1) -> None:
        """As the operator does; but its pod is in this machine's network, as the gateway is."""
        results = job.spec.results
        assert results
        means = Means(self.image, f"http://127.0.0.1:{cow.acting.port}")
        token = cow.client.token_for(cow.job_id, SCOPES, timedelta(hours=1)).token
        pod = dict(pod_of(job, results, means, attempt))
        pod["spec"] = {**pod["spec"], "hostNetwork": True}
        self.pods.make_companion(secret_of(job, results, means, cow.job_id, token), pod)

    def pod(self, job: SlurmJob) -> Pod | None:
        found = self.pods.list_companions(NAMESPACE)
        return next((each for each in found if each.of == job.uid), None)

    def end_of(self, job: SlurmJob) -> Ended:
        assert eventually(lambda: isinstance(self._state(job), Ended), PATIENCE_S), self.bed.must(
            "-n", NAMESPACE, "describe", "pods"
        )
        state = self._state(job)
        assert isinstance(state, Ended)
        return state

    def logs(self, job: SlurmJob) -> str:
        return self.bed.kubectl("-n", NAMESPACE, "logs", f"{job.name}-job").out

    def _state(self, job: SlurmJob) -> object:
        found = self.pod(job)
        return found.state if found else None


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
        pods = KubePods(Talk(access_by_kubeconfig(bed.kubeconfig)))
        made = Kubernetes(bed, claim, pods, image)
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


def kill_all_of(pod: Pod) -> None:
    """End what runs in it, and nothing else, as kill -9 does."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_its = f"pod{pod.uid}" in (process / "cgroup").read_text()
            if is_its and b"slurm-operator" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def test_logs_come_while_the_job_runs_and_its_file_is_in_the_claim_after_a_kill(
    kubernetes: Kubernetes, acting: ActingGateway, acting_site: ActingSite
) -> None:
    script = "echo moo; until [ -e go ]; do sleep 0.2; done; mkdir out; echo 1 >out/a.csv; echo end"
    cow = hand_in(acting, acting_site, script)
    job = kubernetes.slurm_job("cow", **{"from": "out/*.csv"})
    kubernetes.make(job, cow)
    assert eventually(lambda: kubernetes.logs(job) == "moo\n", PATIENCE_S), kubernetes.must(
        "describe", "pods"
    )

    pod = kubernetes.pod(job)
    assert pod
    kill_all_of(pod)
    died = kubernetes.end_of(job)
    assert (died.code, died.told) == (137, None)
    with pytest.raises(ChangedMeanwhile):
        kubernetes.make(job, cow)
    kubernetes.pods.end_companion(NAMESPACE, pod)
    kubernetes.make(job, cow, attempt=2)
    put(cow.home, "go", b"")

    ended = kubernetes.end_of(job)
    assert ended.told
    assert ended.code == 0
    assert [(file.path, file.size) for file in ended.told.files] == [("out/a.csv", 2)]
    assert kubernetes.logs(job).startswith("moo\nend\n")
    assert (kubernetes.claim / "cow" / "out" / "a.csv").read_bytes() == b"1\n"
    assert [*kubernetes.claim.rglob("*.partial")] == []
    again = kubernetes.pod(job)
    assert again
    assert again.attempt == 2


def test_pod_and_secret_go_with_their_slurm_job(
    kubernetes: Kubernetes, acting: ActingGateway, acting_site: ActingSite
) -> None:
    cow = hand_in(acting, acting_site, "sleep 600")
    job = kubernetes.slurm_job("bull")
    kubernetes.make(job, cow)
    assert kubernetes.must("get", "secret", "bull-job", "-o", "name").strip()
    kubernetes.must("delete", "sj", "bull")

    def left() -> str:
        return kubernetes.must(
            "get", "pods,secrets", "-l", "slurm.sylabs.io/job=bull", "-o", "name"
        )

    assert eventually(lambda: not left().strip(), PATIENCE_S), left()
    cow.client.cancel(cow.job_id)


def test_a_pod_that_waits_for_its_claim_says_so_and_nothing_is_done_twice(
    kubernetes: Kubernetes, acting: ActingGateway, acting_site: ActingSite
) -> None:
    cow = hand_in(acting, acting_site, "true")
    job = kubernetes.slurm_job("calf")
    assert job.spec.results
    elsewhere = {"name": "data", "persistentVolumeClaim": {"claimName": "nowhere"}}
    patch = json.dumps({"spec": {"results": {"mount": elsewhere}}})
    kubernetes.must("patch", "sj", "calf", "--type=merge", "-p", patch)
    job = from_wire(json.loads(kubernetes.must("get", "sj", "calf", "-o", "json")))
    kubernetes.make(job, cow)

    def why() -> str:
        found = kubernetes.pod(job)
        return found.state.why if found and isinstance(found.state, Waiting) else ""

    assert eventually(lambda: "nowhere" in why(), PATIENCE_S), why()
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    pod = kubernetes.pod(job)
    assert pod
    kubernetes.pods.end_companion(NAMESPACE, pod)
    kubernetes.pods.end_companion(NAMESPACE, pod)
    assert kubernetes.pod(job) is None

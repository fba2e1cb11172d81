"""The job-companion as a pod on a real kubelet, in front of a real gateway and a real Slurm."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.kube import Bed
from sandbox.kube.authority import Authority
from sandbox.operator_demo.site import IMAGE, lend
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.operator.cow import put
from tests.e2e.operator.own_authority import HOST, authority, gateway
from tests.e2e.operator.scene import bring_slurm_jobs
from tests.fixtures_hand import ANN
from tests.sandbox.processes import eventually
from waldur_slurm.operator.composition import Parts, means_of
from waldur_slurm.operator.errors import ChangedMeanwhile
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.companion import Manifest, Means, pod_of, secret_of
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

__all__ = ["authority", "gateway"]

pytestmark = pytest.mark.timeout(900)  # the first one builds an image
PATIENCE_S, PAUSE_S = 180, 0.1
NAMESPACE = "meadow"


@dataclass(frozen=True)
class Kubernetes:
    """A bed with a node, a namespace that has a claim, and the operator's way to pods."""

    bed: Bed
    talk: Talk
    claim: Path
    pods: KubePods

    def slurm_job(self, name: str, claim: str = "data", **spec: Any) -> SlurmJob:
        results = {"mount": {"persistentVolumeClaim": {"claimName": claim}}}
        results |= spec.pop("results", {})
        made = self.bed.api.apply(
            {
                "apiVersion": "slurm.sylabs.io/v1alpha1",
                "kind": "SlurmJob",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"batch": "#!/bin/sh\n", **spec, "results": results},
            }
        )
        return from_wire(made)

    def names(self, kind: str, **only: str) -> list[str]:
        """Name what there is of a kind that is the API's own."""
        asked = "?" + urlencode(only)
        found = self.bed.api.find(f"/api/v1/namespaces/{NAMESPACE}/{kind}{asked}")
        return [each["metadata"]["name"] for each in found["items"]]

    def make(self, job: SlurmJob) -> None:
        """Make its companion, which finds no gateway."""
        results = job.spec.results
        assert results
        means = Means(IMAGE, "http://127.0.0.1:1")
        secret = secret_of(job, results, means, "7", "no-token")
        self.pods.make_companion(secret, pod_of(job, results, means))

    def pod(self, job: SlurmJob) -> Pod | None:
        found = self.pods.list_companions(NAMESPACE)
        return next((each for each in found if each.of == job.uid), None)

    def logs(self, job: SlurmJob) -> str:
        path = f"{paths.within(NAMESPACE, 'pods', f'{job.name}-job')}/log"
        answer = self.bed.api.ask("GET", path)
        return answer.text if answer.status == 200 else ""

    def status(self, job: SlurmJob) -> Any:
        return from_wire(self.bed.api.find(paths.job(NAMESPACE, job.name))).status

    def results(self, job: SlurmJob) -> str:
        """The reason that its condition ResultsCollected has."""
        conditions = self.status(job).get("conditions", [])
        found = (each["reason"] for each in conditions if each["type"] == "ResultsCollected")
        return str(next(found, ""))


@pytest.fixture(scope="module")
def kubernetes(node_bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    place = tmp_path_factory.mktemp("claim")
    for above in (place, place.parent):
        above.chmod(0o755)
    bring_slurm_jobs(node_bed)
    node_bed.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    lend(node_bed, place / "data", NAMESPACE)
    talk = Talk(access_by_kubeconfig(node_bed.kubeconfig))
    yield Kubernetes(node_bed, talk, place / "data", OnThisMachine(talk))
    talk.close()


class OnThisMachine(KubePods):
    """Its pods are in this machine's network, as the gateway is."""

    def make_companion(self, secret: Manifest, pod: Manifest) -> None:
        spec = {**pod["spec"], "hostNetwork": True}
        super().make_companion(secret, {**pod, "spec": spec})


def cycle_of(kubernetes: Kubernetes, url: str, secret: Path) -> ClusterCycle:
    """What an operator does for the one cluster, turn by turn; `secret` is its mounted Secret."""
    told = {"OPERATOR_SECRETS_DIR": str(secret.parent), "OPERATOR_IMAGE": IMAGE}
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

        return eventually(turned, PATIENCE_S, PAUSE_S)

    script = "echo moo; until [ -e go ]; do sleep 0.2; done; mkdir out; echo 1 >out/a.csv; echo end"
    job = kubernetes.slurm_job(
        "cow",
        batch=f"#!/bin/sh\n{script}\n",
        options={"chdir": str(home), "mem": "10"},
        results={"from": "out/*.csv"},
    )
    assert comes(lambda: kubernetes.logs(job) == "moo\n"), kubernetes.status(job)
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
    assert kubernetes.names("secrets", fieldSelector="type=Opaque") == []


def test_pod_and_secret_go_with_their_slurm_job(kubernetes: Kubernetes) -> None:
    job = kubernetes.slurm_job("bull")
    kubernetes.make(job)
    assert "bull-job" in kubernetes.names("secrets")
    assert eventually(
        lambda: "waiting for the gateway" in kubernetes.logs(job), PATIENCE_S, PAUSE_S
    )
    kubernetes.bed.api.must("DELETE", paths.job(NAMESPACE, "bull"))

    def left() -> list[str]:
        its = "slurm.sylabs.io/job=bull"
        return [
            name
            for kind in ("pods", "secrets")
            for name in kubernetes.names(kind, labelSelector=its)
        ]

    assert eventually(lambda: not left(), PATIENCE_S, PAUSE_S), left()


def test_a_pod_that_waits_for_its_claim_says_so_and_nothing_is_done_twice(
    kubernetes: Kubernetes,
) -> None:
    job = kubernetes.slurm_job("calf", claim="nowhere")
    kubernetes.make(job)

    def why() -> str:
        found = kubernetes.pod(job)
        return found.state.why if found and isinstance(found.state, Waiting) else ""

    assert eventually(lambda: "nowhere" in why(), PATIENCE_S, PAUSE_S), why()
    with pytest.raises(ChangedMeanwhile):
        kubernetes.make(job)
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    kubernetes.pods.forget_token(NAMESPACE, "calf-job")
    pod = kubernetes.pod(job)
    assert pod
    kubernetes.pods.end_companion(NAMESPACE, pod)
    kubernetes.pods.end_companion(NAMESPACE, pod)
    assert kubernetes.pod(job) is None

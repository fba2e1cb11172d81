"""A Kubernetes, a Slurm behind a gateway that acts, and the operator between: as the tests have it.

SlurmJobs are made by the API itself, several at once: kubectl takes its time between two of them.
"""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.gateway.acting_bed import acting_site
from benchmarks.progress import say
from sandbox.demo.place import own_directory
from sandbox.kube import Bed, BedOptions
from tests.e2e.counters import total
from tests.e2e.gateway.acting import ActingGateway
from tests.e2e.operator.scene import Scene
from tests.e2e.program import Daemon
from tests.fixtures_hand import ANN
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.access import access_by_kubeconfig
from waldur_slurm.operator.kube.talk import Talk

LIFETIME_S = 3600.0
HANDS = 4
"""So many make SlurmJobs at once, and type sbatch at once."""

LATER = {"begin": "now+1hour", "mem": "1", "chdir": "/tmp"}  # noqa: S108 - where all users may be
"""A job that waits, and so costs Slurm nothing beside."""

SLEEP = "#!/bin/sh\nsleep 600\n"
SHIPPED = {"OPERATOR_TICK": "5s", "OPERATOR_CONFIG_EVERY": "10s"}
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Requests:
    """How many there were until now: SlurmJobs and events written, and all that a gateway had."""

    written: float
    gateway: float
    readings: float

    def since(self, before: "Requests") -> "Requests":
        return Requests(
            self.written - before.written,
            self.gateway - before.gateway,
            self.readings - before.readings,
        )


@dataclass(frozen=True)
class Place:
    scene: Scene
    gateway: ActingGateway

    @contextmanager
    def operating(self) -> Iterator[Daemon]:
        """Run the operator with the settings that it is shipped with."""
        with self.scene.operating(**SHIPPED) as daemon:
            yield daemon

    def make(self, first: int, number: int) -> None:
        """Make so many SlurmJobs at once."""
        address = paths.job(self.scene.namespace, "any").rpartition("/")[0]

        def make(part: int) -> None:
            talk = Talk(access_by_kubeconfig(self.scene.bed.kubeconfig))
            for each in range(first + part, first + number, HANDS):
                talk.post(address, self._body(f"job-{each}"))
            talk.close()

        at_once(make)

    def _body(self, name: str) -> Mapping[str, object]:
        return {
            "apiVersion": "slurm.sylabs.io/v1alpha1",
            "kind": "SlurmJob",
            "metadata": {"name": name, "namespace": self.scene.namespace},
            "spec": {"batch": SLEEP, "options": LATER},
        }

    def handed_in(self) -> int:
        """How many jobs Slurm has that carry a mark of SlurmJobs."""
        return len(self.scene.site.jobs_marked("k8s:"))

    def told(self) -> int:
        """How many SlurmJobs say their number."""
        talk = Talk(access_by_kubeconfig(self.scene.bed.kubeconfig))
        found, _ = talk.list(paths.JOBS)
        talk.close()
        return sum("jobId" in (each.get("status") or {}) for each in found)

    def requests(self) -> Requests:
        told = self.scene.bed.must("get", "--raw", "/metrics")
        name = "apiserver_request_total"
        jobs = total(told, name, verb="PATCH", resource="slurmjobs")
        events = sum(total(told, name, verb=verb, resource="events") for verb in ("POST", "PATCH"))
        asked = self.gateway.get("/metrics").body.decode()
        answered = total(asked, "slurm_gateway_requests_total")
        return Requests(jobs + events, answered, total(asked, "slurm_gateway_readings_total"))

    def type_sbatch(self) -> None:
        """As root types it for a user, with the user's own words."""
        options = [f"--{name}={value}" for name, value in LATER.items()]
        true_sbatch = str(self.scene.site.tools / "true-sbatch")
        argv = ("sudo", "-n", "-u", ANN, "--", true_sbatch, "--account=physics", *options)
        subprocess.run(argv, input=SLEEP, text=True, check=True, capture_output=True)


@contextmanager
def place() -> Iterator[Place]:
    with (
        acting_site() as site,
        own_directory() as directory,
        Bed.start(directory / "kube", BedOptions(lifetime_s=LIFETIME_S)) as bed,
        site.running(GATEWAY_ANONYMOUS_SCOPES="metrics:read") as gateway,
    ):
        scene = Scene(bed, site, directory)
        scene.prepare(site.token(ANN))
        scene.say({"lab": scene.lab_behind(gateway)})
        yield Place(scene, gateway)


def at_once(work: Callable[[int], None]) -> None:
    """Do it by so many hands, each of which knows which one it is."""
    with ThreadPoolExecutor(HANDS) as pool:
        for _ in pool.map(work, range(HANDS)):
            pass


def seconds_until(holds: Callable[[], bool], what: str, began: float) -> float:
    """Look again and again, and say how long after `began` it was so."""
    said = began
    while not holds():
        now = time.monotonic()
        if now - began > PATIENCE_S:
            raise AssertionError(f"{what}: still not so after {PATIENCE_S} s")
        if now - said > 10:
            said = now
            say(f"{what}: {now - began:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began

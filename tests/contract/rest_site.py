"""A Slurm whose jobs are handed in and read by its slurmrestd, in one version of its API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.docker.cluster import ContainerCluster
from sandbox.docker.command import docker
from tests.contract.batch_site import ANN, RealBatchSite
from waldur_slurm.model.live import JobListing
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.rest.batch import RestBatch
from waldur_slurm.slurm.rest.grammar.address import Address
from waldur_slurm.slurm.rest.listing import RestListing
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import Rest

PORT = 6820
SERVED = {
    "docker_22_05": (38,),
    "docker_24_11": (40, 41, 42),
    "docker_26_05": (42, 43, 44, 45),
}
EVERY_VERSION = [(site, version) for site, versions in SERVED.items() for version in versions]


def _by_slurmrestd_alone() -> JobListing:
    raise AssertionError("slurmrestd did not list the jobs")


@dataclass
class RestSite:
    site: RealBatchSite
    version: int
    timeout: timedelta = timedelta(seconds=20)

    def __post_init__(self) -> None:
        self.machine = self.site.machine
        assert isinstance(self.machine, ContainerCluster)
        self.machine.start_daemon("slurmrestd")
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        host = docker("inspect", f"--format={form}", self.machine.container).stdout.strip()
        self.address = Address(host=host, port=PORT)

    @property
    def rest(self) -> Rest:
        return Rest(self.address, timeout=self.timeout, versions=(self.version,))

    def tools(self, user: str) -> SlurmBatch:
        """Hands in by sbatch, as the same user."""
        return self.site.of(user)

    def of(self, user: str) -> RestBatch:
        return RestBatch(self.rest, self.logins(user), self.tools(user), "/tmp")  # noqa: S108 - where everybody may write

    def logins(self, user: str) -> Logins:
        transport = self.site.as_user(user)

        def run(argv: Argv) -> Completed:
            return transport.run(argv)

        return Logins(user, run)

    def listing(self, by_squeue: Callable[[], JobListing] = _by_slurmrestd_alone) -> RestListing:
        return RestListing(self.rest, self.logins(ANN), lambda: datetime.now(UTC), by_squeue)

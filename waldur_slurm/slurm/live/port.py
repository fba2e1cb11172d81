"""What the project may ask of a cluster about now. Every reading is one process, or says so.

What ends without an error is the whole answer. `CommandFailed` means that Slurm refused;
`AccountingDown` and `TransportError` mean that nobody answers: nothing may be concluded, least of
all that there is nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from waldur_slurm.model.batch import JobId
from waldur_slurm.model.cluster import (
    Controller,
    License,
    Node,
    Partition,
    Qos,
    Reservation,
    Statistics,
    Versions,
)
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import JobListing, LiveJob


class Cluster(Protocol):
    """One cluster's queue and machines, as slurmctld has them now."""

    def read_jobs(self) -> JobListing:
        """Read all jobs that slurmctld knows, of hidden partitions and just ended ones too."""
        ...

    def read_job(self, job: JobId) -> JobListing:
        """Read one job with all its parts, and quickly or not at all; it costs slurmctld little.

        Of a task or a component that is asked for by its bare number: that part alone. Without a
        row there is no such job, as of now.
        """
        ...

    def read_details(self, jobs: Iterable[LiveJob]) -> Mapping[Run, JobDetails]:
        """Tell what each of `jobs` asked for and holds, as far as it can be told for certain.

        Slurm prints this among text that the jobs' owners wrote. So it is believed only where it
        fits a job as `read_jobs` knows it and nothing else claims to be that job; jobs that are
        claimed twice are asked for alone, in one process more. A job that is left out is not known.
        One that slurmctld has forgotten meanwhile can be claimed by whoever wrote that in time.
        """
        ...

    def read_nodes(self) -> tuple[Node, ...]: ...

    def read_partitions(self) -> tuple[Partition, ...]:
        """Read all partitions, hidden ones too."""
        ...

    def read_reservations(self) -> tuple[Reservation, ...]: ...

    def read_licenses(self) -> tuple[License, ...]: ...

    def read_qos(self) -> tuple[Qos, ...]:
        """Read all QoS; the only reading here that asks slurmdbd."""
        ...

    def read_statistics(self) -> Statistics: ...

    def read_configuration(self) -> Mapping[str, str]:
        """`slurm.conf` as slurmctld holds it."""
        ...

    def ping(self) -> tuple[Controller, ...]:
        """Tell which slurmctlds answer; that none does is an answer."""
        ...

    def read_versions(self) -> Versions: ...

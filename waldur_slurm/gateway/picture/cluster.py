"""All pictures of one cluster, and how old each may be."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Keeper
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.model.cluster import (
    License,
    Node,
    Partition,
    Qos,
    Reservation,
    Statistics,
)
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import JobListing
from waldur_slurm.model.past import Account, Membership, Person
from waldur_slurm.slurm.live.port import Cluster
from waldur_slurm.slurm.past.port import History
from waldur_slurm.telemetry.events import Sink

JOBS_TTL_S = 5.0
ACCOUNTING_TTL_S = 120.0

OnJobs = Callable[[Picture[JobsNow] | None, Picture[JobsNow]], None]


class ClusterPictures:
    """One cluster's pictures, each read when it is first asked for."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        history: History,
        tell: Sink,
        *,
        jobs_ttl_s: float = JOBS_TTL_S,
        on_jobs: OnJobs | None = None,
        list_jobs: Callable[[], JobListing] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`list_jobs` lists them in another way than `cluster` does."""
        self.name = name
        self.hidden: tuple[str, ...] | None = None
        """What Slurm hides of others from this gateway; None until that is known."""
        self.cluster = cluster
        self.history = history

        def listed() -> JobListing:
            return list_jobs() if list_jobs else cluster.read_jobs()

        def read_jobs() -> JobsNow:
            return JobsNow(listed())

        def read_details() -> Mapping[Run, JobDetails]:
            """Of the jobs that were shown last: both are shown together."""
            shown = self.jobs.last
            return cluster.read_details(shown.value.jobs if shown else listed().jobs)

        def keep(thing: str, read: Callable[[], Any], ttl_s: float) -> Keeper[Any]:
            return Keeper(thing, read, ttl_s, tell)

        def keep_accounting(thing: str, read: Callable[[], Any]) -> Keeper[Any]:
            return Keeper(thing, read, ACCOUNTING_TTL_S, tell, asks_accounting=True)

        self.jobs: Keeper[JobsNow]
        self.jobs = Keeper("jobs", read_jobs, jobs_ttl_s, tell, on_new=on_jobs, clock=clock)
        self.details: Keeper[Mapping[Run, JobDetails]]
        self.details = keep("what jobs asked for and hold", read_details, 10.0)
        self.nodes: Keeper[tuple[Node, ...]] = keep("nodes", cluster.read_nodes, 10.0)
        self.partitions: Keeper[tuple[Partition, ...]]
        self.partitions = keep("partitions", cluster.read_partitions, 60.0)
        self.reservations: Keeper[tuple[Reservation, ...]]
        self.reservations = keep("reservations", cluster.read_reservations, 60.0)
        self.licenses: Keeper[tuple[License, ...]]
        self.licenses = keep("licenses", cluster.read_licenses, 30.0)
        self.qos: Keeper[tuple[Qos, ...]] = keep_accounting("QoS", cluster.read_qos)
        self.statistics: Keeper[Statistics]
        self.statistics = keep("its statistics", cluster.read_statistics, 10.0)
        self.configuration: Keeper[Mapping[str, str]]
        self.configuration = keep("its configuration", cluster.read_configuration, 300.0)
        self.people: Keeper[tuple[Person, ...]] = keep_accounting("users", history.read_people)
        self.memberships: Keeper[tuple[Membership, ...]]
        self.memberships = keep_accounting("associations", history.read_memberships)
        self.accounts: Keeper[tuple[Account, ...]]
        self.accounts = keep_accounting("accounts", history.read_accounts)

    @property
    def doubt(self) -> str:
        """Why a job that Slurm does not show may be there all the same; empty where it cannot."""
        if self.hidden is None:
            return "it is not known yet whether Slurm shows the gateway everybody's jobs"
        return "PrivateData hides others' jobs from the gateway" if "jobs" in self.hidden else ""

    @property
    def all(self) -> tuple[Keeper[Any], ...]:
        """Every picture, for those who watch the gateway."""
        return tuple(kept for kept in vars(self).values() if isinstance(kept, Keeper))

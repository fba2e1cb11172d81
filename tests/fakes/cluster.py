"""A cluster in memory, held to real ones by `tests/contract`; what it holds is open to a test."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.details import job_record
from waldur_slurm.errors import AccountingDown, SlurmError
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.cluster import (
    Controller,
    License,
    Node,
    NodeState,
    Partition,
    Qos,
    Reservation,
    Rpc,
    Statistics,
    Versions,
)
from waldur_slurm.model.details import JobDetails, Record
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import ExitCode, JobListing, LiveJob, NodeShare, UnreadableJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import tres_name

CPU, MEM, NODE = map(tres_name, ("cpu", "mem", "node"))
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
EACH_CPUS = 8


def live_job(number: int = 1, *, state: str = "PENDING", **changes: Any) -> LiveJob:
    """Make a job of somebody's that asks for one CPU; `changes` are fields."""
    job = LiveJob(
        id=JobId(number),
        number=number,
        state=JobState(state),
        reason="",
        exit=ExitCode(0, 0),
        submitted=BEGAN,
        eligible=BEGAN,
        start=None,
        end=None,
        considered=None,
        limit_s=None,
        elapsed_s=0,
        uid=1000,
        gid=1000,
        user=UserName("ann"),
        account=AccountName("physics"),
        partition="main",
        qos="normal",
        priority=1,
        nice=0,
        restarts=0,
        may_requeue=True,
        node_count=1,
        cpus=1,
        tasks=1,
        tres={CPU: 1, MEM: 10, NODE: 1},
        tres_per_node="",
        hosts="",
        batch_host="",
        requested_hosts="",
        scheduled_hosts="",
        features="",
        reservation="",
        licenses="",
        dependency="",
        wckey="",
        association=1,
        profile="NotSet",
        stdout="/dev/null",
        stderr="/dev/null",
        command="",
        work_dir="/tmp",  # noqa: S108 - a path in a listing
        comment="",
        name="job",
    )
    return job._replace(**changes)


def idle_node(name: str) -> Node:
    return Node(
        name=name,
        state=NodeState("IDLE"),
        cpus=EACH_CPUS,
        allocated_cpus=0,
        load=0.0,
        memory_mib=32_000,
        allocated_memory_mib=0,
        free_memory_mib=16_000,
        tres={CPU: EACH_CPUS, MEM: 32_000},
        allocated_tres={},
        gres="gpu:4",
        features=(),
        active_features=(),
        partitions=("main",),
        version="22.05.8",
        booted=BEGAN,
        slurmd_started=BEGAN,
        why=None,
    )


def main_partition() -> Partition:
    return Partition(
        name="main",
        state="UP",
        is_default=True,
        is_hidden=False,
        hosts="n[1-2]",
        node_count=2,
        cpus=2 * EACH_CPUS,
        max_time_s=None,
        default_time_s=None,
        max_nodes=None,
        min_nodes=0,
        priority_tier=1,
        qos="",
        allowed_accounts=None,
        denied_accounts=(),
        allowed_qos=None,
        denied_qos=(),
        allowed_groups=None,
    )


def qos(name: str, **changes: object) -> Qos:
    """Make a QoS without limits; `changes` are fields."""
    made = Qos(
        name=name,
        priority=0,
        flags=(),
        preempts=(),
        max_wall_s=None,
        group_jobs=None,
        group_submitted_jobs=None,
        jobs_per_user=None,
        submitted_jobs_per_user=None,
        jobs_per_account=None,
        submitted_jobs_per_account=None,
        group_tres="",
        group_tres_minutes="",
        tres_per_job="",
        tres_per_node="",
        tres_per_user="",
        tres_per_account="",
        description="",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a typo fails at once


def _shares(job: LiveJob) -> tuple[NodeShare, ...]:
    if not job.hosts or job.state.is_terminal:
        return ()
    return (NodeShare(job.hosts, f"0-{job.cpus - 1}", job.tres[MEM], ""),)


@dataclass
class FakeCluster:
    """A `Cluster` without Slurm. `calls` counts them by name; `now` is Slurm's clock."""

    now: datetime = BEGAN
    version: str = "22.05.8"
    jobs: dict[int, LiveJob] = field(default_factory=dict)
    unreadable: list[UnreadableJob] = field(default_factory=list)
    nodes: dict[str, Node] = field(
        default_factory=lambda: {name: idle_node(name) for name in ("n1", "n2")}
    )
    partitions: list[Partition] = field(default_factory=lambda: [main_partition()])
    reservations: list[Reservation] = field(default_factory=list)
    licenses: list[License] = field(default_factory=list)
    qos: list[Qos] = field(default_factory=lambda: [qos("normal")])
    configuration: dict[str, str] = field(
        default_factory=lambda: {"ClusterName": "lab", "MinJobAge": "300 sec"}
    )
    records: dict[int, Record] = field(default_factory=dict)
    """Those of jobs that ask for something in particular."""
    forged: set[int] = field(default_factory=set)
    """Jobs whose details somebody forges."""
    untold: int = 0
    """What slurmctld has still to tell the accounting."""
    calls: Counter[str] = field(default_factory=Counter)
    silent: set[str] = field(default_factory=set)
    """What alone is not answered, as `read_configuration`."""
    _outage: SlurmError | None = None
    _is_accounting_down: bool = False

    # For a test

    def put(self, job: LiveJob) -> LiveJob:
        self.jobs[job.number] = job
        return job

    def begin(self, number: int, hosts: str = "n1") -> LiveJob:
        """Let a job run."""
        job = self.jobs[number]
        end = None if job.limit_s is None else self.now + timedelta(seconds=job.limit_s)
        running = JobState("RUNNING")
        return self.put(
            job._replace(state=running, reason="", start=self.now, end=end, hosts=hosts)
        )

    def finish(self, number: int, state: str = "COMPLETED", code: int = 0) -> LiveJob:
        ended = self.jobs[number]._replace(state=JobState(state), end=self.now, reason="")
        return self.put(ended._replace(exit=ExitCode(code, 0)))

    def forget(self, number: int) -> None:
        """What slurmctld does with a job that ended a while ago."""
        del self.jobs[number]

    def go_down(self, error: SlurmError | None = None) -> None:
        said = "Unable to contact slurm controller (connect failure)"
        self._outage = error or AccountingDown(("squeue",), 1, said)

    def come_back(self) -> None:
        self._outage = None
        self._is_accounting_down = False

    def lose_accounting(self) -> None:
        self._is_accounting_down = True

    # The port

    def read_jobs(self) -> JobListing:
        self._called("read_jobs")
        return JobListing(tuple(self.jobs.values()), tuple(self.unreadable))

    def read_job(self, job: JobId) -> JobListing:
        self._called("read_job")
        rows = self.jobs.values()
        found = [row for row in rows if row.id.whole == job] or [
            row for row in rows if JobId(row.number) == job
        ]
        torn = [row for row in self.unreadable if str(job) in row.cells]
        return JobListing(tuple(found), tuple(torn))

    def read_details(self, jobs: Iterable[LiveJob]) -> Mapping[Run, JobDetails]:
        self._called("read_details")
        known = [self.jobs.get(job.number) for job in jobs]
        return {
            job.run: JobDetails(_shares(job), self.records.get(job.number, job_record()))
            for job in known
            if job and job.number not in self.forged
        }

    def read_nodes(self) -> tuple[Node, ...]:
        self._called("read_nodes")
        return tuple(self.nodes.values())

    def read_partitions(self) -> tuple[Partition, ...]:
        self._called("read_partitions")
        return tuple(self.partitions)

    def read_reservations(self) -> tuple[Reservation, ...]:
        self._called("read_reservations")
        return tuple(self.reservations)

    def read_licenses(self) -> tuple[License, ...]:
        self._called("read_licenses")
        return tuple(self.licenses)

    def read_qos(self) -> tuple[Qos, ...]:
        self._called("read_qos")
        if self._is_accounting_down:
            raise AccountingDown(("sacctmgr",), 1, "Connection refused")
        return tuple(self.qos)

    def read_statistics(self) -> Statistics:
        self._called("read_statistics")
        asked = self.calls["read_jobs"]
        return Statistics(
            at=self.now,
            since=BEGAN,
            counters={
                "Jobs running": sum(job.hosts != "" for job in self.jobs.values()),
                "DBD Agent queue size": self.untold,
            },
            main_schedule={},
            backfill={},
            by_message=(Rpc("REQUEST_JOB_INFO", 2003, asked, 100, 100 * asked),),
            by_user=(Rpc("root", 0, asked, 100, 100 * asked),),
        )

    def read_configuration(self) -> Mapping[str, str]:
        self._called("read_configuration")
        return dict(self.configuration)

    def ping(self) -> tuple[Controller, ...]:
        self.calls["ping"] += 1
        return (Controller("primary", "lab", self._outage is None),)

    def read_versions(self) -> Versions:
        self._called("read_versions")
        return Versions(self.version, self.version)

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if self._outage is not None:
            raise self._outage
        if name in self.silent:
            raise AccountingDown((name,), 1, "Socket timed out on send/recv operation")

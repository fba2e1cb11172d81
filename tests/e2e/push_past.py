"""A cluster with an invented past, and the program's eyes on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.slurm import Cluster
from sandbox.slurm.history import History, fill
from sandbox.slurm.history_jobs import HistoryOptions, Job
from sandbox.slurm.history_sums import Share as KnownShare
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.usage import Basis, Measurement
from waldur_slurm.model.jobs import QueuedJob, Run
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.state import StateDirectory

UTC_ZONE = ZoneInfo("UTC")
TALLINN = ZoneInfo("Europe/Tallinn")
TRES = tuple(map(TresName, ("cpu", "mem", "node", "billing", "gres/gpu")))

Known = Mapping[KnownShare, int]


class HistoricalSlurm(SlurmClient):
    """Real accounting, beside a slurmctld that knows the invented jobs which still run."""

    open_jobs: tuple[Job, ...] = ()

    def read_queue(
        self,
        accounts: Collection[AccountName],  # noqa: ARG002 - all of them are asked about
    ) -> tuple[QueuedJob, ...]:
        return tuple(
            QueuedJob(
                str(job.number),
                AccountName(job.account),
                UserName(job.user),
                "RUNNING",
                _moment(job.submit),
            )
            for job in self.open_jobs
        )

    def read_suspended(self, ids: Collection[str]) -> Mapping[Run, datetime]:
        return {
            Run(str(job.number), _moment(job.submit)): _moment(job.pauses[-1][0])
            for job in self.open_jobs
            if job.pauses and not job.pauses[-1][1] and str(job.number) in ids
        }


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class Past:
    """A cluster with a history, and the program's eyes on it."""

    cluster: Cluster
    history: History
    slurm: HistoricalSlurm

    @property
    def accounts(self) -> frozenset[AccountName]:
        return frozenset(map(AccountName, self.history.options.account_names()))

    @property
    def months(self) -> tuple[Month, ...]:
        months = [Month(*self.history.options.first_month)]
        while len(months) < self.history.options.months:
            months.append(months[-1].following())
        return tuple(months)

    @property
    def end(self) -> datetime:
        return _moment(self.history.options.end)

    def meter(self, state: Path, zone: ZoneInfo, basis: Basis = Basis.ALLOCATED) -> Meter:
        return Meter(self.slurm, StateDirectory(state), zone, TRES, basis)

    def paused(self, account: AccountName, window: Window) -> frozenset[str]:
        """People whose jobs were suspended in the window."""
        start, end = window.start.timestamp(), window.end.timestamp()
        return frozenset(
            job.user
            for job in self.history.jobs
            if job.account == account
            and any(begin < end and (over or end) > start for begin, over in job.pauses)
        )

    def roll_up(self, window: Window) -> None:
        """Let slurmdbd sum up these hours, of a cluster that it takes for registered."""
        self.cluster.sql(
            "insert into lab_event_table (time_start, node_name, cluster_nodes, reason, tres)"
            " values (unix_timestamp('2023-01-01'), '', 'n1', 'registered', '1=640,2=2560000')"
        )
        edges = (f"{window.start:%FT%T}", f"{window.end:%FT%T}")
        self.cluster.must("sacctmgr", "-i", "rollup", *edges, "0", timeout=120)

    def known(self, zone: ZoneInfo, months: Collection[Month]) -> Known:
        wanted = set(map(str, months))
        sums = self.history.sums(zone.key)
        return {share: total for share, total in sums.items() if share.month in wanted}


def past_of(cluster: Cluster, options: HistoryOptions) -> Past:
    """Fill a cluster, and another of the same database that nobody may count."""
    history = fill(cluster, "lab", options, other="other")
    slurm = HistoricalSlurm(NativeTransport(cluster.environ), cluster=ClusterName("lab"))
    slurm.open_jobs = history.open_jobs
    return Past(cluster, history, slurm)


def as_known(measured: Mapping[Month, Measurement]) -> Known:
    return {
        KnownShare(share.account, str(month), share.user, share.tres): seconds
        for month, measurement in measured.items()
        for share, seconds in measurement.tally.items()
        if seconds
    }

"""What a Slurm in memory is asked, and what a test arranges in it.

It lies where Slurm lies; what it knows is open for a test to seed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.fakes.slurm_jobs import FakeJob
from waldur_slurm.errors import AccountingDown, CommandFailed, SlurmError, UnclearPart
from waldur_slurm.model.accounts import Account, Association, Snapshot
from waldur_slurm.model.jobs import JobRecord, QueuedJob, Run, UnreadableRecord
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import TresName, tres_name
from waldur_slurm.slurm.accounting.port import RolledUp

COMMON_TRES = frozenset(
    map(tres_name, ("cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages"))
)


def refused(said: str) -> CommandFailed:
    return CommandFailed(("sacctmgr",), 1, said)


def down() -> AccountingDown:
    return AccountingDown(("sacctmgr",), 1, "Connection refused")


@dataclass
class FakeReadings:
    """The reads of an `Accounting`. `calls` counts them by name; `now` is Slurm's clock."""

    tres: frozenset[TresName] = COMMON_TRES | {tres_name("gres/gpu")}
    qos: frozenset[str] = frozenset({"normal"})
    unix_users: set[UserName] | None = None
    """None: everybody resolves."""
    homes: set[UserName] = field(default_factory=set)
    version: str = "22.05.8"
    is_privileged: bool = True
    """Whether this user may change accounts."""
    adds_one_by_one: bool = False
    """Whether this user is an Operator, who may not load many accounts at once."""
    configuration: dict[str, str] = field(
        default_factory=lambda: {
            "AccountingStorageEnforce": "associations,limits,qos,safe",
            "PriorityType": "priority/multifactor",
            "PriorityDecayHalfLife": "00:00:00",
            "PriorityUsageResetPeriod": "MONTHLY",
            "ClusterName": "lab",
        }
    )
    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    jobs: list[FakeJob] = field(default_factory=list)
    runaway: list[FakeJob] = field(default_factory=list)
    """Jobs that slurmctld forgot, while the accounting has no end for them."""
    forgers: list[FakeJob] = field(default_factory=list)
    """Jobs whose own text imitates what slurmctld says of them."""
    unreadable: list[UnreadableRecord] = field(default_factory=list)
    backlog: int = 0
    """What slurmctld has yet to tell the accounting."""
    rollup: dict[AccountName, Mapping[RolledUp, int]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._accounts: dict[AccountName, Account] = {
            ROOT: Account(
                ROOT,
                "default root account",
                "root",
                fairshare="1",
                qos=("normal",),
                associations=(Association(UserName("root")),),
            )
        }
        self._defaults: dict[UserName, AccountName] = {UserName("root"): ROOT}
        self._failures: list[tuple[str | None, SlurmError]] = []
        self._outage: SlurmError | None = None

    @property
    def cluster(self) -> ClusterName:
        return ClusterName(self.configuration["ClusterName"])

    def fail_next(self, error: SlurmError, on: str | None = None) -> None:
        """The next call, or the next call of the method `on`, raises `error` and does nothing."""
        self._failures.append((on, error))

    def go_down(self, error: SlurmError | None = None) -> None:
        """Every call fails until `come_back`, as when slurmdbd is stopped."""
        self._outage = error or down()

    def come_back(self) -> None:
        self._outage = None

    def put(self, account: Account) -> None:
        """Place an account as an administrator would, whatever its name."""
        self._accounts[account.name] = account

    def submit(
        self, user: str, account: str, allocated: Mapping[str, int] | None = None
    ) -> FakeJob:
        """Queue a job, or raise as sbatch would."""
        name, who = AccountName(account), UserName(user)
        found = self._accounts.get(name)
        associations = found.associations if found else ()
        mine = next((a for a in associations if a.user == who), None)
        if found is None or mine is None:
            raise refused("Invalid account or account/partition combination specified")
        if mine.max_submit_jobs == 0 or found.grp_submit_jobs == 0:
            raise refused("Job violates accounting/QOS policy")
        tres = {tres_name(key): value for key, value in (allocated or {"cpu": 1}).items()}
        job = FakeJob(str(len(self.jobs) + 1), name, who, tres, submitted=self.now)
        self.jobs.append(job)
        return job

    def tick(self, passed: timedelta = timedelta(minutes=1)) -> None:
        """Start what is pending and may run, which nothing may without its account; time passes."""
        for job in self.jobs:
            account = self._accounts.get(job.account)
            is_held = (
                account is None
                or account.grp_jobs == 0
                or any(limit == 0 for limit in account.limits.values())
            )
            if job.state == "PENDING" and not is_held:
                job.state, job.start = "RUNNING", self.now
        self.now += passed

    def finish(self, job: FakeJob, state: str = "COMPLETED") -> None:
        job.state, job.end = state, self.now

    def read_snapshot(self) -> Snapshot:
        self._called("read_snapshot")
        return self._snapshot(self._accounts)

    def read_outline(self) -> Snapshot:
        self._called("read_outline")
        known = self._snapshot(name for name in self._accounts if self._is_here(name)).accounts
        return Snapshot(
            {
                name: replace(account, description="", organization="")
                for name, account in known.items()
            }
        )

    def read_part(
        self, names: Collection[AccountName], is_touched: Callable[[str], bool]
    ) -> Snapshot:
        self._called("read_part")
        found = self._accounts.values()
        told = {a.name for a in found if is_touched(a.description)}
        read = {ROOT, *told, *(self._accounts.keys() & set(names))}
        if any(self._accounts[name].parent not in {*read, None} for name in read):
            raise UnclearPart("an account hangs below one that was not asked for")
        return self._snapshot(read)

    def read_accounts(self, names: Collection[AccountName]) -> Snapshot:
        self._called("read_accounts")
        found = self._accounts.values()
        return self._snapshot({a.name for a in found if a.name in names or a.parent in names})

    def read_default_accounts(self, users: Collection[UserName]) -> Mapping[UserName, AccountName]:
        self._called("read_default_accounts")
        return {user: self._defaults[user] for user in users if user in self._defaults}

    def read_tres(self) -> frozenset[TresName]:
        self._called("read_tres")
        return self.tres

    def read_queue(self, accounts: Collection[AccountName]) -> tuple[QueuedJob, ...]:
        self._called("read_queue")
        return tuple(
            QueuedJob(job.id, job.account, job.user, job.state, job.submitted)
            for job in self.jobs
            if job.end is None and job.account in accounts and job not in self.runaway
        )

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        self._called("read_job_records")
        yield from self.unreadable
        for job in self.jobs:
            record = job.clipped(window.before(self.now))
            if record is not None:
                yield record

    def read_suspended(self, ids: Collection[str]) -> Mapping[Run, datetime]:
        self._called("read_suspended")
        return {
            job.run: job.paused[-1].start
            for job in self.jobs
            if job.state == "SUSPENDED" and job.id in ids and job not in self.forgers
        }

    def read_backlog(self) -> int:
        self._called("read_backlog")
        return self.backlog

    def read_rollup(
        self,
        account: AccountName,
        window: Window,  # noqa: ARG002 - a test arranges the sums of the window it asks for
    ) -> Mapping[RolledUp, int]:
        self._called("read_rollup")
        return self.rollup.get(account, {})

    def read_version(self) -> str:
        self._called("read_version")
        return self.version

    def may_change_accounts(self) -> bool:
        self._called("may_change_accounts")
        return self.is_privileged

    def read_configuration(self) -> Mapping[str, str]:
        self._called("read_configuration")
        return dict(self.configuration)

    def read_missing_unix_users(self, users: Collection[UserName]) -> frozenset[UserName]:
        self._called("read_missing_unix_users")
        return frozenset(users) - (frozenset(users) if self.unix_users is None else self.unix_users)

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        for failure in self._failures:
            on, error = failure
            if on in (None, name):
                self._failures.remove(failure)
                raise error
        if self._outage is not None:
            raise self._outage

    def _snapshot(self, names: Iterable[AccountName]) -> Snapshot:
        return Snapshot({name: _sorted(self._accounts[name]) for name in sorted(names)})

    def _is_here(self, name: AccountName) -> bool:
        return name in self._accounts and (name == ROOT or self._accounts[name].parent is not None)


def _sorted(account: Account) -> Account:
    associations = sorted(account.associations, key=lambda a: (a.user, a.partition))
    return replace(account, limits=dict(account.limits), associations=tuple(associations))

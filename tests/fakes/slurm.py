"""Slurm in memory, held to the real one by `tests/contract`.

It refuses what Slurm refuses and lies where Slurm lies; what it knows is open for a test to seed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from waldur_slurm.errors import AccountingDown, CommandFailed, SlurmError
from waldur_slurm.model.accounts import Account, Association, NewAccount, Snapshot
from waldur_slurm.model.jobs import JobRecord, QueuedJob, Run, UnreadableRecord
from waldur_slurm.model.names import ROOT, TELLING, AccountName, ClusterName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import Tres, TresName, tres_name
from waldur_slurm.slurm.accounting.grammar import border
from waldur_slurm.slurm.accounting.grammar.attributes import description_of
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.accounting.port import Outcome, RolledUp

COMMON_TRES = frozenset(
    map(tres_name, ("cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages"))
)


FOREVER = datetime.max.replace(tzinfo=UTC)


def refused(said: str) -> CommandFailed:
    return CommandFailed(("sacctmgr",), 1, said)


def down() -> AccountingDown:
    return AccountingDown(("sacctmgr",), 1, "Connection refused")


@dataclass
class FakeJob:
    """A job as slurmctld and the accounting see it together."""

    id: str
    account: AccountName
    user: UserName
    allocated: Tres
    start: datetime | None = None
    end: datetime | None = None
    state: str = "PENDING"
    submitted: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    paused: list[Window] = field(default_factory=list)
    """When it was suspended; a suspension that is not over ends with time itself."""
    resized: datetime | None = None
    """When it was made smaller: since then its record is as of a job submitted at that time."""

    @property
    def run(self) -> Run:
        return Run(self.id, self.submitted)

    def clipped(self, window: Window) -> JobRecord | None:
        """Its part in `window`, as `sacct --truncate` gives it: it clips open ones there too."""
        if self.start is None:
            return None
        start = max(self.start, window.start)
        end = min(self.end or window.end, window.end)
        if end <= start:
            return None
        held = end - start
        for pause in self.paused:
            if pause.end != FOREVER:
                held -= max(min(end, pause.end) - max(start, pause.start), timedelta())
        return JobRecord(
            id=self.id,
            account=self.account,
            user=self.user,
            state=self.state,
            submitted=self.resized or self.submitted,
            start=start,
            end=end,
            seconds=int(held.total_seconds()),
            allocated=self.allocated,
            requested=self.allocated,
        )


@dataclass
class FakeSlurm:
    """An `Accounting` without Slurm. `calls` counts them by name; `now` is Slurm's clock."""

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

    # What a test arranges

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
        """Start what is pending and may run, then let time pass."""
        for job in self.jobs:
            account = self._accounts.get(job.account)
            is_held = account is not None and (
                account.grp_jobs == 0 or any(limit == 0 for limit in account.limits.values())
            )
            if job.state == "PENDING" and not is_held:
                job.state, job.start = "RUNNING", self.now
        self.now += passed

    def finish(self, job: FakeJob, state: str = "COMPLETED") -> None:
        job.state, job.end = state, self.now

    # Reading

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

    # Writing

    def add_accounts(self, accounts: Sequence[NewAccount]) -> Outcome:
        """All or none, as `sacctmgr load` does; or all that are not refused."""
        self._called("add_accounts")
        for new in accounts:
            border.check_new_account(new)
        missing = [new for new in accounts if not self._is_here(new.name)]
        self._refuse_orphans(missing)
        before = dict(self._accounts)
        refusals: list[CommandFailed] = []
        for new in missing:
            try:
                self._make(new)
            except CommandFailed as refusal:
                refusals.append(refusal)
        if refusals:
            if not self.adds_one_by_one:
                self._accounts = before
            raise refusals[0]
        return Outcome.CHANGED if missing else Outcome.ALREADY_SO

    def add_users(self, memberships: Mapping[AccountName, Collection[UserName]]) -> Outcome:
        self._called("add_users")
        border.check_memberships(memberships)
        for account in memberships:
            self._existing(account)
        outcome = Outcome.ALREADY_SO
        for account, users in sorted(memberships.items()):
            for user in sorted(users):
                found = self._accounts[account]
                if user in found.users:
                    continue
                self._defaults.setdefault(user, account)
                self._accounts[account] = replace(
                    found, associations=(*found.associations, Association(user))
                )
                outcome = Outcome.CHANGED
        return outcome

    def remove_users(self, account: AccountName, users: Collection[UserName]) -> Outcome:
        self._called("remove_users")
        border.check_memberships({account: users})
        found = self._accounts.get(account)
        leaving = frozenset(users) & (found.users if found else frozenset())
        if found is None or not leaving:
            return Outcome.ALREADY_SO
        self._check_jobs(account, leaving)
        self._check_defaults(account, leaving)
        left = tuple(a for a in found.associations if a.user not in leaving or a.partition)
        self._accounts[account] = replace(found, associations=left)
        self._forget_defaults(account, leaving)
        return Outcome.CHANGED

    def remove_accounts(self, names: Sequence[AccountName]) -> Outcome:
        self._called("remove_accounts")
        for name in names:
            border.check_account(name)
        there = [name for name in names if name in self._accounts]
        for name in there:
            if self._accounts[name].associations:
                raise refused(f"account {name} still has people")
            children = {a.name for a in self._accounts.values() if a.parent == name}
            if children - set(there):
                raise refused(f"account {name} still has children")
        for name in there:
            del self._accounts[name]
        return Outcome.CHANGED if there else Outcome.ALREADY_SO

    def set_limits(self, account: AccountName, limits: Mapping[TresName, int | None]) -> Outcome:
        self._called("set_limits")
        border.check_account(account)
        border.check_limits(limits)
        found = self._existing(account)
        self._check_tres(limits)
        merged = {**found.limits, **limits}
        held = {tres: value for tres, value in merged.items() if value is not None}
        return self._store(replace(found, limits=held))

    def set_account_hold(
        self, account: AccountName, grp_jobs: int | None, grp_submit_jobs: int | None
    ) -> Outcome:
        self._called("set_account_hold")
        border.check_account(account)
        border.check_counts(grp_jobs, grp_submit_jobs)
        found = self._existing(account)
        return self._store(replace(found, grp_jobs=grp_jobs, grp_submit_jobs=grp_submit_jobs))

    def set_user_hold(
        self, account: AccountName, user: UserName, max_submit_jobs: int | None
    ) -> Outcome:
        self._called("set_user_hold")
        border.check_memberships({account: [user]})
        border.check_counts(max_submit_jobs)
        found = self._accounts.get(account)
        if found is None or user not in found.users:
            raise refused("Nothing modified")
        associations = tuple(
            replace(a, max_submit_jobs=max_submit_jobs) if a.user == user and not a.partition else a
            for a in found.associations
        )
        return self._store(replace(found, associations=associations))

    def set_parent(self, account: AccountName, parent: AccountName) -> Outcome:
        self._called("set_parent")
        border.check_account(account)
        border.check_account(parent)
        found = self._existing(account)
        if not self._is_here(parent):
            raise refused(f"Parent Account {parent} doesn't exist.")
        return self._store(replace(found, parent=parent))

    def set_default_account(self, user: UserName, account: AccountName) -> Outcome:
        self._called("set_default_account")
        border.check_memberships({account: [user]})
        if user not in self._existing(account).users:
            raise refused("Can't modify because these users aren't associated with new default")
        if self._defaults.get(user) == account:
            return Outcome.ALREADY_SO
        self._defaults[user] = account
        return Outcome.CHANGED

    def set_description(self, account: AccountName, description: str) -> Outcome:
        self._called("set_description")
        border.check_account(account)
        found = self._existing(account)
        return self._store(replace(found, description=clean_text(description)))

    def set_qos(self, account: AccountName, qos: Sequence[str], default_qos: str) -> Outcome:
        self._called("set_qos")
        border.check_account(account)
        border.check_qos(qos, default_qos)
        found = self._existing(account)
        self._check_qos(qos, default_qos)
        return self._store(replace(found, qos=tuple(sorted(qos)), default_qos=default_qos))

    def cancel_jobs(self, jobs: Iterable[QueuedJob]) -> Outcome:
        self._called("cancel_jobs")
        wanted = {border.check_job_id(job.id): job for job in jobs}
        for job in self.jobs:
            asked = wanted.get(job.id)
            has_started_since = asked and asked.is_pending and job.state != "PENDING"
            if asked and job.end is None and not has_started_since:
                self.finish(job, "CANCELLED")
        return Outcome.CHANGED if wanted else Outcome.ALREADY_SO

    def make_home(self, user: UserName) -> Outcome:
        self._called("make_home")
        border.check_user(user)
        if self.unix_users is not None and user not in self.unix_users:
            raise refused(f"no such user: {user}")
        if user in self.homes:
            return Outcome.ALREADY_SO
        self.homes.add(user)
        return Outcome.CHANGED

    # Behind the scenes

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

    def _refuse_orphans(self, accounts: Sequence[NewAccount]) -> None:
        known = {name for name in self._accounts if self._is_here(name)}
        for new in accounts:
            if new.parent not in known:
                raise refused(f"no account {new.parent} to be a parent")
            known.add(new.name)

    def _make(self, new: NewAccount) -> None:
        if not self._is_here(new.parent):
            raise refused(f"Parent account '{new.parent}' doesn't exist")
        alike = [name for name in self._accounts if name[:TELLING] == new.name[:TELLING]]
        if alike not in ([], [new.name]):
            raise refused(f"Slurm could not tell {new.name} from {alike[0]}")
        self._check_tres(new.limits)
        self._check_qos(new.qos, new.default_qos)
        self._accounts[new.name] = Account(
            name=new.name,
            description=description_of(new),
            organization=clean_text(new.organization) or new.parent,
            parent=new.parent,
            limits=dict(new.limits),
            fairshare=new.fairshare or "1",
            qos=new.qos,
            default_qos=new.default_qos,
        )

    def _check_qos(self, qos: Iterable[str], default_qos: str) -> None:
        allowed = set(qos) or self.qos
        unknown = set(qos) - self.qos or set(filter(None, [default_qos])) - allowed
        if unknown:
            raise refused(f"You gave a bad qos '{min(unknown)}'")

    def _is_here(self, name: AccountName) -> bool:
        return name in self._accounts and (name == ROOT or self._accounts[name].parent is not None)

    def _existing(self, name: AccountName) -> Account:
        if not self._is_here(name):
            raise refused(f"no account {name} in cluster lab")
        return self._accounts[name]

    def _store(self, account: Account) -> Outcome:
        if self._accounts[account.name] == account:
            return Outcome.ALREADY_SO
        self._accounts[account.name] = account
        return Outcome.CHANGED

    def _check_tres(self, limits: Iterable[TresName]) -> None:
        for tres in limits:
            if tres not in self.tres:
                raise refused(f"Unknown option: GrpTRESMins={tres}")

    def _check_jobs(self, account: AccountName, users: Collection[UserName]) -> None:
        busy = [
            job.id
            for job in self.jobs
            if job.end is None and job.account == account and job.user in users
        ]
        if busy:
            raise refused(f"Job(s) active, cancel job(s) before remove JobID = {busy[0]}")

    def _check_defaults(self, account: AccountName, users: Collection[UserName]) -> None:
        for user in users:
            others = {
                found.name
                for found in self._accounts.values()
                if found.name != account and user in found.users
            }
            if others and self._defaults.get(user) == account:
                raise refused("You can not remove the default account of a user")

    def _forget_defaults(self, account: AccountName, users: Collection[UserName]) -> None:
        for user in users:
            if self._defaults.get(user) == account:
                del self._defaults[user]


def _sorted(account: Account) -> Account:
    associations = sorted(account.associations, key=lambda a: (a.user, a.partition))
    return replace(account, limits=dict(account.limits), associations=tuple(associations))

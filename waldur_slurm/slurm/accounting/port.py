"""What the project may ask of Slurm, and the four ways in which an answer can turn out.

A write ends as CHANGED or ALREADY_SO. `CommandFailed` means that Slurm refused, in its own words;
`AccountingDown` and `TransportError` mean that Slurm is not answering: nothing may be concluded.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from waldur_slurm.model.accounts import NewAccount, Snapshot
from waldur_slurm.model.jobs import JobRecord, QueuedJob, Run, UnreadableRecord
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import TresName


class Outcome(Enum):
    """How a write that Slurm confirmed turned out."""

    CHANGED = auto()
    ALREADY_SO = auto()


RolledUp = tuple[UserName, TresName]


class Accounting(Protocol):
    """One cluster's accounts, people, limits, jobs and records. All reads are bulk reads."""

    @property
    def cluster(self) -> ClusterName:
        """Whose it is; where no name is set, the one that slurm.conf names is asked for once."""
        ...

    def read_snapshot(self) -> Snapshot:
        """Read all accounts and associations of the cluster."""
        ...

    def read_outline(self) -> Snapshot:
        """Read the cluster's accounts with parents, limits and people alone, in one process."""
        ...

    def read_part(
        self, names: Collection[AccountName], is_touched: Callable[[str], bool]
    ) -> Snapshot:
        """Read those of `names` that are there, those whose description is touched, and root.

        All the others may be there as well: of who is absent nothing is said. Raises `UnclearPart`
        where an account hangs below one that is not read.
        """
        ...

    def read_accounts(self, names: Collection[AccountName]) -> Snapshot:
        """Read these accounts and all their children afresh, as right before a removal."""
        ...

    def read_default_accounts(self, users: Collection[UserName]) -> Mapping[UserName, AccountName]:
        """Tell the default accounts of those of `users` who have one in this cluster."""
        ...

    def read_tres(self) -> frozenset[TresName]: ...

    def read_queue(self, accounts: Collection[AccountName]) -> tuple[QueuedJob, ...]:
        """Jobs of these accounts that have not ended, as slurmctld knows them."""
        ...

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        """All accounts' allocations in `window`, each clipped to it; streamed.

        Every run of a requeued job is there. What ends without an error is the whole answer.
        """
        ...

    def read_suspended(self, ids: Collection[str]) -> Mapping[Run, datetime]:
        """Since when those of these jobs are suspended that are suspended now.

        A job whose own text makes that doubtful is left out.
        """
        ...

    def read_backlog(self) -> int:
        """How many messages slurmctld still has for the accounting, records of jobs among them."""
        ...

    def read_rollup(self, account: AccountName, window: Window) -> Mapping[RolledUp, int]:
        """Slurm's own sums for one account, in TRES-seconds by user; whole hours only."""
        ...

    def read_version(self) -> str: ...

    def may_change_accounts(self) -> bool:
        """Whether Slurm lets this user make accounts; asked without making any."""
        ...

    def read_configuration(self) -> Mapping[str, str]:
        """`slurm.conf` as slurmctld holds it, for `check`."""
        ...

    def add_accounts(self, accounts: Sequence[NewAccount]) -> Outcome:
        """Make accounts, parents before their children; those that exist stay as they are.

        Where one is refused, the others may have been made.
        """
        ...

    def add_users(self, memberships: Mapping[AccountName, Collection[UserName]]) -> Outcome:
        """Make exactly these associations and no other."""
        ...

    def remove_users(self, account: AccountName, users: Collection[UserName]) -> Outcome:
        """Take people out of an account that is not the default of anyone with another one.

        Newer Slurm refuses that, older leaves them without a default. Associations of one
        partition stay.
        """
        ...

    def remove_accounts(self, names: Sequence[AccountName]) -> Outcome:
        """Remove accounts that have neither children nor people; Slurm would not refuse."""
        ...

    def set_limits(self, account: AccountName, limits: Mapping[TresName, int | None]) -> Outcome:
        """Set `GrpTRESMins` for the TRES named, None clears one; what Slurm holds is read back."""
        ...

    def set_account_hold(
        self, account: AccountName, grp_jobs: int | None, grp_submit_jobs: int | None
    ) -> Outcome:
        """Set `GrpJobs` and `GrpSubmitJobs`; None lifts."""
        ...

    def set_user_hold(
        self, account: AccountName, user: UserName, max_submit_jobs: int | None
    ) -> Outcome: ...

    def set_parent(self, account: AccountName, parent: AccountName) -> Outcome: ...

    def set_default_account(self, user: UserName, account: AccountName) -> Outcome: ...

    def set_description(self, account: AccountName, description: str) -> Outcome: ...

    def set_qos(self, account: AccountName, qos: Sequence[str], default_qos: str) -> Outcome: ...

    def cancel_jobs(self, jobs: Iterable[QueuedJob]) -> Outcome: ...

    def read_missing_unix_users(self, users: Collection[UserName]) -> frozenset[UserName]:
        """Those of `users` that do not resolve where Slurm runs; one look-up for all."""
        ...

    def make_home(self, user: UserName) -> Outcome:
        """Make a home directory where Slurm runs; one that exists is ALREADY_SO."""
        ...

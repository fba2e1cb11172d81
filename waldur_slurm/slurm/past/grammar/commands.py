"""Questions to the accounting about the past: always with a time, a cluster and everybody. Pure."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import AccountName, ClusterName, UserName, account_name, user_name
from waldur_slurm.processes.port import Argv
from waldur_slurm.slurm.grammar.commands import LISTING
from waldur_slurm.slurm.past.grammar.columns import (
    OUTPUT_TEXTS,
    STEP_TEXTS,
    TEXTS,
    AccountRow,
    MembershipRow,
    OutputRow,
    PersonRow,
    RunRow,
    StepRow,
)


class Narrowed(NamedTuple):
    """What slurmdbd itself can choose by; names it would misread are refused."""

    users: frozenset[UserName] = frozenset()
    accounts: frozenset[AccountName] = frozenset()
    numbers: tuple[int, ...] = ()

    @property
    def options(self) -> Argv:
        users = ",".join(sorted(map(user_name, self.users)))
        accounts = ",".join(sorted(map(account_name, self.accounts)))
        numbers = ",".join(map(str, self.numbers))
        return (
            *((f"--user={users}",) if users else ()),
            *((f"--accounts={accounts}",) if accounts else ()),
            *((f"--jobs={numbers}",) if numbers else ()),
        )


def show_runs(
    cluster: ClusterName, start: datetime, end: datetime, narrowed: Narrowed, mark: str
) -> Argv:
    """Every run that touched `[start, end)`, each as it was as a whole."""
    return (
        *_sacct(cluster, start, mark),
        f"--endtime=uts{int(end.timestamp())}",
        "--allocations",
        "--duplicates",
        *narrowed.options,
        f"--format={','.join((*RunRow._fields, *TEXTS, *TEXTS))}",
    )


def show_steps(cluster: ClusterName, jobs: Collection[JobId], since: datetime, mark: str) -> Argv:
    numbers = ",".join(map(str, sorted({job.number for job in jobs})))
    return (
        *_sacct(cluster, since, mark),
        f"--jobs={numbers}",
        f"--format={','.join((*StepRow._fields, *STEP_TEXTS, *STEP_TEXTS))}",
    )


def show_outputs(cluster: ClusterName, jobs: Collection[JobId], since: datetime, mark: str) -> Argv:
    """Of each job its last run."""
    numbers = ",".join(map(str, sorted({job.number for job in jobs})))
    return (
        *_sacct(cluster, since, mark),
        "--allocations",
        f"--jobs={numbers}",
        f"--format={','.join((*OutputRow._fields, *OUTPUT_TEXTS, *OUTPUT_TEXTS))}",
    )


def _sacct(cluster: ClusterName, start: datetime, mark: str) -> Argv:
    return (
        "sacct",
        f"--clusters={cluster}",
        "--allusers",
        "--noconvert",
        "--noheader",
        "--parsable",
        f"--delimiter={mark}",
        f"--starttime=uts{int(start.timestamp())}",
    )


def show_configuration() -> Argv:
    """Ask slurmdbd for its own, too."""
    return (*LISTING, "configuration")


def show_people() -> Argv:
    return (*LISTING, "user", f"format={','.join(PersonRow._fields)}")


def show_accounts(cluster: ClusterName) -> Argv:
    """Without the people in them, who are many more."""
    columns = ",".join(AccountRow._fields)
    return (*LISTING, "assoc", "where", f"cluster={cluster}", "user=", f"format={columns}")


def show_memberships(cluster: ClusterName) -> Argv:
    columns = ",".join(MembershipRow._fields)
    return (*LISTING, "assoc", "where", f"cluster={cluster}", f"format={columns}")

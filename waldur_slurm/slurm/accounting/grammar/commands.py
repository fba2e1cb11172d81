"""Slurm's grammar: one function an intent, each returning an argument vector. Pure.

No function here takes free text into a command's grammar: names are of the closed alphabet, and
numbers are numbers. Whatever Slurm might have configured about formats is overridden.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.port import Argv
from waldur_slurm.slurm.accounting.grammar.columns import (
    QUEUE_LETTERS,
    AccountRow,
    AssociationRow,
    JobRow,
    MemberRow,
    PlaceRow,
    QueueRow,
    RollupRow,
    StandingRow,
    TresRow,
    UserRow,
)
from waldur_slurm.slurm.grammar.commands import LISTING

_WRITE: Argv = ("sacctmgr", "--immediate")
_LIFTED = "-1"
_ARRAY_THROTTLE = re.compile(r"%\d+\]")
"""squeue prints `4_[2-9%3]`, scancel takes `4_[2-9]`."""


def _format(row: type[NamedTuple]) -> str:
    return f"format={','.join(row._fields)}"


# Reading


def show_accounts(names: Collection[AccountName] = ()) -> Argv:
    chosen = ("where", f"name={_list(names)}") if names else ()
    return (*LISTING, "account", *chosen, _format(AccountRow))


def show_associations(cluster: ClusterName, accounts: Collection[AccountName] = ()) -> Argv:
    """Everybody's own limits and QoS, not those inherited from a parent."""
    return _show_associations(cluster, accounts, AssociationRow)


def show_members(cluster: ClusterName, accounts: Collection[AccountName] = ()) -> Argv:
    """Tell who is in which account and no more: of few accounts that takes half the time."""
    return _show_associations(cluster, accounts, MemberRow)


def show_standing(cluster: ClusterName, accounts: Collection[AccountName] = ()) -> Argv:
    """Tell what accounts were made with, and who is in them."""
    return _show_associations(cluster, accounts, StandingRow)


def show_places(accounts: Collection[AccountName]) -> Argv:
    """Tell in which clusters accounts are in use."""
    return (*LISTING, "assoc", "where", f"account={_list(accounts)}", "user=", _format(PlaceRow))


def show_users(cluster: ClusterName, users: Collection[UserName] = ()) -> Argv:
    chosen = (f"name={_list(users)}",) if users else ()
    return (*LISTING, "user", "where", f"cluster={cluster}", *chosen, _format(UserRow))


def show_tres() -> Argv:
    return (*LISTING, "tres", _format(TresRow))


def show_exact_limits(away: ClusterName | None) -> Argv:
    """Ask slurmctld, which prints memory limits in full where sacctmgr rounds them."""
    return ("scontrol", *_at(away), "--oneliner", "show", "assoc_mgr", "flags=assoc")


def show_configuration(away: ClusterName | None = None) -> Argv:
    return ("scontrol", *_at(away), "show", "config")


def show_version() -> Argv:
    return ("sacctmgr", "--version")


def show_jobs(cluster: ClusterName, start: datetime, end: datetime) -> Argv:
    """All accounts' allocations that touched `[start, end)`, clipped to it, requeued runs too."""
    return (
        "sacct",
        f"--clusters={cluster}",
        "--allusers",
        "--allocations",
        "--duplicates",
        "--truncate",
        "--noconvert",
        "--noheader",
        "--parsable",
        f"--starttime=uts{int(start.timestamp())}",
        f"--endtime=uts{int(end.timestamp())}",
        _format(JobRow).replace("format=", "--format="),
    )


def show_queue(away: ClusterName | None, accounts: Collection[AccountName] = ()) -> Argv:
    chosen = (f"--account={_list(accounts)}",) if accounts else ()
    letters = "".join(f"{QUEUE_LETTERS[column]}|" for column in QueueRow._fields)
    return (
        "squeue",
        *_at(away),
        "--all",
        "--noheader",
        *chosen,
        f"--format={letters}",
    )


def obey_questions(away: ClusterName | None) -> Argv:
    """Answer what stdin asks; see `slurm.grammar.questions`."""
    return ("scontrol", *_at(away))


def show_statistics(away: ClusterName | None) -> Argv:
    """Ask slurmctld how it is doing."""
    return ("sdiag", *((f"--cluster={away}",) if away else ()))


def show_rollup(cluster: ClusterName, account: AccountName, start: datetime, end: datetime) -> Argv:
    """Slurm's own sums for one account; over all accounts they would take a minute."""
    return (
        *("sreport", "--noheader", "--parsable", "-t", "seconds", "--tres=ALL"),
        *("cluster", "AccountUtilizationByUser", f"cluster={cluster}", f"accounts={account}"),
        *(f"start=uts{int(start.timestamp())}", f"end=uts{int(end.timestamp())}"),
        _format(RollupRow),
    )


# Writing


def load() -> Argv:
    """Make what stdin describes; see `loadfile`. Never with `clean`."""
    return (*_WRITE, "load", "file=/dev/stdin")


def obey_lines() -> Argv:
    """Obey what stdin says line by line; see `script`."""
    return _WRITE


def remove_users(cluster: ClusterName, account: AccountName, users: Collection[UserName]) -> Argv:
    """Remove associations for all partitions; those of one partition stay."""
    return (
        *_WRITE,
        *("remove", "user", "where", f"name={_list(users)}", f"account={account}"),
        *(f"cluster={cluster}", "partition="),
    )


def remove_accounts(cluster: ClusterName, accounts: Collection[AccountName]) -> Argv:
    """Take accounts out of one cluster; their record stays for the others."""
    return (*_WRITE, "remove", "account", "where", f"name={_list(accounts)}", f"cluster={cluster}")


def remove_account_records(accounts: Collection[AccountName]) -> Argv:
    """Remove accounts from all clusters."""
    return (*_WRITE, "remove", "account", "where", f"name={_list(accounts)}")


def set_limits(
    cluster: ClusterName, account: AccountName, limits: Mapping[TresName, int | None]
) -> Argv:
    """Slurm merges the TRES named with those already set, so a limit is lifted by name."""
    amounts = ",".join(
        f"{tres}={_LIFTED if limits[tres] is None else limits[tres]}" for tres in sorted(limits)
    )
    return _modify_account(cluster, account, f"GrpTRESMins={amounts}")


def set_account_hold(
    cluster: ClusterName, account: AccountName, grp_jobs: int | None, grp_submit_jobs: int | None
) -> Argv:
    return _modify_account(
        cluster,
        account,
        f"GrpJobs={_count(grp_jobs)}",
        f"GrpSubmitJobs={_count(grp_submit_jobs)}",
    )


def set_user_hold(
    cluster: ClusterName, account: AccountName, user: UserName, max_submit_jobs: int | None
) -> Argv:
    return (
        *_WRITE,
        *("modify", "user", "where", f"name={user}", f"account={account}"),
        *(f"cluster={cluster}", "partition="),
        *("set", f"MaxSubmitJobs={_count(max_submit_jobs)}"),
    )


def set_parent(cluster: ClusterName, account: AccountName, parent: AccountName) -> Argv:
    return _modify_account(cluster, account, f"Parent={parent}")


def set_default_account(cluster: ClusterName, user: UserName, account: AccountName) -> Argv:
    where = ("where", f"name={user}", f"cluster={cluster}")
    return (*_WRITE, "modify", "user", *where, "set", f"DefaultAccount={account}")


def set_description(account: AccountName, description: str) -> Argv:
    """`description` is cleaned text; it is one for all clusters."""
    where = ("where", f"name={account}")
    return (*_WRITE, "modify", "account", *where, "set", f"Description={description}")


def set_qos(
    cluster: ClusterName, account: AccountName, qos: Sequence[str], default_qos: str
) -> Argv:
    """Set both at once: Slurm refuses a default that is not in the list."""
    return _modify_account(
        cluster, account, f"QOS={','.join(qos)}", f"DefaultQOS={default_qos or _LIFTED}"
    )


def cancel_jobs(away: ClusterName | None, ids: Iterable[str], *, only_pending: bool) -> Argv:
    """Cancel jobs; with `only_pending`, not those that have started meanwhile."""
    only = ("--state=PENDING",) if only_pending else ()
    whole = (_ARRAY_THROTTLE.sub("]", job) for job in ids)
    return ("scancel", *_at(away), *only, *whole)


# Unix


def look_up_users(users: Collection[UserName]) -> Argv:
    return ("getent", "passwd", *sorted(users))


def find_home(directory: str) -> Argv:
    return ("test", "-d", directory)


def make_home(user: UserName) -> Argv:
    return ("/sbin/mkhomedir_helper", user)


def _show_associations(
    cluster: ClusterName, accounts: Collection[AccountName], row: type[NamedTuple]
) -> Argv:
    chosen = (f"account={_list(accounts)}",) if accounts else ()
    where = ("where", f"cluster={cluster}", *chosen)
    return (*LISTING, "assoc", "wopl", *where, _format(row))


def _at(away: ClusterName | None) -> Argv:
    """Name a cluster that is not the local one; to find its slurmctld, slurmdbd is asked."""
    return (f"--clusters={away}",) if away else ()


def _modify_account(cluster: ClusterName, account: AccountName, *changes: str) -> Argv:
    where = ("where", f"name={account}", f"cluster={cluster}")
    return (*_WRITE, "modify", "account", *where, "set", *changes)


def _list(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _count(number: int | None) -> str:
    return _LIFTED if number is None else str(number)

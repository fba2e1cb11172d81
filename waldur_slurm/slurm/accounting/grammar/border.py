"""The last look at whatever is about to be written: what is not plain goes no further. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName, account_name, user_name
from waldur_slurm.model.tres import TresName, tres_name

MOST = 2**63 - 1
"""Slurm takes the topmost unsigned numbers for "unlimited"."""

MOST_JOBS = 2**31 - 1

_QOS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_FAIRSHARE = re.compile(r"\d{1,9}|parent", re.ASCII)
_JOB_ID = re.compile(r"\d+(\+\d+|_\d+|_\[[\d,:-]+(%\d+)?\])?", re.ASCII)


def check_account(name: AccountName) -> None:
    account_name(name)


def check_user(name: UserName) -> None:
    user_name(name)


def check_memberships(memberships: Mapping[AccountName, Collection[UserName]]) -> None:
    for account, users in memberships.items():
        account_name(account)
        for user in users:
            user_name(user)


def check_new_account(account: NewAccount) -> None:
    account_name(account.name)
    account_name(account.parent)
    check_limits(account.limits)
    check_qos(account.qos, account.default_qos)
    check_fairshare(account.fairshare)


def check_fairshare(fairshare: str) -> None:
    """Take a number, `parent`, or nothing at all."""
    if fairshare and _FAIRSHARE.fullmatch(fairshare) is None:
        raise InvalidName(f"not a fairshare: {fairshare!r} (a number, or parent)")


def check_limits(limits: Mapping[TresName, int | None]) -> None:
    for tres, value in limits.items():
        tres_name(tres)
        if not (value is None or 0 <= _whole(value) <= MOST):
            raise InvalidName(f"not a limit of {tres}: {value!r}")


def check_counts(*counts: int | None) -> None:
    for count in counts:
        if not (count is None or 0 <= _whole(count) <= MOST_JOBS):
            raise InvalidName(f"not a number of jobs: {count!r}")


def check_qos(qos: Iterable[str], default_qos: str) -> None:
    for name in (*qos, *filter(None, [default_qos])):
        if _QOS.fullmatch(name) is None:
            raise InvalidName(f"not a QoS: {name!r}")


def check_job_id(job: str) -> str:
    if _JOB_ID.fullmatch(job) is None:
        raise InvalidName(f"not a job: {job!r}")
    return job


def _whole(value: int) -> int:
    """Refuse what only looks like an integer: True, and floats from a careless caller."""
    if type(value) is not int:
        raise InvalidName(f"not a whole number: {value!r}")
    return value

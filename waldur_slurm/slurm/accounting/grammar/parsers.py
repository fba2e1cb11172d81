"""Slurm's answers: text to values, or `UnparsableOutput`; never a guess. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.copies import one_copy_each
from waldur_slurm.model.jobs import JobRecord, QueuedJob, Run, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres, TresName
from waldur_slurm.slurm.accounting.grammar.columns import (
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
from waldur_slurm.slurm.accounting.port import RolledUp
from waldur_slurm.slurm.grammar.questions import split_answers
from waldur_slurm.slurm.grammar.rows import lines_of, split_cells, split_rows, to_row
from waldur_slurm.slurm.grammar.values import (
    parse_integer,
    parse_known_moment,
    parse_moment,
    parse_state,
    parse_tres,
)

Key = TypeVar("Key")
Value = TypeVar("Value")

_IDS = 2
"""An association's first columns, its own number and the one above it."""

_STATE = re.compile(r"^   JobState=(\S+)", re.MULTILINE)
_SUBMITTED = re.compile(r"^   SubmitTime=(\S+)", re.MULTILINE)
_SUSPENDED = re.compile(r"^   SuspendTime=(\S+)", re.MULTILINE)
_BACKLOG = re.compile(r"^DBD Agent queue size: +(\d+)$", re.ASCII | re.MULTILINE)
_EXACT = re.compile(r"\bID=(\d+) .*? GrpTRESMins=(\S+)", re.ASCII)
_LIMIT_AND_USE = re.compile(r"([^=,]+)=(N|\d{1,20})\(\d+\)", re.ASCII)


def parse_accounts(text: str, known: Collection[AccountName] = ()) -> dict[AccountName, AccountRow]:
    """Read accounts by name.

    A row that a separator in somebody's text or name makes ambiguous belongs to the longest of
    the names that are `known` to exist, or else to nobody.
    """
    found: dict[AccountName, AccountRow] = {}
    for cells in split_cells(lines_of(text)):
        row = to_row(_with_known_name(cells, known), AccountRow, open_column="description")
        if row.account in found:
            raise UnparsableOutput(f"account {row.account!r} is listed twice")
        found[AccountName(row.account)] = row
    return found


def _with_known_name(cells: tuple[str, ...], known: Collection[AccountName]) -> tuple[str, ...]:
    if len(cells) <= len(AccountRow._fields):
        return cells
    for length in range(len(cells) - 2, 0, -1):
        name = "|".join(cells[:length])
        if name in known:
            return (name, *cells[length:])
    return ("|".join(cells), "", "")


def parse_associations(text: str) -> list[AssociationRow]:
    """Accounts and people of one cluster; a separator inside an account's name stays in it.

    Names and limits come again from row to row and on Waldur's side: one copy of each is kept.
    """
    rows = [
        to_row((*cells[:_IDS], *one_copy_each(cells[_IDS:])), AssociationRow, open_column="account")
        for cells in split_cells(lines_of(text))
    ]
    _check_associations(rows)
    return rows


def parse_standing(text: str) -> list[StandingRow]:
    rows = list(split_rows(lines_of(text), StandingRow, open_column="account"))
    _check_associations(rows)
    return rows


def parse_members(text: str) -> list[MemberRow]:
    rows = list(split_rows(lines_of(text), MemberRow, open_column="account"))
    _refuse_copies(rows)
    return rows


def parse_places(text: str) -> set[AccountName]:
    rows = split_rows(lines_of(text), PlaceRow, open_column="account")
    return {AccountName(row.account) for row in rows}


def parse_default_accounts(text: str) -> dict[UserName, AccountName]:
    """Leave out those without a default account in this cluster."""
    rows = split_rows(lines_of(text), UserRow, open_column="user")
    defaults = _unique((UserName(row.user), AccountName(row.defaultaccount)) for row in rows)
    return {user: account for user, account in defaults.items() if account}


def parse_all_tres(text: str) -> frozenset[TresName]:
    rows = split_rows(lines_of(text), TresRow, open_column="name")
    found = {f"{row.type}/{row.name}" if row.name else row.type for row in rows}
    if "cpu" not in found:
        raise UnparsableOutput(f"no cpu among the TRES: {text[:200]!r}")
    return frozenset(map(TresName, found))


def parse_jobs(lines: Iterable[str]) -> Iterator[JobRecord | UnreadableRecord]:
    """Read job by job, so that a day of any size costs no memory."""
    for cells in split_cells(lines):
        try:
            yield _job(to_row(cells, JobRow, open_column="account"))
        except UnparsableOutput as error:
            yield UnreadableRecord(cells, str(error))


def _job(row: JobRow) -> JobRecord:
    return JobRecord(
        id=row.jobid,
        account=AccountName(row.account),
        user=UserName(row.user),
        state=parse_state(row.state),
        submitted=parse_known_moment(row.submit),
        start=parse_moment(row.start),
        end=parse_moment(row.end),
        seconds=parse_integer(row.elapsedraw),
        allocated=_shared_tres(row.alloctres),
        requested=_shared_tres(row.reqtres),
    )


@lru_cache(maxsize=4096)
def _shared_tres(text: str) -> Tres:
    """A million jobs are of a few shapes; reading each shape once halves the time."""
    return MappingProxyType(parse_tres(text))


def parse_queue(text: str) -> Iterator[QueuedJob]:
    for row in split_rows(lines_of(text), QueueRow, open_column="account"):
        yield QueuedJob(
            id=row.jobid,
            account=AccountName(row.account),
            user=UserName(row.user),
            state=parse_state(row.state),
            submitted=parse_known_moment(row.submit),
        )


def parse_suspensions(text: str, jobs: Sequence[str], mark: str) -> dict[Run, datetime]:
    """Since when those of `jobs` are suspended that are, from the answers to `questions_about`.

    A job's name, comment, paths and command may hold any text, whole answers about any job too:
    only a `mark` that nobody could foresee ends an answer. Whoever makes the answer about an own
    job say a thing twice has made it say nothing.
    """
    found: dict[Run, datetime] = {}
    for job, answer in zip(jobs, split_answers(text, len(jobs), mark), strict=True):
        said = [pattern.findall(answer) for pattern in (_STATE, _SUBMITTED, _SUSPENDED)]
        if [len(values) for values in said] == [1, 1, 1] and said[0] == ["SUSPENDED"]:
            submitted, since = (parse_known_moment(moment) for (moment,) in said[1:])
            found[Run(job, submitted)] = since
    return found


def parse_backlog(text: str) -> int:
    match = _BACKLOG.search(text)
    if match is None:
        raise UnparsableOutput(f"no DBD Agent queue size in slurmctld's statistics: {text[:200]!r}")
    return parse_integer(match[1])


def parse_rollup(account: AccountName, text: str) -> dict[RolledUp, int]:
    """TRES-seconds by user in `account` itself, without sums and without its children."""
    rows = split_rows(lines_of(text), RollupRow, open_column="account")
    return _unique(
        ((UserName(row.login), TresName(row.tresname)), parse_integer(row.used))
        for row in rows
        if row.login and row.account == account
    )


def parse_exact_limits(text: str, wanted: Collection[str]) -> dict[str, Tres]:
    """`GrpTRESMins` by association id, as slurmctld holds it: `cpu=100(7)` is limit and use."""
    matches = filter(None, map(_EXACT.search, lines_of(text)))
    return _unique((m[1], _exact_limits(m[2])) for m in matches if m[1] in wanted)


def _exact_limits(text: str) -> Tres:
    matches = [(item, _LIMIT_AND_USE.fullmatch(item)) for item in text.split(",")]
    unreadable = [item for item, match in matches if match is None]
    if unreadable:
        raise UnparsableOutput(f"not a limit with its use: {unreadable[0]!r}")
    found = _unique((TresName(m[1]), m[2]) for _, m in matches if m)
    return {tres: int(amount) for tres, amount in found.items() if amount != "N"}


def parse_passwd(text: str) -> dict[UserName, str]:
    """Home directories by user, from `getent passwd`."""
    return _unique(map(_home, lines_of(text)))


def _home(line: str) -> tuple[UserName, str]:
    fields = line.split(":")
    if len(fields) != 7:
        raise UnparsableOutput(f"not a line of passwd: {line[:200]!r}")
    return UserName(fields[0]), fields[5]


def _unique(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for key, value in pairs:
        if key in found:
            raise UnparsableOutput(f"{key!r} is listed twice")
        found[key] = value
    return found


def _check_associations(rows: Sequence[AssociationRow] | Sequence[StandingRow]) -> None:
    for row in rows:
        parse_integer(row.id)
        parse_integer(row.parentid)
    _refuse_copies(row.id for row in rows)
    _refuse_copies((row.account, row.user, row.partition) for row in rows)


def _refuse_copies(keys: Iterable[object]) -> None:
    _unique((key, None) for key in keys)

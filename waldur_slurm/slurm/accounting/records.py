"""Bulk readings of the accounting, each in a constant number of processes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from waldur_slurm.errors import AccountingDown, UnclearPart
from waldur_slurm.model.accounts import Account, Association, Snapshot
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.tres import Tres
from waldur_slurm.processes.at_once import at_once
from waldur_slurm.processes.port import Argv
from waldur_slurm.slurm.accounting.grammar import commands, parsers
from waldur_slurm.slurm.accounting.grammar.columns import (
    AccountRow,
    AssociationRow,
    MemberRow,
    StandingRow,
)
from waldur_slurm.slurm.grammar.values import is_rounded, parse_count, parse_tres
from waldur_slurm.slurm.tools import Tools

Name = TypeVar("Name", bound=str)

ByAssociation = Mapping[str, Tres]

Members = Mapping[AccountName, Collection[UserName]]

Rows = Mapping[AccountName, AccountRow]

MOST_NAMES = 500
"""Beyond this many names the whole listing costs no more, and a command line stays short."""


def batches(names: Collection[Name]) -> Iterator[tuple[Name, ...]]:
    ordered = tuple(sorted(names))
    for start in range(0, len(ordered), MOST_NAMES):
        yield ordered[start : start + MOST_NAMES]


@dataclass(frozen=True, slots=True)
class Tree:
    """The associations of one cluster, or those that were asked for."""

    accounts: Mapping[AccountName, AssociationRow]
    names: Mapping[str, AccountName]
    people: Mapping[AccountName, tuple[AssociationRow, ...]]
    exact: ByAssociation

    def parent(self, account: AccountName) -> AccountName | None:
        return self.names.get(self.accounts[account].parentid)

    def limits(self, row: AssociationRow) -> Tres:
        return _limits(row, self.exact)


@dataclass(frozen=True, slots=True)
class Standing:
    """What accounts hang on, what they are limited to, and who is in them."""

    parents: Mapping[AccountName, AccountName | None]
    limits: Mapping[AccountName, Tres]
    members: Members


@dataclass(frozen=True, slots=True)
class Part:
    """Which accounts were asked for, which of them are there, and the records of all."""

    asked: Collection[AccountName]
    there: Collection[AccountName]
    rows: Rows


class Records:
    """What one cluster's accounting holds, read afresh at every call."""

    def __init__(self, tools: Tools, away: Callable[[], ClusterName | None]) -> None:
        """`away` tells the cluster where it is not the local one."""
        self._tools = tools
        self._away = away
        self._shown: Mapping[str, str] = {}
        self._exact: ByAssociation = {}
        self._part: Part | None = None

    def read_snapshot(self, cluster: ClusterName) -> Snapshot:
        self._part = None
        tree = self.read_tree(cluster, remembering=True)
        records = self.read_account_rows(known=tree.accounts)
        if not tree.accounts.keys() <= records.keys():  # one was made between the two readings
            records = self.read_account_rows(known=tree.accounts)
        names = sorted(records.keys() | tree.accounts.keys())
        return Snapshot({name: _account(name, records.get(name), tree) for name in names})

    def read_part(
        self,
        cluster: ClusterName,
        names: Collection[AccountName],
        is_touched: Callable[[str], bool],
    ) -> Snapshot:
        """Whom only a description tells is asked for afterwards, which is rare."""
        asked = {*names, ROOT}
        tree, records = at_once(
            lambda: self.read_tree(cluster, asked, remembering=True), self.read_account_rows
        )
        if told := {name for name, row in records.items() if is_touched(row.description)} - asked:
            asked |= told
            tree = self.read_tree(cluster, asked, remembering=True)
        if not asked & tree.accounts.keys() <= records.keys():  # made between the two readings
            records = self.read_account_rows(known=tree.accounts)
        read = sorted(asked & (records.keys() | tree.accounts.keys()))
        for name in read:
            row = tree.accounts.get(name)
            if row is not None and name != ROOT and row.parentid not in tree.names:
                raise UnclearPart(f"account {name} hangs below one that was not asked for")
        self._part = Part(asked, tuple(tree.accounts), records)
        return Snapshot({name: _account(name, records.get(name), tree) for name in read})

    def take_part(self, names: Collection[AccountName]) -> Part | None:
        """Return what the last part showed of `names`, once, and unless all were read since."""
        part, self._part = self._part, None
        return part if part is not None and set(names) <= set(part.asked) else None

    def read_outline(self, cluster: ClusterName) -> Snapshot:
        tree = self.read_tree(cluster, remembering=True)
        return Snapshot({name: _account(name, None, tree) for name in sorted(tree.accounts)})

    def read_tree(
        self,
        cluster: ClusterName,
        accounts: Collection[AccountName] = (),
        *,
        remembering: bool = False,
    ) -> Tree:
        """Read associations; `accounts` restricts, and root is read along.

        A listing without root is silence: a slurmdbd that has just been started gave such a one,
        and one that does not know the cluster gives it for ever.
        With `remembering`, an amount that is shown as before is what it was before.
        """
        argv = commands.show_associations(cluster, _named(accounts))
        rows = tuple(parsers.parse_associations(self._tools.ask(argv)))
        heads = {AccountName(row.account): row for row in rows if not row.user}
        _require_root(heads, argv, cluster)
        people: dict[AccountName, list[AssociationRow]] = defaultdict(list)
        for row in rows:
            if row.user:
                people[AccountName(row.account)].append(row)
        return Tree(
            accounts=heads,
            names={row.id: name for name, row in heads.items()},
            people={account: tuple(theirs) for account, theirs in people.items()},
            exact=self._read_exact(rows, remembering=remembering),
        )

    def read_members(self, cluster: ClusterName, accounts: Collection[AccountName]) -> Members:
        """Read which of `accounts` are there, and whose association holds in every partition.

        They come as they are listed, with root; a listing without root is silence here too.
        """
        argv = commands.show_members(cluster, _named(accounts))
        members = _members(parsers.parse_members(self._tools.ask(argv)))
        _require_root(members, argv, cluster)
        return members

    def read_standing(self, cluster: ClusterName, accounts: Collection[AccountName]) -> Standing:
        """Read what `accounts` were made with; a listing without root is silence here too."""
        argv = commands.show_standing(cluster, _named(accounts))
        rows = parsers.parse_standing(self._tools.ask(argv))
        heads = {AccountName(row.account): row for row in rows if not row.user}
        _require_root(heads, argv, cluster)
        names = {row.id: name for name, row in heads.items()}
        exact = self._read_exact(heads.values(), remembering=False)
        return Standing(
            parents={name: names.get(row.parentid) for name, row in heads.items()},
            limits={name: _limits(row, exact) for name, row in heads.items()},
            members=_members(rows),
        )

    def read_account_rows(
        self, names: Collection[AccountName] = (), *, known: Collection[AccountName] = ()
    ) -> Rows:
        """Read text by account; `names` restricts, `known` tells names from text."""
        only = names if len(names) <= MOST_NAMES else ()
        text = self._tools.ask(commands.show_accounts(only))
        return parsers.parse_accounts(text, known or names)

    def read_places(self, names: Collection[AccountName]) -> set[AccountName]:
        """Those of `names` that are in use in any cluster."""
        used: set[AccountName] = set()
        for part in batches(names):
            used |= parsers.parse_places(self._tools.ask(commands.show_places(part)))
        return used

    def _read_exact(
        self, rows: Iterable[AssociationRow | StandingRow], *, remembering: bool
    ) -> ByAssociation:
        """Limits by association id, where sacctmgr's own are too short to be exact."""
        shown = {row.id: row.grptresmins for row in rows if is_rounded(row.grptresmins)}
        if shown and not (remembering and shown.items() <= self._shown.items()):
            argv = commands.show_exact_limits(self._away())
            exact = parsers.parse_exact_limits(self._tools.ask(argv), wanted=shown.keys())
            if exact.keys() != shown.keys():
                raise AccountingDown(argv, 0, "slurmctld has not heard of all associations yet")
            self._shown = {**self._shown, **shown}
            self._exact = {**self._exact, **exact}
        return {key: self._exact[key] for key in shown}


def _named(accounts: Collection[AccountName]) -> Collection[AccountName]:
    return {*accounts, ROOT} if 0 < len(accounts) <= MOST_NAMES else ()


def _members(rows: Iterable[MemberRow | StandingRow]) -> Members:
    """Everybody by account, in the order of the listing; those of one partition are no members."""
    members: dict[AccountName, set[UserName]] = {}
    for row in rows:
        there = members.setdefault(AccountName(row.account), set())
        if row.user and not row.partition:
            there.add(UserName(row.user))
    return members


def _limits(row: AssociationRow | StandingRow, exact: ByAssociation) -> Tres:
    return exact[row.id] if row.id in exact else _shared_limits(row.grptresmins)


def _require_root(listed: Collection[str], argv: Argv, cluster: ClusterName) -> None:
    if ROOT not in listed:
        raise AccountingDown(argv, 0, f"not even root is listed in cluster {cluster}")


@lru_cache(maxsize=4096)
def _shared_limits(text: str) -> Tres:
    """Most of ten thousand accounts have the same limits, and people none: one copy of each."""
    return parse_tres(text)


def _account(name: AccountName, record: AccountRow | None, tree: Tree) -> Account:
    text = record or AccountRow(name, "", "")
    row = tree.accounts.get(name)
    if row is None:
        return Account(name, text.description, text.organization)
    return Account(
        name=name,
        description=text.description,
        organization=text.organization,
        parent=tree.parent(name),
        limits=tree.limits(row),
        grp_jobs=parse_count(row.grpjobs),
        grp_submit_jobs=parse_count(row.grpsubmitjobs),
        fairshare=row.fairshare,
        qos=tuple(filter(None, row.qos.split(","))),
        default_qos=row.defaultqos,
        associations=_associations(name, tree),
    )


def _associations(name: AccountName, tree: Tree) -> tuple[Association, ...]:
    found = (
        Association(
            user=UserName(row.user),
            partition=row.partition,
            max_submit_jobs=parse_count(row.maxsubmitjobs),
            limits=tree.limits(row),
        )
        for row in tree.people.get(name, ())
    )
    return tuple(sorted(found, key=lambda each: (each.user, each.partition)))

"""Accounts: made whole, changed one fact at a time, removed only when nothing hangs on them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import TELLING, AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.at_once import at_once
from waldur_slurm.processes.port import Argv
from waldur_slurm.slurm.accounting.bulk import Additions
from waldur_slurm.slurm.accounting.grammar import border, commands, loadfile, script
from waldur_slurm.slurm.accounting.grammar.attributes import description_of
from waldur_slurm.slurm.accounting.grammar.columns import AccountRow, AssociationRow
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.accounting.intents.confirmed import ConfirmedWrites
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.accounting.records import Members, Rows, Standing, Tree
from waldur_slurm.slurm.grammar.values import parse_count


class Accounts(ConfirmedWrites):
    """What may be done to accounts."""

    def add_accounts(self, accounts: Sequence[NewAccount]) -> Outcome:
        for account in accounts:
            border.check_new_account(account)
        touched = {a.name for a in accounts} | {a.parent for a in accounts}
        before, rows = self._seen(accounts, touched) or at_once(
            lambda: self._records.read_members(self.cluster, touched),
            lambda: self._read_alike({account.name for account in accounts}),
        )
        missing = [account for account in accounts if account.name not in before]
        if not missing:
            return Outcome.ALREADY_SO
        _refuse_orphans(missing, before)
        missing = loadfile.as_listed(missing, before)
        names = {account.name for account in missing}
        _refuse_alike(names, rows)
        known = names & rows.keys()
        elsewhere = self._records.read_places(known)
        additions = Additions(
            file=loadfile.accounts_to_load(self.cluster, missing, keep_text=elsewhere),
            lines=tuple(
                script.accounts_to_add(self.cluster, missing, keep_text=elsewhere, recorded=known)
            ),
        )
        ours = [account for account in missing if account.name not in elsewhere]

        def is_so() -> bool:
            standing, is_told = at_once(
                lambda: self._records.read_standing(self.cluster, touched),
                lambda: self._reads(ours),
            )
            stand = is_told and all(_stands(account, standing) for account in missing)
            self._made = _only(names, standing.members) if stand else {}
            return stand

        return self._added(additions, is_so)

    def remove_accounts(self, names: Sequence[AccountName]) -> Outcome:
        for name in names:
            border.check_account(name)
        tree = self._records.read_tree(self.cluster)
        here = [name for name in names if name in tree.accounts]
        argv = commands.remove_accounts(self.cluster, here)
        _refuse_to_orphan(argv, here, tree)
        if here:
            self._written(argv, lambda: not self._are_here(here))
        left = set(names) & self._records.read_account_rows(names).keys()
        orphans = left - self._records.read_places(left)
        if orphans:
            self._written(
                commands.remove_account_records(orphans),
                lambda: not orphans & self._records.read_account_rows(orphans).keys(),
            )
        return Outcome.CHANGED if here or orphans else Outcome.ALREADY_SO

    def set_limits(self, account: AccountName, limits: Mapping[TresName, int | None]) -> Outcome:
        border.check_account(account)
        border.check_limits(limits)

        def is_so(row: AssociationRow, tree: Tree) -> bool:
            held = tree.limits(row)
            return all(held.get(tres) == value for tres, value in limits.items())

        argv = commands.set_limits(self.cluster, account, limits)
        return self._settled_on(account, argv, is_so)

    def set_account_hold(
        self, account: AccountName, grp_jobs: int | None, grp_submit_jobs: int | None
    ) -> Outcome:
        border.check_account(account)
        border.check_counts(grp_jobs, grp_submit_jobs)

        def is_so(row: AssociationRow, _: Tree) -> bool:
            held = (parse_count(row.grpjobs), parse_count(row.grpsubmitjobs))
            return held == (grp_jobs, grp_submit_jobs)

        argv = commands.set_account_hold(self.cluster, account, grp_jobs, grp_submit_jobs)
        return self._settled_on(account, argv, is_so)

    def set_parent(self, account: AccountName, parent: AccountName) -> Outcome:
        border.check_account(account)
        border.check_account(parent)
        argv = commands.set_parent(self.cluster, account, parent)

        def is_so(row: AssociationRow, tree: Tree) -> bool:
            above = self._existing(argv, parent, tree)  # newer Slurm exits 0 for any name
            return row.parentid == above.id

        return self._settled_on(account, argv, is_so, parent)

    def set_description(self, account: AccountName, description: str) -> Outcome:
        border.check_account(account)
        text = clean_text(description)

        def is_so() -> bool:
            row = self._records.read_account_rows([account]).get(account)
            return row is not None and row.description == text

        return self._settled(commands.set_description(account, text), is_so)

    def set_qos(self, account: AccountName, qos: Sequence[str], default_qos: str) -> Outcome:
        border.check_account(account)
        border.check_qos(qos, default_qos)

        def is_so(row: AssociationRow, _: Tree) -> bool:
            held = set(filter(None, row.qos.split(",")))
            return held == set(qos) and row.defaultqos == default_qos

        argv = commands.set_qos(self.cluster, account, qos, default_qos)
        return self._settled_on(account, argv, is_so)

    def _seen(
        self, accounts: Sequence[NewAccount], touched: Collection[AccountName]
    ) -> tuple[Collection[AccountName], Rows] | None:
        """What the part that has just been read shows, where it is all that is to be known.

        Lines change nothing that exists, so what may have come to be meanwhile stays as it is, and
        the reading after them tells. A load would change it, and so would text that replaces
        another.
        """
        seen = self._records.take_part(touched)
        names = {account.name for account in accounts}
        are_short = all(len(name) <= TELLING for name in names)
        if seen is None or not are_short or self._bulk.would_load(len(accounts)):
            return None
        return (seen.there, seen.rows) if names.isdisjoint(seen.rows) else None

    def _read_alike(self, names: Collection[AccountName]) -> Mapping[AccountName, AccountRow]:
        """Read the records of accounts that may exist, and of all that Slurm may take for them."""
        are_short = all(len(name) <= TELLING for name in names)
        return self._records.read_account_rows(names if are_short else ())

    def _are_here(self, names: Collection[AccountName]) -> bool:
        return bool(self._records.read_members(self.cluster, names).keys() & set(names))

    def _reads(self, accounts: Sequence[NewAccount]) -> bool:
        """Say whether the free text of `accounts` came back as it was written."""
        rows = self._records.read_account_rows([account.name for account in accounts])
        return all(
            row is not None and row.description == description_of(account)
            for account in accounts
            for row in [rows.get(account.name)]
        )


def _stands(account: NewAccount, found: Standing) -> bool:
    return found.parents.get(account.name) == account.parent and (
        found.limits[account.name] == dict(account.limits)
    )


def _only(names: Collection[AccountName], members: Members) -> Members:
    return {name: there for name, there in members.items() if name in names}


def _refuse_alike(names: Collection[AccountName], rows: Collection[AccountName]) -> None:
    """Refuse accounts that would overwrite another.

    Newer Slurm takes a name for another that has its first 42 characters, and replaces its text
    (24.11, 26.05).
    """
    alike: dict[str, set[AccountName]] = defaultdict(set)
    for name in {*names, *rows}:
        alike[name[:TELLING]].add(name)
    for name in sorted(names):
        for other in alike[name[:TELLING]] - {name}:
            words = f"Slurm could not tell {name} from {other} by {TELLING} characters"
            raise CommandFailed(commands.load(), 1, words)


def _refuse_orphans(accounts: Sequence[NewAccount], there: Collection[AccountName]) -> None:
    """Refuse what Slurm would do by halves: it keeps what stands before a missing parent."""
    known = set(there)
    for account in accounts:
        if account.parent not in known:
            raise CommandFailed(commands.load(), 1, f"no account {account.parent} to be a parent")
        known.add(account.name)


def _refuse_to_orphan(argv: Argv, names: Sequence[AccountName], tree: Tree) -> None:
    """Refuse what Slurm does not: it drops a whole subtree, people included, with exit code 0."""
    for name in names:
        if tree.people.get(name):
            raise CommandFailed(argv, 1, f"account {name} still has people")
    leaving = {tree.accounts[name].id for name in names}
    for name, row in tree.accounts.items():
        if row.parentid in leaving and row.id not in leaving:
            parent = tree.names[row.parentid]
            raise CommandFailed(argv, 1, f"account {parent} still has the child {name}")

"""People in accounts: exactly the associations asked for, and none of one partition only."""

from collections.abc import Collection, Mapping

from waldur_slurm.errors import AccountingDown, CommandFailed
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.accounting.bulk import Additions
from waldur_slurm.slurm.accounting.grammar import border, commands, loadfile, parsers, script
from waldur_slurm.slurm.accounting.grammar.columns import AssociationRow
from waldur_slurm.slurm.accounting.intents.confirmed import ConfirmedWrites
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.accounting.records import MOST_NAMES, Members, Tree, batches
from waldur_slurm.slurm.grammar.values import parse_count

ROOT_USER = UserName("root")


class People(ConfirmedWrites):
    """Who may use which account."""

    def read_default_accounts(self, users: Collection[UserName]) -> Mapping[UserName, AccountName]:
        """Ask for root along, whom every cluster has: a listing without it is silence.

        Who is taken for somebody without a default account is left without one by older Slurm.
        """
        if not users:
            return {}
        only = {*users, ROOT_USER} if len(users) < MOST_NAMES else ()
        argv = commands.show_users(self.cluster, only)
        found = parsers.parse_default_accounts(self._tools.ask(argv))
        if ROOT_USER not in found:
            raise AccountingDown(argv, 0, "not even root is listed among the users")
        return {user: found[user] for user in users if user in found}

    def add_users(self, memberships: Mapping[AccountName, Collection[UserName]]) -> Outcome:
        border.check_memberships(memberships)
        if not memberships:
            return Outcome.ALREADY_SO
        before = self._members_of(memberships)
        for account in memberships:
            self._require(commands.load(), account, before)
        absent = {
            account: missing
            for account, there in before.items()  # as they are listed, which is the quickest
            if (missing := set(memberships.get(account, ())).difference(there))
        }
        if not absent:
            return Outcome.ALREADY_SO

        def is_so() -> bool:
            now = self._records.read_members(self.cluster, absent)
            return all(users.issubset(now.get(account, ())) for account, users in absent.items())

        additions = Additions(
            file=loadfile.users_to_load(self.cluster, absent),
            lines=tuple(script.users_to_add(self.cluster, absent)),
        )
        return self._added(additions, is_so)

    def remove_users(self, account: AccountName, users: Collection[UserName]) -> Outcome:
        """Remove people who lose their default account by it apart from the others.

        In one command 22.05 refuses when, by name, one of them comes after one of the others.
        """
        border.check_memberships({account: users})
        leaving = self._members(account) & frozenset(users)
        if not leaving:
            return Outcome.ALREADY_SO
        defaults = self.read_default_accounts(leaving)
        losing = frozenset(user for user in leaving if defaults.get(user) == account)
        for group in (leaving - losing, losing):
            for part in batches(group):
                self._remove(account, part)
        return Outcome.CHANGED

    def set_user_hold(
        self, account: AccountName, user: UserName, max_submit_jobs: int | None
    ) -> Outcome:
        border.check_memberships({account: [user]})
        border.check_counts(max_submit_jobs)
        argv = commands.set_user_hold(self.cluster, account, user, max_submit_jobs)

        def is_so(_: AssociationRow, tree: Tree) -> bool:
            rows = [r for r in tree.people.get(account, ()) if r.user == user and not r.partition]
            if not rows:
                raise CommandFailed(argv, 1, f"user {user} is not in account {account}")
            return parse_count(rows[0].maxsubmitjobs) == max_submit_jobs

        return self._settled_on(account, argv, is_so)

    def set_default_account(self, user: UserName, account: AccountName) -> Outcome:
        border.check_memberships({account: [user]})

        argv = commands.set_default_account(self.cluster, user, account)
        return self._settled(argv, lambda: self.read_default_accounts([user]).get(user) == account)

    def _remove(self, account: AccountName, users: Collection[UserName]) -> None:
        argv = commands.remove_users(self.cluster, account, users)
        self._written(argv, lambda: self._members(account).isdisjoint(users))

    def _members_of(self, accounts: Collection[AccountName]) -> Members:
        """Not read again of accounts that have been made just before, and seen to stand.

        Whoever has come in meanwhile is added in vain, which harms nobody.
        """
        made, self._made = self._made, {}
        if set(accounts) <= made.keys():
            return made
        return self._records.read_members(self.cluster, accounts)

    def _members(self, account: AccountName) -> frozenset[UserName]:
        return frozenset(self._records.read_members(self.cluster, [account]).get(account, ()))

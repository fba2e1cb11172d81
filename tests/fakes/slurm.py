"""Slurm in memory, held to the real one by `tests/contract`.

It refuses what Slurm refuses; what it is asked is in `slurm_readings`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from tests.fakes.slurm_jobs import FOREVER, FakeJob
from tests.fakes.slurm_readings import FakeReadings, down, refused
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Account, Association, NewAccount
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import TELLING, AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar import border
from waldur_slurm.slurm.accounting.grammar.attributes import description_of
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.accounting.port import Outcome

__all__ = ["FOREVER", "FakeJob", "FakeSlurm", "down", "refused"]


class FakeSlurm(FakeReadings):
    """An `Accounting` without Slurm: what is written changes what is read."""

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
        if user not in {each.user for each in self._existing(account).associations}:
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
                if found.name != account and user in {each.user for each in found.associations}
            }
            if others and self._defaults.get(user) == account:
                raise refused("You can not remove the default account of a user")

    def _forget_defaults(self, account: AccountName, users: Collection[UserName]) -> None:
        for user in users:
            if self._defaults.get(user) == account:
                del self._defaults[user]

"""What the project asks of Slurm: every intent of `port.Accounting`, in the configured cluster."""

from collections.abc import Callable, Collection

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar import commands, parsers
from waldur_slurm.slurm.accounting.intents.accounts import Accounts
from waldur_slurm.slurm.accounting.intents.jobs import Jobs
from waldur_slurm.slurm.accounting.intents.people import People
from waldur_slurm.slurm.accounting.intents.unix import UnixUsers
from waldur_slurm.slurm.grammar.evidence import is_denied
from waldur_slurm.slurm.grammar.settings import parse_version

NOWHERE = AccountName("waldur-slurm-agent-asks-about-its-rights")


class SlurmClient(Accounts, People, Jobs, UnixUsers):
    """An `Accounting` over Slurm's own tools."""

    def read_snapshot(self) -> Snapshot:
        return self._records.read_snapshot(self.cluster)

    def read_outline(self) -> Snapshot:
        return self._records.read_outline(self.cluster)

    def read_part(
        self, names: Collection[AccountName], is_touched: Callable[[str], bool]
    ) -> Snapshot:
        return self._records.read_part(self.cluster, names, is_touched)

    def read_accounts(self, names: Collection[AccountName]) -> Snapshot:
        found = self.read_snapshot()
        wanted = {
            name: account
            for name, account in found.accounts.items()
            if name in names or account.parent in names
        }
        return Snapshot(accounts=wanted)

    def read_tres(self) -> frozenset[TresName]:
        return parsers.parse_all_tres(self._tools.ask(commands.show_tres()))

    def read_version(self) -> str:
        return parse_version(self._tools.ask(commands.show_version()))

    def may_change_accounts(self) -> bool:
        """Ask for a change of an account that is nowhere: who may not is told so all the same.

        Somebody's coordinator is not told apart from who may change everything.
        """
        argv = commands.set_account_hold(self.cluster, NOWHERE, None, None)
        completed = self._tools.attempt(argv)
        if is_denied(completed):
            return False
        try:
            self._tools.believe(argv, completed)
        except CommandFailed as refusal:  # the account does not exist, so this is expected
            if refusal.transient:
                raise
        return True

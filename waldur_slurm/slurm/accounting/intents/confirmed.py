"""Where every intent is carried out: the line to Slurm, its records, and how a write is settled.

A write is believed when a fresh reading shows it, not because Slurm said so: `cpu=abc` exits 0
and blocks an account, `Nothing modified` exits 1 although all is well.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import cached_property
from threading import Lock

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.names import AccountName, ClusterName
from waldur_slurm.processes.port import Argv, Completed, Transport
from waldur_slurm.slurm.accounting.bulk import FEW_LINES, Additions, BulkWriter
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.grammar.columns import AssociationRow
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.accounting.records import Members, Records, Tree
from waldur_slurm.slurm.grammar.evidence import said
from waldur_slurm.slurm.grammar.settings import parse_configuration
from waldur_slurm.slurm.tools import Tools

ATTEMPTS = 2


class ConfirmedWrites:
    """One cluster. Without `cluster` it is the one that slurm.conf names, asked for once."""

    def __init__(
        self,
        transport: Transport,
        *,
        cluster: ClusterName | None = None,
        bin_path: str = "",
        timeout: timedelta | None = None,
        few_lines: int = FEW_LINES,
    ) -> None:
        self._tools = Tools(transport, bin_path=bin_path, timeout=timeout)
        self._bulk = BulkWriter(self._tools, few_lines)
        self._records = Records(self._tools, lambda: self._away)
        self._made: Members = {}
        """Who was in the accounts that were made last, when they were seen to stand."""
        self._named_cluster = cluster
        self._writing = Lock()

    def read_configuration(self) -> Mapping[str, str]:
        argv = commands.show_configuration(self._away)
        return parse_configuration(self._tools.ask(argv))

    @property
    def cluster(self) -> ClusterName:
        return self._named_cluster or self._local_cluster

    @property
    def _away(self) -> ClusterName | None:
        """The cluster, where it is not the local one."""
        named = self._named_cluster
        return named if named is not None and named != self._local_cluster else None

    @cached_property
    def _local_cluster(self) -> ClusterName:
        text = self._tools.ask(commands.show_configuration())
        return ClusterName(parse_configuration(text)["ClusterName"])

    def _settled(self, argv: Argv, is_so: Callable[[], bool]) -> Outcome:
        """Write unless it is so already."""
        return Outcome.ALREADY_SO if is_so() else self._written(argv, is_so)

    def _written(self, argv: Argv, is_so: Callable[[], bool]) -> Outcome:
        completed = self._confirmed(lambda: (argv, self._tools.attempt(argv)), is_so)
        return Outcome.CHANGED if completed.code == 0 else Outcome.ALREADY_SO

    def _added(self, additions: Additions, is_so: Callable[[], bool]) -> Outcome:
        """Add what is absent. If somebody else adds a part of it meanwhile, the rest is ours."""
        self._confirmed(lambda: self._bulk.write(additions), is_so)
        return Outcome.CHANGED

    def _confirmed(
        self, write: Callable[[], tuple[Argv, Completed]], is_so: Callable[[], bool]
    ) -> Completed:
        """Write, and believe what is read afterwards; once more where Slurm said yes in vain.

        One write at a time: several at once lose accounts with exit code 0, or even end a
        slurmdbd of 22.05 with a deadlock in its database.
        """
        with self._writing:
            for _ in range(ATTEMPTS):
                argv, completed = write()
                if not self._tools.is_silence(argv, completed) and is_so():
                    return completed
                self._tools.believe(argv, completed)
            raise CommandFailed(argv, 0, f"exit code 0, but it is not so: {said(completed)}")

    def _settled_on(
        self,
        account: AccountName,
        argv: Argv,
        is_so: Callable[[AssociationRow, Tree], bool],
        *others: AccountName,
    ) -> Outcome:
        def reread() -> bool:
            tree = self._records.read_tree(self.cluster, (account, *others))
            return is_so(self._existing(argv, account, tree), tree)

        return self._settled(argv, reread)

    def _existing(self, argv: Argv, account: AccountName, tree: Tree) -> AssociationRow:
        self._require(argv, account, tree.accounts)
        return tree.accounts[account]

    def _require(self, argv: Argv, account: AccountName, there: Collection[AccountName]) -> None:
        if account not in there:
            raise CommandFailed(argv, 1, f"no account {account} in cluster {self.cluster}")

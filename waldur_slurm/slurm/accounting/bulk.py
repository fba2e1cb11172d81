"""Many additions in few processes, by the quickest way that Slurm allows this user.

`load` takes everything at once, but from Administrators only, and it first reads all that is there:
in a large site that takes longer than a few lines, which sacctmgr obeys one by one. Whom Slurm
refuses it is taken for an Operator, who may say everything in lines only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.accounting.grammar import commands, script
from waldur_slurm.slurm.grammar.evidence import is_load_forbidden
from waldur_slurm.slurm.tools import Tools

FEW_LINES = 5
"""With 7,000 associations a load takes as long as some five lines (22.05); both grow with them."""


@dataclass(frozen=True, slots=True)
class Additions:
    """The same content for either way: a file to load, and lines to be obeyed one by one."""

    file: str
    lines: Sequence[str]


class BulkWriter:
    """Remembers which way is open; a level that is raised later is noticed at the next start."""

    def __init__(self, tools: Tools, few_lines: int = FEW_LINES) -> None:
        self._tools = tools
        self._few_lines = few_lines
        self._may_load = True

    def would_load(self, lines: int) -> bool:
        return self._may_load and lines > self._few_lines

    def write(self, additions: Additions) -> tuple[Argv, Completed]:
        """Return the last command and how it ended; what follows a bad end is not tried."""
        if self.would_load(len(additions.lines)):
            completed = self._tools.attempt(commands.load(), stdin=additions.file)
            if not is_load_forbidden(completed):
                return commands.load(), completed
            self._may_load = False
        return commands.obey_lines(), self._obeyed(additions.lines)

    def _obeyed(self, lines: Sequence[str]) -> Completed:
        completed = Completed(0, "", "")
        for part in script.in_parts(lines):
            completed = self._tools.attempt(commands.obey_lines(), stdin=part)
            if completed.code != 0:
                break
        return replace(completed, out=script.without_echo(completed.out))

"""What an exit code, a stream and their words prove about a command that ended. Pure.

Slurm's words change between versions, so only the words of "nobody answers" are known here, and
a command that failed with other words is judged by whether a question that cannot be refused is
answered (`probe_for`).
"""

import re
from collections.abc import Sequence

from waldur_slurm.errors import AccountingDown, CommandFailed
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.grammar.commands import SLURM_TOOLS, ping_controller, show_clusters

# Customers choose names of accounts, and some errors quote them: none of these may be in one.
_NOBODY_ANSWERS = re.compile(
    r"Connection (refused|reset|timed out)"
    r"|[Uu]nable to (connect|contact|establish)"
    r"|failed to open persistent connection"
    r"|(?<![\w.@-])slurm_persist_conn|PersistInit"
    r"|[Pp]roblem talking to"
    r"|Munge encode failed|Munge decode failed|Protocol authentication error"
    r"|[Tt]imed out|(?<![\w.@-])[Tt]imeout(?![\w.@-])"
    r"|can't be reached now"
    r"|No route to host|Network is unreachable"
    r"|Zero Bytes were transmitted"
    r"|cannot stat file .*slurm\.conf|Unable to process configuration"
    r"|slurmdbd: .*(shutting down|not (up|running|responding))"
)
_SLURMS_OWN = re.compile(
    rf"\s*(?:{'|'.join(sorted(SLURM_TOOLS))}): (?:error|fatal): |\s*slurm_\w+ error: "
)
_MOST_WORDS = 1000
_MOST_BESIDE = 300
"""What stands on stdout beside words on stderr is mostly the answer, which may be long."""
_OF_SLURMCTLD = ("squeue", "scancel", "scontrol", "sdiag")
"""Tools that ask slurmctld; all others ask slurmdbd."""


def said(completed: Completed) -> str:
    """Slurm's own words, wherever it put them."""
    err, out = completed.err.strip()[:_MOST_WORDS], completed.out.strip()
    beside = out[: _MOST_BESIDE if err else _MOST_WORDS]
    return "\n".join(filter(None, (err, beside))) or "nothing"


def words_of_silence(completed: Completed) -> tuple[str, ...]:
    """Return the lines that say that nobody answered, whoever said them.

    Asked of successes too: a reading may end with 0 although the connection broke.
    """
    lines = completed.err.splitlines()
    return tuple(line.strip() for line in lines if _NOBODY_ANSWERS.search(line))


def is_silence(completed: Completed) -> bool:
    return bool(words_of_silence(completed))


def is_slurms_own(line: str) -> bool:
    """Say whether the line has the form that Slurm gives its errors; not all of them have it."""
    return _SLURMS_OWN.match(line) is not None


def is_denied(completed: Completed) -> bool:
    """Say whether Slurm refused for want of a right."""
    return completed.code != 0 and "Access/permission denied" in completed.err


def is_load_forbidden(completed: Completed) -> bool:
    """Say whether `load` was refused to this user, whatever it held; then nothing was read."""
    return completed.code != 0 and "sufficient privileges to load" in completed.err


def refusal(argv: Argv, completed: Completed) -> CommandFailed:
    return CommandFailed(argv, completed.code, said(completed))


def silence(argv: Argv, completed: Completed, words: Sequence[str] = ()) -> AccountingDown:
    """Quote the words that prove it, where there are such."""
    quoted = "\n".join(words)[:_MOST_WORDS]
    return AccountingDown(argv, completed.code, quoted or said(completed))


def probe_for(argv: Argv) -> Argv:
    """A question to the same daemon that has no reason to be refused."""
    tool = argv[0].rpartition("/")[2]
    return ping_controller() if tool in _OF_SLURMCTLD else show_clusters()

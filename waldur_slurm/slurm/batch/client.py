"""`Batch` over Slurm's own tools, run as whoever the commands belong to."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from waldur_slurm.errors import CannotStart, ExpectedError, FileFailed, SlurmError, TransportError
from waldur_slurm.hand.options import NotAllowed
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    Estimate,
    GuardedState,
    JobId,
    Refusal,
    Refused,
    Submitted,
    Variables,
    VariablesFile,
    Verb,
)
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.batch.grammar import answers, commands, refusals
from waldur_slurm.slurm.batch.port import Commands, JobRefused, OutcomeUnknown
from waldur_slurm.slurm.grammar.commands import ping_controller
from waldur_slurm.slurm.grammar.evidence import is_silence, said, silence
from waldur_slurm.slurm.tools import Tools

IN_SECONDS = {"TZ": "UTC", "SLURM_TIME_FORMAT": "%s"}
"""Told to sbatch only where it submits nothing: a job inherits sbatch's environment."""

NEVER_RAN = ("ENOENT", "EACCES", "ENOEXEC")
"""What the system says of a file that cannot be started, or opened before anything is."""

_NO_SCRIPT = re.compile(r"^job script retrieval failed", re.MULTILINE)
"""Said by a scontrol that exits with 0 all the same."""

Unheard = Callable[[Argv, Completed], SlurmError]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class SlurmBatch:
    """One user's `Batch`: `commands` run as that user, `asked` answers whether Slurm is there."""

    def __init__(
        self,
        commands: Commands,
        asked: Tools,
        *,
        bin_path: str = "",
        timeout: timedelta | None = None,
    ) -> None:
        """`bin_path` is where the tools lie that `commands` runs; a hand knows it itself."""
        self._commands = commands
        self._asked = asked
        self._bin_path = bin_path.rstrip("/")
        self._timeout = timeout

    def submit(self, sheet: BatchSheet) -> Submitted:
        argv = _allowed(lambda: commands.submit(sheet), sheet)
        try:
            completed = self._run(argv, stdin=sheet.script, variables=_variables(sheet))
        except CannotStart:
            raise
        except (TransportError, FileFailed) as error:
            if isinstance(error, FileFailed) and error.errno in NEVER_RAN:
                raise
            raise OutcomeUnknown(f"sbatch's answer was lost: {error}") from error
        return self._submitted(argv, completed)

    def _submitted(self, argv: Argv, completed: Completed) -> Submitted:
        """A number is a job, whatever the exit code: of `#SBATCH --wait` it is the job's own."""
        submitted = answers.parse_submitted(completed.out)
        if submitted is not None:
            return submitted
        if refusals.was_never_sent(completed):
            raise silence(argv, completed)
        words = said(completed)
        if completed.code == 0 or refusals.was_lost(completed):
            raise OutcomeUnknown(f"sbatch's answer was lost: {words}")
        if refusals.known_refusal(words) is None and self._nobody_answers():
            raise OutcomeUnknown(f"sbatch's answer was lost, and Slurm does not answer: {words}")
        raise JobRefused(refusals.refused(completed))

    def estimate(self, sheet: BatchSheet) -> Estimate:
        argv = _allowed(lambda: commands.estimate(sheet), sheet)
        completed = self._run(
            argv, stdin=sheet.script, environ=IN_SECONDS, variables=_variables(sheet)
        )
        self._believe(argv, completed, unheard=silence)
        return answers.parse_estimate(completed.err)

    def cancel(
        self, jobs: Collection[JobId], *, signal: str = "", only: GuardedState | None = None
    ) -> Mapping[JobId, Cancelled | Refused]:
        if not jobs:
            return {}
        argv = _allowed(lambda: commands.cancel(jobs, signal, only))
        completed = self._run(argv)
        if _is_silence(completed):
            raise _unheard(argv, completed)
        outcomes = answers.parse_cancelled(completed.err, jobs)
        if completed.code != 0 and not any(map(_is_explained, outcomes.values())):
            self._believe(argv, completed)
        return outcomes

    def control(self, verb: Verb, job: JobId) -> None:
        argv = _allowed(lambda: commands.control(verb, job))
        self._believe(argv, self._run(argv))

    def update(self, job: JobId, changes: Mapping[str, str]) -> None:
        argv = _allowed(lambda: commands.update(job, changes))
        self._believe(argv, self._run(argv))

    def read_script(self, number: int) -> str:
        argv = _allowed(lambda: commands.write_script(number))
        completed = self._run(argv)
        if _NO_SCRIPT.search(completed.err):
            completed = replace(completed, code=completed.code or 1)
        self._believe(argv, completed, unheard=silence)
        return completed.out

    def _run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        located = (f"{self._bin_path}/{argv[0]}", *argv[1:]) if self._bin_path else argv
        return self._commands.run(
            located, stdin=stdin, environ=environ, timeout=self._timeout, variables=variables
        )

    def _believe(self, argv: Argv, completed: Completed, unheard: Unheard | None = None) -> None:
        """`unheard` is what to raise of what is no act, where nobody answered."""
        if _is_silence(completed):
            raise (unheard or _unheard)(argv, completed)
        if completed.code == 0:
            return
        found = refusals.refused(completed)
        if found.refusal is Refusal.OTHER and self._nobody_answers():
            raise (unheard or _lost)(argv, completed)
        raise JobRefused(found)

    def _nobody_answers(self) -> bool:
        try:
            return self._asked.attempt(ping_controller()).code != 0
        except ExpectedError:
            return True


def _allowed(build: Callable[[], Argv], sheet: BatchSheet | None = None) -> Argv:
    """Refuse here what the table does not hold, and what no program could be handed."""
    try:
        if sheet is not None:
            _check_text(sheet)
        return build()
    except NotAllowed as error:
        raise JobRefused(Refused(Refusal.OPTION, str(error))) from error


def _check_text(sheet: BatchSheet) -> None:
    """Whatever is handed over has bytes, and a variable a name that every shell takes."""
    texts = [sheet.script]
    if isinstance(sheet.variables, Mapping):
        for name, value in sheet.variables.items():
            if _VARIABLE.fullmatch(name) is None or "\0" in value:
                raise NotAllowed(f"not a variable that a job can have: {name[:80]!r}")
            texts.append(value)
    if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
        raise NotAllowed("the script or a variable is not UTF-8")


def _variables(sheet: BatchSheet) -> Mapping[str, str] | None:
    found: Variables | None = sheet.variables
    return None if isinstance(found, VariablesFile) else found


def _is_silence(completed: Completed) -> bool:
    return is_silence(completed) or refusals.was_never_sent(completed)


def _unheard(argv: Argv, completed: Completed) -> SlurmError:
    """What nobody answered was done or not, unless no connection was made at all."""
    if refusals.was_never_sent(completed):
        return silence(argv, completed)
    return _lost(argv, completed)


def _lost(argv: Argv, completed: Completed) -> SlurmError:
    return TransportError(f"{argv[0]}'s answer was lost: {said(completed)}")


def _is_explained(outcome: Cancelled | Refused) -> bool:
    return isinstance(outcome, Refused) or outcome in (Cancelled.ABSENT, Cancelled.OVER)

"""A `Batch` whose jobs slurmrestd takes; all else is left to Slurm's tools."""

from collections.abc import Collection, Mapping

from waldur_slurm.errors import CannotStart, TransportError
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
    Verb,
)
from waldur_slurm.slurm.batch.port import Batch, JobRefused, OutcomeUnknown
from waldur_slurm.slurm.rest.grammar.answers import parse_submitted, refused
from waldur_slurm.slurm.rest.grammar.jobs import job_body
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import Answer, NotAuthentic, Rest


class RestBatch:
    """One user's jobs; `tools` is the same user's `Batch` over Slurm's own tools."""

    def __init__(self, rest: Rest, logins: Logins, tools: Batch, home: str) -> None:
        """`home` is where a job runs that does not say where."""
        self._rest = rest
        self._logins = logins
        self._tools = tools
        self._home = home

    def submit(self, sheet: BatchSheet) -> Submitted:
        if not sheet.script.startswith("#!"):
            raise JobRefused(Refused(Refusal.SCRIPT, "a script begins with #! and its interpreter"))
        answer = self._post(sheet)
        submitted = parse_submitted(answer.said)
        if submitted is not None:
            return submitted
        why = refused(answer.said)
        if why.refusal is Refusal.OTHER and not 400 <= answer.status < 500:
            raise OutcomeUnknown(f"slurmrestd answered {answer.status}: {why.words}")
        raise JobRefused(why)

    def _post(self, sheet: BatchSheet) -> Answer:
        for is_last in (False, True):
            login = self._logins.login()
            try:
                body = job_body(sheet, self._rest.version(login), self._home)
                return self._rest.ask("POST", "/job/submit", login, body)
            except NotAllowed as error:
                raise JobRefused(Refused(Refusal.OPTION, str(error))) from error
            except NotAuthentic:
                self._logins.forget()
                if is_last:
                    raise
            except CannotStart:
                raise
            except TransportError as error:
                raise OutcomeUnknown(f"slurmrestd's answer was lost: {error}") from error
        raise AssertionError("the last try raises or returns")

    def estimate(self, sheet: BatchSheet) -> Estimate:
        return self._tools.estimate(sheet)

    def cancel(
        self, jobs: Collection[JobId], *, signal: str = "", only: GuardedState | None = None
    ) -> Mapping[JobId, Cancelled | Refused]:
        return self._tools.cancel(jobs, signal=signal, only=only)

    def control(self, verb: Verb, job: JobId) -> None:
        self._tools.control(verb, job)

    def read_script(self, number: int) -> str:
        return self._tools.read_script(number)

    def update(self, job: JobId, changes: Mapping[str, str]) -> None:
        self._tools.update(job, changes)

"""Questions that are handed on to slurmrestd as somebody: what it answers is the answer.

Whoever asks shows no token of Slurm's: Slurm makes one for the user whom it is asked as, and that
goes to slurmrestd and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waldur_slurm.slurm.rest.grammar.versions import in_version
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import Answer, Login, NotAuthentic, Rest


@dataclass(frozen=True, slots=True)
class Question:
    """`service` is `slurm` or `slurmdb`; the path lies below the version; a body is a job."""

    method: str
    service: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Who asked at which address, and what slurmrestd said to that."""

    user: str
    url: str
    answer: Answer


class Passing:
    """`own` are the logins of the user whom the gateway itself is."""

    def __init__(self, rest: Rest, own: Logins) -> None:
        self._rest = rest
        self._own = own

    def ask(self, question: Question, logins: Logins | None = None) -> Passed:
        """Ask as whose logins these are; blocks. A token that is no longer good is replaced."""
        logins = logins or self._own
        try:
            return self._asked(question, logins.login())
        except NotAuthentic:
            logins.forget()
            return self._asked(question, logins.login())

    def _asked(self, question: Question, login: Login) -> Passed:
        version = self._rest.version(login)
        url = f"{self._rest.address}/{question.service}/v0.0.{version}{question.path}"
        body = question.body and in_version(question.body, version)
        answer = self._rest.ask(question.method, question.path, login, body, question.service)
        return Passed(login.user, url, answer)

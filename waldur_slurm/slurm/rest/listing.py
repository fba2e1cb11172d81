"""All jobs of a cluster as slurmrestd tells them: one request, some ten times what squeue costs."""

from collections.abc import Callable
from datetime import datetime

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.live import JobListing
from waldur_slurm.slurm.rest.grammar.answers import parse_listing, refused
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import NotAuthentic, Rest


class RestListing:
    """`read_jobs` of `slurm.live.port.Cluster`."""

    def __init__(self, rest: Rest, logins: Logins, now: Callable[[], datetime]) -> None:
        self._rest = rest
        self._logins = logins
        self._now = now

    def read_jobs(self) -> JobListing:
        try:
            return self._asked()
        except NotAuthentic:
            self._logins.forget()
            return self._asked()

    def _asked(self) -> JobListing:
        answer = self._rest.ask("GET", "/jobs", self._logins.login())
        if not answer.is_done:
            raise CommandFailed(("GET", "/jobs"), answer.status, refused(answer.said).words)
        return parse_listing(answer.said, self._now())

"""All jobs of a cluster as slurmrestd tells them: one request, some ten times what squeue costs.

One job with a name that is not UTF-8, which any user can make, and slurmrestd tells of none at all.
Then squeue is asked.
"""

from collections.abc import Callable
from datetime import datetime

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.live import JobListing
from waldur_slurm.slurm.rest.grammar.answers import NoList, parse_listing, refused
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import NotAuthentic, Rest


class RestListing:
    """`read_jobs` of `slurm.live.port.Cluster`; `by_squeue` lists the same jobs."""

    def __init__(
        self,
        rest: Rest,
        logins: Logins,
        now: Callable[[], datetime],
        by_squeue: Callable[[], JobListing],
    ) -> None:
        self._rest = rest
        self._logins = logins
        self._now = now
        self._by_squeue = by_squeue

    def read_jobs(self) -> JobListing:
        try:
            return self._by_slurmrestd()
        except NoList:
            return self._by_squeue()

    def _by_slurmrestd(self) -> JobListing:
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

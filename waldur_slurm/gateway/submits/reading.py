"""What Slurm says of an attempt's job: from the pictures that all share, then the accounting."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.submits.attempt import Attempt
from waldur_slurm.gateway.submits.plan import (
    CLOCKS,
    AskAccounting,
    Listed,
    Recalled,
    Settlement,
    of_accounting,
    of_list,
    settle,
    settle_by_accounting,
)
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.past import PastJob, PastQuery
from waldur_slurm.slurm.grammar.keeping import rules_of

UNTOLD = "DBD Agent queue size"
"""Slurm's counter of what slurmctld has still to tell the accounting."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Reader:
    """Reads of one cluster. All of it blocks, and raises where Slurm does not answer."""

    def __init__(self, pictures: ClusterPictures, now: Callable[[], datetime] = utc_now) -> None:
        self._pictures = pictures
        self._now = now

    def settle(self, attempt: Attempt, known: frozenset[JobId]) -> Settlement:
        """Settle it, as far as that can be done now."""
        rules = rules_of(self._pictures.configuration.shown().picture.value)
        listed = self._list(attempt)
        found = settle(attempt, known, rules, listed)
        if not isinstance(found, AskAccounting):
            return found
        return settle_by_accounting(attempt, known, listed, self._recall(attempt))

    def _list(self, attempt: Attempt) -> Listed:
        """Take the picture there is if it may show the job, and is young enough for a verdict."""
        now = self._now()
        last = attempt.doubt_until if attempt.doubt_until <= now else attempt.opened
        ago = max((now - last).total_seconds(), 0.0)
        seen = self._pictures.jobs.shown(younger_than=time.monotonic() - ago)
        picture = seen.picture
        return Listed(
            began=picture.as_of,
            took=timedelta(seconds=picture.took_s),
            jobs=of_list(attempt, picture.value.jobs),
            is_torn=any(
                attempt.mark in cell for row in picture.value.unreadable for cell in row.cells
            ),
        )

    def _recall(self, attempt: Attempt) -> Recalled:
        began = self._now()
        untold = self._pictures.cluster.read_statistics().counters.get(UNTOLD)
        query = PastQuery(
            since=attempt.opened - CLOCKS, until=began, users=frozenset({attempt.user})
        )
        rows = [*self._pictures.history.read_jobs(query)]
        jobs = [row for row in rows if isinstance(row, PastJob)]
        return Recalled(
            began=began,
            jobs=of_accounting(attempt, jobs),
            is_torn=any(
                attempt.mark in cell
                for row in rows
                if not isinstance(row, PastJob)
                for cell in row.cells
            ),
            is_behind=untold is None or untold > 0,
        )

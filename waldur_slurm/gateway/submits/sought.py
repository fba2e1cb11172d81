"""Which job a mark means: the one that the journal knows, else whichever carries it. Pure.

A job's owner may take its mark off, or put it on another job of his. The journal is not deceived.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from waldur_slurm.gateway.submits.attempt import Attempt, Placed
from waldur_slurm.gateway.submits.marks import mark_among
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName


class Sought:
    """These marks, and the attempts that were made with them."""

    def __init__(self, marks: Collection[str], attempts: Iterable[Attempt]) -> None:
        self._marks = frozenset(marks)
        self._known: dict[int, tuple[Attempt, Placed]] = {}
        self._settled: set[tuple[UserName, str]] = set()
        tried: set[str] = set()
        for attempt in attempts:
            tried.add(attempt.mark)
            if attempt.placed is not None:
                self._known[attempt.placed.job_id.number] = (attempt, attempt.placed)
                self._settled.add((attempt.user, attempt.mark))
        self.tried = frozenset(tried)
        """Marks that are of a job, or may be in a moment: none of them is absent."""

    def mark_of(
        self, job: JobId, user: UserName, comment: str, submitted: datetime, restarts: int
    ) -> str | None:
        """Return the mark by which this job is meant, if it is; of fifty thousand few are."""
        known = self._known.get(job.number)
        if known and known[0].user == user and _is_same(known[1], submitted, restarts):
            return known[0].mark
        told = mark_among(comment, self._marks)
        return None if told is None or (user, told) in self._settled else told


def _is_same(placed: Placed, submitted: datetime, restarts: int) -> bool:
    """Numbers come again; a requeue gives a job another time of submission."""
    return placed.submitted == submitted or restarts > 0

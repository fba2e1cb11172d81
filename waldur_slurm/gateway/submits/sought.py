"""Which job a mark means: the one that the journal knows, else whichever carries it. Pure.

A job's owner may take its mark off, or put it on another job of his; anybody may put another's mark
on his own. The journal is not deceived: what whoever asks handed in himself is what he means.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from waldur_slurm.gateway.submits.attempt import Attempt, Placed
from waldur_slurm.gateway.submits.marks import mark_among
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName


class Sought:
    """These marks, and the attempts that were made with them; `owner` is whose keys come first."""

    def __init__(
        self, marks: Collection[str], attempts: Iterable[Attempt], owner: str = ""
    ) -> None:
        self._marks = frozenset(marks)
        attempts = [*attempts]
        own = frozenset(each.mark for each in attempts if each.key.owner == owner)
        self._meant = [each for each in attempts if each.mark not in own or _is_of(each, owner)]
        self._known: dict[int, tuple[Attempt, Placed]] = {}
        self._settled: set[tuple[UserName, str]] = set()
        self._only: dict[str, set[UserName]] = {mark: set() for mark in own}
        for attempt in self._meant:
            if attempt.mark in own:
                self._only[attempt.mark].add(attempt.user)
            if attempt.placed is not None:
                self._known[attempt.placed.job_id.number] = (attempt, attempt.placed)
                self._settled.add((attempt.user, attempt.mark))
        self.tried = frozenset(each.mark for each in attempts)
        """Marks that are of a job, or may be in a moment: none of them is absent."""

    def jobs_of(self, marks: Collection[str]) -> frozenset[JobId] | None:
        """Return the jobs that these marks mean; None where of one of them that is not known."""
        meant = [each for each in self._meant if each.mark in marks]
        known = [each.placed.job_id for each in meant if each.placed is not None]
        is_whole = len(known) == len(meant) and {each.mark for each in meant} == {*marks}
        return frozenset(known) if is_whole else None

    def mark_of(
        self, job: JobId, user: UserName, comment: str, submitted: datetime, restarts: int
    ) -> str | None:
        """Return the mark by which this job is meant, if it is; of fifty thousand few are."""
        known = self._known.get(job.number)
        if known and known[0].user == user and _is_same(*known, comment, submitted, restarts):
            return known[0].mark
        told = mark_among(comment, self._marks)
        if (
            told is None
            or (user, told) in self._settled
            or user not in self._only.get(told, {user})
        ):
            return None
        return told


def _is_of(attempt: Attempt, owner: str) -> bool:
    return attempt.key.owner == owner


def _is_same(
    attempt: Attempt, placed: Placed, comment: str, submitted: datetime, restarts: int
) -> bool:
    """Numbers come again; a requeue gives a job another time of submission.

    Where Slurm has not told that time yet, the mark has to be there too.
    """
    if placed.submitted is None:
        return mark_among(comment, (attempt.mark,)) is not None
    return placed.submitted == submitted or restarts > 0

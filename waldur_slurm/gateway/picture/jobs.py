"""All jobs of one reading, and the ways in which they are looked for. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from waldur_slurm.model.batch import JobId, Task, Tasks
from waldur_slurm.model.live import JobListing, LiveJob, UnreadableJob
from waldur_slurm.model.names import UserName


class JobsNow:
    """One listing; an index is made when it is first asked for, and at most once a picture."""

    def __init__(self, listing: JobListing) -> None:
        self._listing = listing

    @property
    def jobs(self) -> tuple[LiveJob, ...]:
        """In slurmctld's order."""
        return self._listing.jobs

    @property
    def unreadable(self) -> tuple[UnreadableJob, ...]:
        return self._listing.unreadable

    @cached_property
    def by_user(self) -> Mapping[UserName, tuple[LiveJob, ...]]:
        found: dict[UserName, list[LiveJob]] = defaultdict(list)
        for job in self.jobs:
            found[job.user].append(job)
        return {user: tuple(jobs) for user, jobs in found.items()}

    @cached_property
    def by_number(self) -> Mapping[int, tuple[LiveJob, ...]]:
        """By the number of the whole job: an array's parts come together."""
        found: dict[int, list[LiveJob]] = defaultdict(list)
        for job in self.jobs:
            found[job.id.number].append(job)
            if job.number != job.id.number:
                found[job.number].append(job)
        return {number: tuple(jobs) for number, jobs in found.items()}

    def find(self, wanted: JobId) -> tuple[LiveJob, ...]:
        """Return the rows that `wanted` names: one job, a task, or all parts of an array."""
        rows = self.by_number.get(wanted.number, ())
        if wanted.part is None:
            return rows
        return tuple(job for job in rows if job.id == wanted or _holds(job.id, wanted))


def _holds(row: JobId, wanted: JobId) -> bool:
    """Whether the row of waiting tasks counts the wanted one among them."""
    return (
        isinstance(row.part, Tasks)
        and isinstance(wanted.part, Task)
        and row.number == wanted.number
        and row.part.holds(wanted.part.number)
    )

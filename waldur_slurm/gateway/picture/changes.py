"""What became different between two pictures of jobs. Pure.

A job that is in the first and not in the second has left slurmctld's list. That is all: whether and
how it ended only the accounting knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.model.live import LiveJob


@dataclass(frozen=True, slots=True)
class Came:
    """A job that was not listed before."""

    job: LiveJob


@dataclass(frozen=True, slots=True)
class Turned:
    """A job's state is another one than before."""

    before: LiveJob
    job: LiveJob


@dataclass(frozen=True, slots=True)
class Left:
    """A job is no longer listed; `job` is how it was seen last."""

    job: LiveJob


Change = Came | Turned | Left


def changes(before: JobsNow | None, after: JobsNow) -> Iterator[Change]:
    """Tell them in the order of the newer listing, those that left at the end.

    Nothing came with the very first picture: whatever is in it was there already.
    """
    if before is None:
        return
    left = {job.run: job for job in before.jobs}
    for job in after.jobs:
        known = left.pop(job.run, None)
        if known is None:
            yield Came(job)
        elif known.state != job.state:
            yield Turned(known, job)
    yield from map(Left, left.values())

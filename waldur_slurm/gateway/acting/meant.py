"""Whether a job that was found is the one that is meant. Pure.

Numbers come again once a site starts them anew. Whoever wants to be sure says more of his job than
its number: when it was submitted, which every requeue changes, or its mark, which its comment has.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from waldur_slurm.gateway.errors import NotThere, NotThisJob
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that somebody means, and what he knows of it."""

    job: JobId
    submitted: datetime | None = None
    mark: str | None = None


class Known(NamedTuple):
    """A part of a job: `number` is what slurmctld counts it by, `marks` what it may be meant by.

    `submitted` is when its last run was, `handed_in` when the first was, as far as that is known.

    The accounting of many sites keeps no comments: then `marks` is None, which is no other mark.
    """

    id: JobId
    number: int
    user: UserName
    submitted: datetime
    handed_in: datetime
    marks: Collection[str] | None


@dataclass(frozen=True, slots=True)
class Meant:
    """The job, by the name that Slurm's commands take, and whose it is."""

    job: JobId
    number: int
    user: UserName
    submitted: datetime


def judge(
    asked: Asked, parts: Collection[Known], *, each: bool = False
) -> Meant | NotThisJob | NotThere:
    """Judge by the parts of it that he may know of.

    A task that was requeued is submitted later than the rest of its array, which is the same array
    all the same. Where `each` part has to fit it is not: what is then done may be done to it again.
    """
    if not parts:
        return absent(asked.job)
    fitting = [part for part in parts if _why_not(asked, part) is None]
    if not fitting or (each and len(fitting) < len(parts)):
        whys = (_why_not(asked, part) for part in parts)
        return NotThisJob(next(why for why in whys if why))
    newest = max(fitting, key=lambda part: part.submitted)
    return Meant(_name(asked.job, newest), newest.number, newest.user, newest.submitted)


def absent(job: JobId) -> NotThere:
    return NotThere(f"there is no job {job}, or none that you may see")


def _why_not(asked: Asked, part: Known) -> str | None:
    """What says that the part is of another job than the one that is meant."""
    if asked.submitted not in (None, part.submitted, part.handed_in):
        when = part.submitted.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"job {part.id} was submitted, or requeued, at {when}"
    if asked.mark is None:
        return None
    if part.marks is None:
        return None if asked.submitted else f"the accounting has kept no mark of job {part.id}"
    return None if asked.mark in part.marks else f"job {part.id} has another mark"


def _name(asked: JobId, part: Known) -> JobId:
    """A task, or a component, may be asked for by its bare number too."""
    return asked if asked.number == part.id.number else part.id

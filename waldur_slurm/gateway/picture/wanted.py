"""Which jobs of a picture somebody wants, in which order, and from where on. Pure.

A page begins after the last job of the one before, by what they are sorted by: where the picture
has changed in between, no job that stayed comes twice or is left out.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, NamedTuple

from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.live import LiveJob

SORTS: dict[str, Callable[[LiveJob], Any]] = {
    "job_id": lambda job: job.number,
    "submit_time": lambda job: job.submitted,
    "start_time": lambda job: job.start or datetime.max.replace(tzinfo=job.submitted.tzinfo),
    "priority": lambda job: job.priority,
    "user": lambda job: job.user,
    "account": lambda job: job.account,
    "partition": lambda job: job.partition,
    "state": lambda job: str(job.state),
    "name": lambda job: job.name,
    "cpus": lambda job: job.cpus,
    "elapsed": lambda job: job.elapsed_s,
}
"""What jobs can be sorted by. Times are compared as times, text by its characters."""


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


class Bound(NamedTuple):
    """What is sorted by `name` compares so with `value`."""

    name: str
    comparison: str
    value: Any

    def holds(self, job: LiveJob) -> bool:
        return COMPARISONS[self.comparison](SORTS[self.name](job), self.value)


@dataclass(frozen=True, slots=True)
class JobsWanted:
    """What is empty does not restrict. States are base words, such as RUNNING."""

    users: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    partitions: frozenset[str] = frozenset()
    qos: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    reservations: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    """Of names too: `*` stands for any text. Each is held against each job."""
    ids: frozenset[JobId] = frozenset()
    bounds: tuple[Bound, ...] = ()

    def takes(self, job: LiveJob) -> bool:
        return (
            _is_among(job.user, self.users)
            and _is_among(job.account, self.accounts)
            and _is_among(job.qos, self.qos)
            and _is_among(job.reservation, self.reservations)
            and _is_among(job.state.base, self.states)
            and (not self.partitions or not self.partitions.isdisjoint(job.partition.split(",")))
            and self._takes_name(job.name)
            and (not self.nodes or not self.nodes.isdisjoint(expand_hosts(job.hosts)))
            and all(bound.holds(job) for bound in self.bounds)
        )

    def _takes_name(self, name: str) -> bool:
        if not self.names and not self.patterns:
            return True
        return name in self.names or any(fnmatchcase(name, each) for each in self.patterns)


_ALL = JobsWanted()


class Mark(NamedTuple):
    """Where a page ended: at a job with this key and number."""

    key: Any
    number: int


@dataclass(frozen=True, slots=True)
class JobsPage:
    jobs: tuple[LiveJob, ...]
    total: int
    after: Mark | None


def select(picture: JobsNow, wanted: JobsWanted, owners: Collection[str] | None) -> list[LiveJob]:
    """Return the wanted ones among those that `owners` have; None: of everybody."""
    users: Collection[str] | None = owners
    if wanted.users:
        users = wanted.users if owners is None else wanted.users & frozenset(owners)
    if users is None and wanted == _ALL:
        return [*picture.jobs]
    return [job for job in _candidates(picture, wanted, users) if wanted.takes(job)]


def _candidates(
    picture: JobsNow, wanted: JobsWanted, users: Collection[str] | None
) -> Iterable[LiveJob]:
    if wanted.ids:
        found = {job.number: job for name in wanted.ids for job in picture.find(name)}
        return (job for job in found.values() if users is None or job.user in users)
    if users is None:
        return picture.jobs
    by_user = picture.by_user
    return (job for user in sorted(users) for job in by_user.get(user, ()))  # type: ignore[call-overload]  # a name is a text


def page_of(
    jobs: Sequence[LiveJob], sort: str, limit: int, after: Mark | None, *, downward: bool
) -> JobsPage:
    """Sort, and cut out what follows `after`."""
    key = SORTS[sort]

    def place(job: LiveJob) -> Mark:
        return Mark(key(job), job.number)

    ordered = in_order(jobs, sort, downward=downward)
    rest: Iterable[LiveJob] = ordered
    if after is not None:
        rest = (job for job in ordered if (place(job) < after if downward else place(job) > after))
    cut = tuple(islice(rest, limit + 1))
    shown = cut[:limit]
    return JobsPage(shown, len(ordered), place(shown[-1]) if len(cut) > limit and shown else None)


def in_order(jobs: Sequence[LiveJob], sort: str, *, downward: bool) -> list[LiveJob]:
    """Sort them; of equal ones the numbers decide. Bare pairs: fifty thousand are made."""
    key = SORTS[sort]
    return sorted(jobs, key=lambda job: (key(job), job.number), reverse=downward)


def _is_among(value: str, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted

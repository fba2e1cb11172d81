"""What Slurm says of watched jobs: one list for all, and one question to the accounting at most.

The list is the picture that everybody is shown. The accounting is asked of jobs that left it, all
together, the longest unasked first, and once an interval.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.watch.plan import SILENT, Listing, Memory, Voice
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.past import PastJob, PastQuery

LOOKED_BACK = timedelta(days=31)
"""How long after its end a job is found of which only the number is known."""

MOST_ASKED = 500
"""Jobs that one sacct is asked for."""

_EARLIER = timedelta(hours=1)
_NONE = re.compile(r"(?:accounting_storage/none|\(null\)|none)?", re.ASCII | re.IGNORECASE)


class Recalled(NamedTuple):
    """What the accounting said; nothing follows for jobs whose numbers were not `asked` for."""

    asked: frozenset[int]
    memory: Memory


class Reader:
    """Reads of one cluster. All of it may block."""

    def __init__(self, pictures: ClusterPictures, now: Callable[[], datetime]) -> None:
        self._pictures = pictures
        self._now = now
        self._asked: dict[int, int] = {}
        self._questions = 0

    @property
    def last(self) -> Picture[JobsNow] | None:
        return self._pictures.jobs.last

    def fresh(self, younger_than: float) -> Picture[JobsNow]:
        """Return a list begun after that moment; raises `NotNow` where there is none."""
        return self._pictures.jobs.shown(younger_than=younger_than).picture

    def listing(self, picture: Picture[JobsNow]) -> Listing:
        return Listing(picture.value, picture.as_of, not self._pictures.doubt)

    def alone(self, number: int) -> Listing:
        """Read one job with all its parts, which costs slurmctld little; raises where it cannot."""
        as_of = self._now()
        listing = self._pictures.cluster.read_job(JobId(number))
        return Listing(JobsNow(listing), as_of, not self._pictures.doubt)

    def recall(self, missing: Collection[Monitor]) -> Recalled:
        """Ask of those that are not listed; silence says nothing of them."""
        by_number: dict[int, list[Monitor]] = defaultdict(list)
        for monitor in missing:
            if monitor.job is not None:
                by_number[monitor.job.number].append(monitor)
        numbers = sorted(by_number, key=lambda number: self._asked.get(number, 0))[:MOST_ASKED]
        self._questions += 1
        self._asked = {number: self._asked.get(number, 0) for number in by_number}
        self._asked |= dict.fromkeys(numbers, self._questions)
        watched = [monitor for number in numbers for monitor in by_number[number]]
        return Recalled(frozenset(numbers), self._memory(numbers, watched))

    def _memory(self, numbers: Sequence[int], watched: Collection[Monitor]) -> Memory:
        try:
            if not has_accounting(self._pictures.configuration.shown().picture.value):
                return Memory(Voice.NONE)
            return self._read(numbers, min(map(_since, watched)))
        except ExpectedError:
            return SILENT

    def _read(self, numbers: Sequence[int], since: datetime) -> Memory:
        query = PastQuery(since=since, until=self._now(), ids=frozenset(map(JobId, numbers)))
        found: dict[int, list[PastJob]] = defaultdict(list)
        is_whole = True
        for past in self._pictures.history.read_jobs(query):
            if isinstance(past, PastJob):
                for number in {name.number for name in past.last.names}:
                    found[number].append(past)
            else:
                is_whole = False
        return Memory(Voice.SAID, found, is_whole)


def has_accounting(configuration: Mapping[str, str]) -> bool:
    """Whether jobs are recorded at all; what slurm.conf does not say is not concluded from."""
    told = configuration.get("AccountingStorageType")
    return told is None or _NONE.fullmatch(told) is None


def _since(monitor: Monitor) -> datetime:
    return monitor.submitted - _EARLIER if monitor.submitted else monitor.made - LOOKED_BACK

"""What a history comes to: whole TRES-seconds, by arithmetic of its own.

Nothing here is shared with the program whose figures are held against it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sandbox.slurm.history_jobs import Job, following_month, month_of


class Share(NamedTuple):
    """One person's part of one account's month, for one TRES."""

    account: str
    month: str
    user: str
    tres: str


def exact_sums(
    jobs: Iterable[Job], zone: ZoneInfo, until: int, *, basis: str = "allocated"
) -> Mapping[Share, int]:
    """Add up TRES-seconds, with open jobs held until `until` and forgotten ones not at all."""
    calendar = _Calendar(zone)
    sums: defaultdict[Share, int] = defaultdict(int)
    for job in jobs:
        if job.is_forgotten or not job.start:
            continue
        tres = job.shape.allocated if basis == "allocated" else job.shape.requested
        for start, end in _held(job, until):
            for month, seconds in calendar.split(start, min(end, until)):
                for name, amount in tres.items():
                    sums[Share(job.account, month, job.user, name)] += amount * seconds
    return {share: total for share, total in sums.items() if total}


def _held(job: Job, until: int) -> Iterator[tuple[int, int]]:
    """The spans between the pauses; `until` stands for what has not ended."""
    begin = job.start
    for pause_start, pause_end in job.pauses:
        yield begin, pause_start
        begin = pause_end or until
    yield begin, job.end or until


class _Calendar:
    """Cuts spans at the edges of local months; remembers them, for there are few."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._edges: dict[int, tuple[str, int]] = {}

    def split(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        while start < end:
            month, edge = self._month(start)
            yield month, min(edge, end) - start
            start = edge

    def _month(self, moment: int) -> tuple[str, int]:
        # No zone changes its offset within a quarter of an hour that begins at a multiple of it.
        quarter = moment // 900
        if quarter not in self._edges:
            self._edges[quarter] = (
                month_of(moment, self._zone),
                following_month(moment, self._zone),
            )
        return self._edges[quarter]

"""Holds everybody to his pace; remembers a bounded number of them.

Whoever is forgotten begins with a full bucket: so the one who was still longest goes first.
"""

from collections import OrderedDict

from waldur_slurm.gateway.doors.paces import Bucket, Pace, take
from waldur_slurm.gateway.errors import TooFast

MOST_KEPT = 10_000


class Pacing:
    """For one thread, that of the loop."""

    def __init__(self, pace: Pace, most_kept: int = MOST_KEPT) -> None:
        self.pace = pace
        self._most_kept = most_kept
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    @property
    def kept(self) -> int:
        return len(self._buckets)

    def let(self, who: str, now: float) -> None:
        """Let one request through, or raise `TooFast` with when to come again."""
        bucket, wait_s = take(self.pace, self._buckets.get(who), now)
        self._buckets[who] = bucket
        self._buckets.move_to_end(who)
        if len(self._buckets) > self._most_kept:
            self._buckets.popitem(last=False)
        if wait_s:
            raise TooFast(
                f"more than {self.pace.at_once:g} requests at once and {self.pace.a_second:g} a"
                " second; wait, then go on more slowly",
                wait_s,
            )

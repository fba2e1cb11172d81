"""How fast one principal may ask: a bucket of tokens that fills with time. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """So many requests at once, and so many a second for ever."""

    at_once: float
    a_second: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much is left, and when that was so."""

    left: float
    at: float


def take(pace: Pace, bucket: Bucket | None, now: float) -> tuple[Bucket, float]:
    """Take one; also return how long to wait first, 0 where one was left.

    Who has to wait has taken none.
    """
    if bucket is None:
        return Bucket(pace.at_once - 1, now), 0.0
    elapsed = max(now - bucket.at, 0.0)
    left = min(pace.at_once, bucket.left + elapsed * pace.a_second)
    if left >= 1:
        return Bucket(left - 1, now), 0.0
    return Bucket(left, now), (1 - left) / pace.a_second

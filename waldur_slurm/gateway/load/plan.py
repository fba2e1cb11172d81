"""Which samples of the load are shown, when one is due, and which are let go with age. Pure.

Times are whole seconds since the epoch. The older a sample is, the fewer are kept: of each span of
time its first one, so that thinning again drops nothing more.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

DAY_S = 86_400
_SPANS = ((2 * DAY_S, 0), (14 * DAY_S, 300), (92 * DAY_S, 900))
"""Up to an age, one sample is kept in so many seconds; 0 is every one."""

_OLDEST_SPAN_S = 3600
_SLACK = 1.5
"""Whoever asks for the last wait time gets a sample although the next one is a little late."""


class Span(NamedTuple):
    """From `begin` to `end`, both of them included."""

    begin: int
    end: int


class LoadWanted(NamedTuple):
    """What `time` and `offset` ask for; without `time` the newest sample alone."""

    span: Span
    newest_only: bool


def wanted(now: int, wait_s: int, time_s: int | None, offset_s: int) -> LoadWanted:
    end = now - offset_s
    if time_s is None:
        return LoadWanted(Span(end - int(wait_s * _SLACK), end), newest_only=True)
    return LoadWanted(Span(end - time_s, end), newest_only=False)


def slot_of(now: float, wait_s: int) -> int:
    """Return which wait time this is: one sample is taken in each, whoever takes it."""
    return int(now // wait_s)


def until_next_s(now: float, wait_s: int) -> float:
    """Return how long it is to the next wait time."""
    return wait_s - now % wait_s


def plan_thinning(times: Iterable[int], now: int, keep_s: int) -> Iterator[int]:
    """Yield the times of samples that are let go; `times` come in their order."""
    kept: tuple[int, int] | None = None
    for time in times:
        age = now - time
        if age > keep_s:
            yield time
            continue
        span = next((span for most, span in _SPANS if age <= most), _OLDEST_SPAN_S)
        if not span:
            continue
        place = (span, time // span)
        if place == kept:
            yield time
        kept = place

"""Which letters are tried now, and what follows from how a try ended. Pure.

A letter is tried for a day, after pauses that grow from ten seconds to an hour, the last time at
the end of that day. After that it is dead, and stays to be seen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from waldur_slurm.gateway.post.letter import Letter, Sink, Stage
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
LIFETIME = timedelta(days=1)
AT_ONCE = 4
"""How many sinks of one method are spoken to at once: many dead ones hold up their own method's."""
LEASE = timedelta(minutes=5)
"""How long a try may take; later nobody can still be at it, and it is due again."""


_LATEST = LONGEST_PAUSE + timedelta(minutes=1)


def is_time(next_try: datetime, now: datetime) -> bool:
    """Whether to try it; no try is ever put off for so long, unless the clock was set back."""
    return next_try <= now or next_try > never(now)


def never(now: datetime) -> datetime:
    """Say when no letter can be due, which is tried at any time before."""
    return now + _LATEST


def due(heads: Iterable[Letter], now: datetime, busy: Collection[Sink]) -> Iterator[Letter]:
    """Choose what to begin: no sink gets two letters at once, nor a method more than it may."""
    taken = set(busy)
    lanes = Counter(sink.method for sink in taken)
    for letter in sorted(heads, key=lambda letter: (letter.tries, letter.next_try)):
        is_due = letter.stage is Stage.WAITING and is_time(letter.next_try, now)
        if is_due and letter.sink not in taken and lanes[letter.method] < AT_ONCE:
            taken.add(letter.sink)
            lanes[letter.method] += 1
            yield letter


def after(letter: Letter, outcome: Outcome, now: datetime) -> Letter:
    """Say what a try makes of a letter."""
    tried = replace(letter, tries=letter.tries + 1)
    match outcome:
        case Delivered():
            return replace(tried, stage=Stage.DELIVERED, last_words="")
        case Never(why):
            return replace(tried, stage=Stage.DEAD, last_words=why)
        case Later(why, after_s):
            return _once_more(replace(tried, last_words=why), after_s, now)


def _once_more(tried: Letter, after_s: float, now: datetime) -> Letter:
    end = tried.made + LIFETIME
    if now >= end:
        return replace(tried, stage=Stage.DEAD)
    pause = max(_pause(tried.tries), timedelta(seconds=max(0.0, min(after_s, 3600.0))))
    return replace(tried, next_try=min(now + min(pause, LONGEST_PAUSE), end))


def _pause(tries: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << min(tries - 1, 16)), LONGEST_PAUSE)

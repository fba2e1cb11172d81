"""A whole array as one job: it ends when all its tasks have, and came to what the worst did. Pure.

Tasks leave slurmctld's list one by one. Which of them have not ended is kept, and each that left is
asked for in the accounting: silence ends none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.letter import Facts, Occasion
from waldur_slurm.gateway.watch.glance import Glance, of_past, of_row, sight_of
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.batch import JobId, Task, Tasks
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastJob

_FORWARD = ("RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING")
"""Of tasks that go on, what the array is said to be: whatever is furthest."""

_WORST = (
    "NODE_FAIL",
    "BOOT_FAIL",
    "OUT_OF_MEMORY",
    "TIMEOUT",
    "DEADLINE",
    "FAILED",
    "PREEMPTED",
    "CANCELLED",
    "REVOKED",
    "COMPLETED",
)
"""Of tasks that ended, what the array is said to have come to: one that failed tells of all."""


class _Part(NamedTuple):
    """Tasks that are alike, and how they were seen."""

    numbers: frozenset[int]
    glance: Glance


def is_array(monitor: Monitor, found: Iterable[JobId]) -> bool:
    """Whether a whole array is watched, as was seen before or is seen now."""
    if monitor.job is None or monitor.job.part is not None:
        return False
    if monitor.sight and monitor.sight.open_tasks is not None:
        return True
    number = monitor.job.number
    return any(each.number == number and isinstance(each.part, Task | Tasks) for each in found)


def look_at_array(
    monitor: Monitor, rows: Sequence[LiveJob], past: Sequence[PastJob]
) -> Glance | None:
    """Put together what is listed and what is recalled of the rest; None: nothing is known."""
    listed = [_Part(row.id.tasks, of_row(monitor, row)) for row in rows]
    here = frozenset().union(*(part.numbers for part in listed))
    recalled = [_Part(job.id.tasks - here, of_past(monitor, job)) for job in past]
    parts = [part for part in (*listed, *recalled) if part.numbers]
    if not parts:
        return None
    ended = _ended(monitor, parts)
    open_now = frozenset().union(
        _open_before(monitor), *(each.numbers for each in parts if not each.glance.has_ended)
    )
    left = open_now - frozenset(ended)
    shown = frozenset().union(*(part.numbers for part in parts))
    is_going = any(not part.glance.has_ended for part in listed)
    glance = _glance(monitor, parts, ended, left)
    return replace(glance, is_short=not is_going and not left <= shown)


def missing_tasks(monitor: Monitor, rows: Iterable[LiveJob]) -> frozenset[int]:
    """Say which tasks had not ended and are no longer listed."""
    return _open_before(monitor) - frozenset().union(*(row.id.tasks for row in rows))


def _open_before(monitor: Monitor) -> frozenset[int]:
    return read_numbers(monitor.sight.open_tasks or "") if monitor.sight else frozenset()


def _ended(monitor: Monitor, parts: Iterable[_Part]) -> dict[int, str]:
    """How each task ended; one that goes on again, requeued, has not."""
    before = monitor.sight.ended_tasks if monitor.sight else {}
    ended = {number: state for state, text in before.items() for number in read_numbers(text)}
    for part in parts:
        for number in part.numbers:
            if part.glance.has_ended:
                ended[number] = part.glance.state
            else:
                ended.pop(number, None)
    return ended


def _glance(
    monitor: Monitor, parts: Sequence[_Part], ended: Mapping[int, str], left: frozenset[int]
) -> Glance:
    tally: dict[str, set[int]] = defaultdict(set)
    for number, state in ended.items():
        tally[state].add(number)
    has_ended = not left
    state = _worst(tally) if has_ended else _furthest(monitor, parts)
    facts = _facts(monitor, parts, state, tally, has_ended=has_ended)
    happened = {each for part in parts for each in part.glance.happened} - {Occasion.TERMINAL}
    first = min(parts, key=lambda part: min(part.numbers)).glance
    restarts = max(part.glance.sight.restarts for part in parts)
    sight = replace(
        sight_of(facts, monitor.submitted or first.submitted, restarts, None),
        open_tasks=write_numbers(left),
        ended_tasks={word: write_numbers(numbers) for word, numbers in sorted(tally.items())},
    )
    return Glance(
        state=state,
        happened=frozenset(happened | ({Occasion.TERMINAL} if has_ended else set())),
        sight=sight,
        facts=facts,
        submitted=monitor.submitted or first.submitted,
    )


def _facts(
    monitor: Monitor,
    parts: Sequence[_Part],
    state: str,
    tally: Mapping[str, set[int]],
    *,
    has_ended: bool,
) -> Facts:
    """`elapsed` is from the first task's start to the last one's end."""
    seen = [part.glance.facts for part in parts]
    before = monitor.sight
    started = _least([before.started if before else None, *(each.started for each in seen)])
    ended = _most([before.ended if before else None, *(each.ended for each in seen)])
    codes = {each.exit_code for each in seen if each.exit_code}
    codes |= {before.exit_code} if before and before.exit_code else set()
    is_over = has_ended and started is not None and ended is not None
    return replace(
        seen[0],
        state=_told(state, tally) if has_ended else state,
        exit_code=max(codes, default=None, key=_severity),
        elapsed_s=int((ended - started).total_seconds()) if is_over and started and ended else None,
        started=started,
        ended=ended,
        nodes="",
        efficiency=Efficiency(),
    )


def _told(state: str, tally: Mapping[str, set[int]]) -> str:
    if len(tally) == 1:
        return state
    counted = sorted(tally.items(), key=lambda each: (-len(each[1]), each[0]))
    return f"{state} ({', '.join(f'{len(numbers)} {word}' for word, numbers in counted)})"


def _worst(tally: Iterable[str]) -> str:
    return min(tally, key=lambda state: _rank(_WORST, state.split()[0].partition("+")[0]))


def _furthest(monitor: Monitor, parts: Iterable[_Part]) -> str:
    """What is listed says it; where only tasks are left of which nothing is known, what was."""
    going = [part.glance.state for part in parts if not part.glance.has_ended]
    return min(going, key=lambda state: _rank(_FORWARD, state), default=monitor.state)


def _rank(order: tuple[str, ...], state: str) -> int:
    return order.index(state) if state in order else len(order)


def _severity(code: str) -> tuple[int, ...]:
    return tuple(int(part) for part in code.split(":"))


def _least(moments: Iterable[datetime | None]) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)


def _most(moments: Iterable[datetime | None]) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)


def write_numbers(numbers: Iterable[int]) -> str:
    """Write them as `0-3,7`."""
    return ",".join(_spans(sorted(numbers)))


def read_numbers(text: str) -> frozenset[int]:
    spans = (span.partition("-") for span in filter(None, text.split(",")))
    return frozenset(
        number for first, _, last in spans for number in range(int(first), int(last or first) + 1)
    )


def _spans(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0]):
        span = [number for _, number in run]
        yield f"{span[0]}" if len(span) == 1 else f"{span[0]}-{span[-1]}"

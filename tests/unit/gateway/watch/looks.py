"""Looks at jobs, to try what follows from them."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from tests.fakes.cluster import live_job
from tests.fakes.past import past_run
from tests.unit.gateway.watch.monitors import NOW
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.post.letter import Occasion
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.watch.plan import (
    SILENT,
    Listing,
    Memory,
    Rules,
    Voice,
    turn,
)
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import JobListing, LiveJob, UnreadableJob
from waldur_slurm.model.past import PastJob, PastRun

RULES = Rules(max_age=timedelta(days=14), forgotten_after=timedelta(minutes=2))
MINUTE = timedelta(minutes=1)


def row(state: str = "RUNNING", number: int = 1, **changes: Any) -> LiveJob:
    """Make a job that was handed in as the monitor was made."""
    has_nodes = state not in ("PENDING", "REQUEUE_HOLD")
    made = live_job(number, state=state, submitted=NOW, hosts="n1" if has_nodes else "", start=NOW)
    return made._replace(**changes)


def listing(*jobs: LiveJob, unreadable: tuple[str, ...] = (), is_whole: bool = True) -> Listing:
    torn = tuple(UnreadableJob((cell,), "odd") for cell in unreadable)
    return Listing(JobsNow(JobListing(jobs, torn)), NOW, is_whole)


def run(state: str = "COMPLETED", number: int = 1, **changes: object) -> PastRun:
    word, _, by = state.partition(" by ")
    made = past_run(number, submitted=NOW, end=NOW + MINUTE, start=NOW, elapsed_s=60)
    whole = {"state": JobState(word, by=int(by) if by else None), **changes}
    return past_run(number, **{**{name: getattr(made, name) for name in _NAMES}, **whole})


_NAMES = ("submitted", "end", "start", "elapsed_s")


def memory(*jobs: PastRun | PastJob, is_whole: bool = True) -> Memory:
    """Let the accounting know of these, and of no other."""
    found: dict[int, list[PastJob]] = defaultdict(list)
    for each in jobs:
        past = each if isinstance(each, PastJob) else PastJob((each,))
        for name in {JobId(name.number) for name in past.last.names}:
            found[name.number].append(past)
    return Memory(Voice.SAID, found, is_whole)


NO_ACCOUNTING = Memory(Voice.NONE)
ALL = frozenset({Occasion.TERMINAL, Occasion.STARTED, Occasion.SUSPENDED, Occasion.REQUEUED})


def look(
    monitor: Monitor,
    seen: Listing,
    past: Memory = SILENT,
    *,
    after: timedelta = timedelta(0),
    rules: Rules = RULES,
) -> Turn | None:
    return turn(monitor, seen, past, rules, NOW + after)


def seen(*looks: tuple[Listing, Memory], start: Monitor) -> list[Turn]:
    """Look again and again, a minute apart."""
    turns, at = [], start
    for number, (jobs, past) in enumerate(looks):
        found = look(at, jobs, past, after=number * MINUTE)
        if found:
            turns.append(found)
            at = found.monitor
    return turns


def told(turns: list[Turn]) -> list[str]:
    return [str(letter.event) for turn in turns for letter in turn.letters]


def there(*jobs: LiveJob) -> tuple[Listing, Memory]:
    return listing(*jobs), memory()


def gone(past: Memory) -> tuple[Listing, Memory]:
    return listing(), past

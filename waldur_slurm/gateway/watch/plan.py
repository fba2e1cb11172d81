"""From what was asked and what was seen to what is written down and told. Pure.

A job that is no longer listed has not ended by that: its end is what slurmctld showed, or what the
accounting says of the very same job. Where nobody can say it any more, that is what is told. Each
occasion is told of once, in the order in which it may happen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.post.letter import Facts, Letter, Occasion
from waldur_slurm.gateway.watch.arrays import is_array, look_at_array, missing_tasks
from waldur_slurm.gateway.watch.glance import Glance, is_his, names, of_past, of_row, was_his
from waldur_slurm.gateway.watch.monitor import UNKNOWN, Monitor, Stage, Transition
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob, UnreadableJob
from waldur_slurm.model.past import PastJob

RECORDED_WITHIN = timedelta(hours=1)
"""How long an accounting that answers may still have to hear of a job."""

SETTLED_AFTER = timedelta(seconds=10)
"""Where jobs are hidden: when a run that ended would be known to go on, had it been requeued."""

SILENCE_BORNE = timedelta(days=1)
"""How much longer than any other is a monitor kept while Slurm does not answer."""

_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)

GONE = "Slurm no longer has the job, and does not say how it ended"

_ORDER = (
    Occasion.REQUEUED,
    Occasion.STARTED,
    Occasion.SUSPENDED,
    Occasion.TERMINAL,
    Occasion.VANISHED,
    Occasion.EXPIRED,
)
_WITH_THE_END = frozenset({Occasion.VANISHED, Occasion.EXPIRED})
"""What is told to those who wait for the end."""


class Voice(Enum):
    """What the accounting is."""

    SAID = auto()
    """It answered; a job that it left out it does not have."""
    SILENT = auto()
    """It was not asked, or did not answer."""
    NONE = auto()
    """The site has none."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What slurmctld lists; `is_whole`: what is not there it does not have."""

    jobs: JobsNow
    as_of: datetime
    is_whole: bool = True

    def is_torn_at(self, number: int) -> bool:
        """Whether a row that is not understood may be of this job."""
        return any(_may_be(row, number) for row in self.jobs.unreadable)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the accounting says of jobs by their numbers."""

    voice: Voice
    found: Mapping[int, Sequence[PastJob]] = field(default_factory=dict)
    is_whole: bool = True


SILENT = Memory(Voice.SILENT)


@dataclass(frozen=True, slots=True)
class Rules:
    """`forgotten_after`: how long a job is missing before it is given up without accounting."""

    max_age: timedelta
    forgotten_after: timedelta


def is_missing(monitor: Monitor, listing: Listing) -> bool:
    """Whether the accounting has to be asked of it."""
    if monitor.job is None:
        return False
    rows = _rows(monitor, monitor.job, listing)
    return not rows or bool(missing_tasks(monitor, rows))


def turn(
    monitor: Monitor, listing: Listing, memory: Memory, rules: Rules, now: datetime
) -> Turn | None:
    """Say what one look makes of a monitor; None: nothing is new."""
    glance = _glance(monitor, listing, memory)
    if monitor.job is None:
        found = None
    elif glance is None or glance.is_short:
        found = _missed(monitor, glance, _borne(monitor.job, listing, memory, rules), now)
    else:
        found = _seen(monitor, glance, now)
    seen = found.monitor if found else monitor
    is_looked_at = memory.voice is not Voice.SILENT or not is_missing(monitor, listing)
    if seen.stage is Stage.WATCHING and is_looked_at and now - monitor.made >= rules.max_age:
        return _expired(monitor, found, rules, now)
    return found


def overdue(monitor: Monitor, rules: Rules, now: datetime) -> Turn | None:
    """Say what long silence makes of a monitor: never more than that it is no longer watched."""
    if now - monitor.made < rules.max_age + SILENCE_BORNE:
        return None
    return _expired(monitor, None, rules, now)


def _rows(monitor: Monitor, job: JobId, listing: Listing) -> tuple[LiveJob, ...]:
    """Return the rows of the very job: of an array all of its tasks, else one."""
    rows = tuple(row for row in listing.jobs.find(job) if is_his(monitor, row))
    if is_array(monitor, (row.id for row in rows)):
        return tuple(row for row in rows if row.id.number == job.number)
    return tuple(row for row in rows if names(job, row.id, row.number))[:1]


def _recalled(monitor: Monitor, job: JobId, memory: Memory) -> tuple[PastJob, ...]:
    """Return what is past of the very job; of one never seen, the newest of its number."""
    his = [past for past in memory.found.get(job.number, ()) if was_his(monitor, past)]
    if is_array(monitor, (past.id for past in his)):
        newest = max(past.submitted for past in his) if his else None
        is_known = monitor.submitted is not None
        return tuple(past for past in his if is_known or past.submitted == newest)
    found = [past for past in his if names(job, past.id, past.last.number)]
    return (max(found, key=lambda past: past.position),) if found else ()


def _glance(monitor: Monitor, listing: Listing, memory: Memory) -> Glance | None:
    if monitor.job is None:
        return None
    rows = _rows(monitor, monitor.job, listing)
    past = _recalled(monitor, monitor.job, memory)
    if listing.is_torn_at(monitor.job.number):
        past = ()
    if not listing.is_whole:
        past = tuple(each for each in past if _is_settled(each, listing.as_of))
    if is_array(monitor, (*(row.id for row in rows), *(each.id for each in past))):
        return look_at_array(monitor, rows, past)
    if rows:
        return of_row(monitor, rows[0])
    return of_past(monitor, past[0]) if past else None


def _may_be(row: UnreadableJob, number: int) -> bool:
    found = _NUMBER.match(row.cells[0]) if row.cells else None
    return found is None or int(found[0]) == number


def _is_settled(past: PastJob, now: datetime) -> bool:
    return past.last.end is None or past.last.end + SETTLED_AFTER <= now


def _seen(monitor: Monitor, glance: Glance, now: datetime) -> Turn | None:
    after = replace(
        monitor,
        state=glance.state,
        submitted=glance.submitted,
        sight=glance.sight,
        stage=Stage.ENDED if glance.has_ended else Stage.WATCHING,
        missing_since=None,
    )
    return _turn(monitor, after, glance.happened, glance.facts, now)


def _borne(job: JobId, listing: Listing, memory: Memory, rules: Rules) -> timedelta | None:
    """How long a job may be missing before it is given up; None: silence says nothing of it."""
    is_whole = listing.is_whole and memory.is_whole and not listing.is_torn_at(job.number)
    if memory.voice is Voice.SILENT or not is_whole:
        return None
    return rules.forgotten_after if memory.voice is Voice.NONE else RECORDED_WITHIN


def _missed(
    monitor: Monitor, glance: Glance | None, borne: timedelta | None, now: datetime
) -> Turn | None:
    """Nobody shows that it goes on, nor how it ended: that is borne for a while, then said."""
    since = monitor.missing_since
    after = replace(monitor, missing_since=None if borne is None else since or now)
    if glance is not None:
        after = replace(after, state=glance.state, submitted=glance.submitted, sight=glance.sight)
    if borne is None or since is None or now - since < borne:
        happened = glance.happened if glance else frozenset()
        return _turn(monitor, after, happened, glance.facts if glance else None, now)
    after = replace(after, state=UNKNOWN, stage=Stage.GIVEN_UP)
    return _turn(monitor, after, frozenset({Occasion.VANISHED}), facts_of(after), now, GONE)


def _expired(monitor: Monitor, found: Turn | None, rules: Rules, now: datetime) -> Turn | None:
    """Say that it is no longer watched, after whatever else there is to say."""
    days = rules.max_age.total_seconds() / 86_400
    before = found.monitor if found else monitor
    after = replace(before, stage=Stage.EXPIRED)
    words = f"not seen to end within {days:g} days"
    expired = _turn(before, after, frozenset({Occasion.EXPIRED}), facts_of(after), now, words)
    if expired is None:
        return found
    transition = Transition(now, monitor.state, after.state, after.stage, words)
    letters = (*(found.letters if found else ()), *expired.letters)
    return Turn(expired.monitor, transition, letters)


def _turn(
    before: Monitor,
    after: Monitor,
    happened: frozenset[Occasion],
    facts: Facts | None,
    now: datetime,
    words: str = "",
) -> Turn | None:
    wanted = before.occasions
    if Occasion.TERMINAL in wanted:
        wanted |= _WITH_THE_END
    told = happened & wanted - before.told
    after = replace(after, told=before.told | told)
    if after == before:
        return None
    after = replace(after, updated=now)
    letters = tuple(_letters(after, facts, (each for each in _ORDER if each in told), now))
    is_new = (before.state, before.stage) != (after.state, after.stage)
    transition = Transition(now, before.state, after.state, after.stage, words) if is_new else None
    return Turn(after, transition, letters)


def _letters(
    monitor: Monitor, facts: Facts | None, told: Iterable[Occasion], now: datetime
) -> Iterator[Letter]:
    for event in told:
        for method, parameters in monitor.methods.items():
            yield Letter(
                message_id=f"{monitor.id}-{event}-{method}",
                monitor=monitor.id,
                owner=monitor.owner,
                event=event,
                method=method,
                parameters=parameters,
                made=now,
                next_try=now,
                facts=facts,
            )


def facts_of(monitor: Monitor) -> Facts:
    """Return what is known of a job that nobody shows any more."""
    sight = monitor.sight
    return Facts(
        cluster=monitor.cluster,
        job_id="" if monitor.job is None else str(monitor.job),
        name=sight.name if sight else "",
        user=monitor.user,
        state=monitor.state,
        submitted=monitor.submitted,
        started=sight.started if sight else None,
        nodes=sight.nodes if sight else "",
        uuid=monitor.uuid,
    )

"""Tell the allocations that still run from those that only the accounting thinks to run.

slurmctld knows the living. One that it has lost counts until the last moment at which a cycle saw
it there, so a fault of the accounting is nobody's bill; that moment is kept in `journal/`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waldur_slurm.agent.metering.sums import Sums, from_epoch, to_epoch
from waldur_slurm.agent.model.usage import OpenPart, Runaway
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.counting import counted
from waldur_slurm.model.jobs import QueuedJob, Run
from waldur_slurm.state import State, understood

NEVER = datetime.min.replace(tzinfo=UTC)

# A job may begin between the reading of the queue and that of the records.
YOUNG = timedelta(minutes=5)

# slurmctld sends a job's beginning within seconds, and keeps it while slurmdbd is down.
SETTLED = timedelta(hours=1)

_NAME = "journal/runs"


@dataclass(frozen=True, slots=True)
class Memory:
    """Who lived when a cycle last looked, and when those were last seen who are lost since."""

    looked: datetime = NEVER
    alive: frozenset[Run] = frozenset()
    lost: Mapping[Run, datetime] = field(default_factory=dict)

    def last_seen(self, run: Run) -> datetime:
        return self.looked if run in self.alive else self.lost.get(run, NEVER)


Living = Mapping[str, Run]
"""Jobs that slurmctld knows, by number: it has each number once."""


def living(queue: Iterable[QueuedJob]) -> Living:
    return {job.id: job.run for job in queue}


def is_among(run: Run, those: Living) -> bool:
    return run.id in those and run.continues(those[run.id])


def long_running(queue: Iterable[QueuedJob], now: datetime) -> Living:
    """Return those in the queue that run, and whose record must have arrived by now."""
    return living(job for job in queue if job.state == "RUNNING" and job.submitted < now - SETTLED)


def expect_some(running: Living, sums: Iterable[Sums]) -> None:
    """Raise where slurmctld runs jobs of which the accounting has not a single record."""
    if running and not any(is_among(run, running) for each in sums for run in each.seen):
        reason = f"of {counted(len(running), 'running job')} not one is in the job records"
        raise AccountingDown(("sacct",), 0, reason)


def find_lost(
    parts: Iterable[OpenPart], known: Living, memory: Memory, now: datetime
) -> Mapping[Run, datetime]:
    """Return the runs that are open in the accounting alone, with the moment of the last sight."""
    began: dict[Run, datetime] = {}
    for part in parts:
        began[part.run] = min(began.get(part.run, now), part.held.start)
    return {
        run: memory.last_seen(run)
        for run, start in began.items()
        if not is_among(run, known) and start < now - YOUNG
    }


def recall(state: State) -> Memory:
    document = state.read(_NAME)
    if not document:
        return Memory()
    with understood(_NAME):
        return Memory(
            from_epoch(document["looked"]),
            frozenset(Run(number, from_epoch(at)) for number, at in document["alive"]),
            {
                Run(number, from_epoch(at)): NEVER if seen is None else from_epoch(seen)
                for number, at, seen in document["lost"]
            },
        )


def remember(
    state: State, parts: Iterable[OpenPart], lost: Mapping[Run, datetime], now: datetime
) -> None:
    """Keep what the next cycle must know to judge those who are lost by then."""
    alive = {part.run for part in parts} - lost.keys()
    state.replace(
        _NAME,
        {
            "looked": to_epoch(now),
            "alive": sorted([run.id, to_epoch(run.submitted)] for run in alive),
            "lost": sorted(
                [run.id, to_epoch(run.submitted), None if seen == NEVER else to_epoch(seen)]
                for run, seen in lost.items()
            ),
        },
    )


def runaways(parts: Iterable[OpenPart], lost: Mapping[Run, datetime]) -> tuple[Runaway, ...]:
    found = {
        part.run: Runaway(
            part.run,
            part.account,
            part.user,
            None if lost[part.run] == NEVER else lost[part.run],
        )
        for part in parts
        if part.run in lost
    }
    return tuple(found[run] for run in sorted(found))

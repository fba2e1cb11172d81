"""Jobs in one state, as the third original shows them: sacct's columns, without steps. Pure."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from typing import Final

import msgspec

from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.web.seeds.restapi_words import Zone, iso
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastJob
from waldur_slurm.slurm.grammar.values import format_elapsed

ENDS: Final = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    }
)
STATES: Final = ENDS | {"COMPLETING", "CONFIGURING", "PENDING", "RUNNING", "STOPPED", "SUSPENDED"}
"""What may be asked for: Slurm's words, and in its spelling."""


class Row(msgspec.Struct, frozen=True):
    """All is text, as sacct prints it."""

    job_id: str
    job_name: str
    state: str
    user: str
    partition: str
    time: str
    start: str
    end: str
    elapsed: str


def live_row(job: LiveJob, zone: Zone = None) -> Row:
    """One that waits has not started, whatever Slurm expects; one that runs has not ended."""
    is_waiting, is_over = job.state.base == "PENDING", job.state.is_terminal
    return _row(
        str(job.id),
        job.name,
        job.state.base,
        job.user,
        job.partition,
        job.limit_s,
        None if is_waiting else job.start,
        job.end if is_over else None,
        job.elapsed_s,
        zone,
    )


def past_row(job: PastJob, zone: Zone = None) -> Row:
    run = job.last
    return _row(
        str(job.id),
        run.name,
        run.state.base,
        run.user,
        run.partition,
        run.limit_s,
        run.start,
        run.end,
        run.elapsed_s,
        zone,
    )


def monitored_row(monitor: Monitor, zone: Zone = None) -> Row:
    """A job as its monitor saw it last."""
    sight = monitor.sight
    return Row(
        job_id=str(monitor.job),
        job_name=sight.name if sight else "",
        state=monitor.state,
        user=monitor.user,
        partition="",
        time=_limit(sight.limit_s) if sight else "",
        start=iso(sight.started if sight else None, zone),
        end=iso(sight.ended if sight else None, zone),
        elapsed=format_elapsed(sight.elapsed_s or 0) if sight else "",
    )


def merged(live: Iterable[Row], past: Iterable[Row], monitored: Iterable[Row] = ()) -> list[Row]:
    """Each job once, by who knows most of it: slurmctld, the accounting, then a monitor."""
    found = {row.job_id: row for row in chain(monitored, past, live)}
    return list(found.values())


def _row(
    job_id: str,
    name: str,
    state: str,
    user: str,
    partition: str,
    limit_s: int | None,
    start: datetime | None,
    end: datetime | None,
    elapsed_s: int,
    zone: Zone,
) -> Row:
    return Row(
        job_id=job_id,
        job_name=name,
        state=state,
        user=user,
        partition=partition,
        time=_limit(limit_s),
        start=iso(start, zone),
        end=iso(end, zone),
        elapsed=format_elapsed(elapsed_s),
    )


def _limit(seconds: int | None) -> str:
    return "UNLIMITED" if seconds is None else format_elapsed(seconds)

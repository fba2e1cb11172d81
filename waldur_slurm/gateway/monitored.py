"""Monitors of the third original, taken over: those that ended as ended, the others watched on.

No letter is written of what happened before: the original has told of it, or never will.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from waldur_slurm.gateway.configs.mongodump import KeptMonitor
from waldur_slurm.gateway.doors.principals import is_user
from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.post.letter import Occasion
from waldur_slurm.gateway.tasks.names import Names
from waldur_slurm.gateway.tasks.notice import Notice, joined, notice_of
from waldur_slurm.gateway.tasks.task import Reading, parse_task
from waldur_slurm.gateway.watch.monitor import UNKNOWN, Monitor, Stage
from waldur_slurm.gateway.watch.port import Monitors
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import UserName

OWNER = "slurm-proxy"
"""No principal is called so: what is taken over is seen by whoever sees its user's jobs alone."""

_TOLD = {
    "RUNNING": frozenset({Occasion.STARTED}),
    "SUSPENDED": frozenset({Occasion.STARTED, Occasion.SUSPENDED}),
}


class Taken(NamedTuple):
    """How many were new, how many of those are watched on, and how many were there or skipped."""

    added: int
    watched: int
    there: int
    skipped: int


class Believed(NamedTuple):
    """What records are read with: `age` is for how long a job is watched at most."""

    cluster: str
    names: Names
    now: datetime
    age: timedelta


def take_over_monitors(
    monitors: Monitors, records: Iterable[KeptMonitor], believed: Believed
) -> Taken:
    """Take over what is not there yet; one of a user that nobody can be is skipped."""
    added = watched = there = skipped = 0
    for record in records:
        if not is_user(record.username):
            skipped += 1
            continue
        monitor = monitor_of(record, believed)
        if not monitors.add(monitor):
            there += 1
            continue
        added += 1
        watched += monitor.stage is Stage.WATCHING
    return Taken(added, watched, there, skipped)


def monitor_of(record: KeptMonitor, believed: Believed) -> Monitor:
    base = record.state.partition(" ")[0].partition("+")[0] or UNKNOWN
    notice = _notice(record, believed.names)
    stage = _stage(record, base, believed)
    updated = record.updated and record.updated.replace(microsecond=0)
    return Monitor(
        id=record.id,
        owner=OWNER,
        cluster=believed.cluster,
        user=UserName(record.username),
        made=record.made.replace(microsecond=0),
        updated=updated,
        job=JobId(record.job_id),
        state=base,
        stage=stage,
        methods=notice.methods if stage is Stage.WATCHING else {},
        occasions=notice.occasions,
        told=_TOLD.get(base, frozenset()),
        uuid=record.uuid,
        task=record.task,
    )


def _stage(record: KeptMonitor, base: str, believed: Believed) -> Stage:
    """The original took a suspended job for one that has ended."""
    if JobState(base).is_terminal:
        return Stage.ENDED
    if record.made + believed.age < believed.now:
        return Stage.EXPIRED
    return Stage.WATCHING


def _notice(record: KeptMonitor, names: Names) -> Notice:
    """Who is to be told; nobody, where a task says it in a way that is not understood."""
    try:
        spec = parse_task(record.task, Reading.ORIGINAL, is_lenient=True).spec
        canned = names.get(spec.name)
        return joined(canned.notice if canned else Notice(), notice_of(spec.notification))
    except (WrongAsk, ValueError):
        return Notice({}, frozenset({Occasion.TERMINAL}))

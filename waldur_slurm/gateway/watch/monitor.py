"""A monitor: somebody wants to be told what becomes of one job, wherever that came from. Pure.

A job is the one of its cluster, number, user and time of submission: numbers come again, and the
job that has one later is another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

UNKNOWN = "UNKNOWN"
"""The state of a job of which nobody has said anything yet, or does any more."""


class Stage(StrEnum):
    """How far a monitor is; what no longer watches does not begin again."""

    WATCHING = "watching"
    ENDED = "ended"
    EXPIRED = "expired"
    """Watched for as long as any may be; whether the job ended is not known."""
    GIVEN_UP = "given-up"
    """The job is gone, and nobody can say how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The job as it was seen last."""

    run: datetime
    """When its latest run was submitted: a requeued job is submitted anew, once more restarted."""
    restarts: int = 0
    name: str = ""
    exit_code: str | None = None
    elapsed_s: int | None = None
    limit_s: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    nodes: str = ""
    open_tasks: str | None = None
    """Of an array: the tasks that had not ended, as `0-3,7`; None of any other job."""
    ended_tasks: Mapping[str, str] = field(default_factory=dict)
    """Of an array: which tasks ended how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Times are in whole seconds. Without a `job` its submission is still under way."""

    id: str
    owner: str
    """The principal whose it is."""
    cluster: str
    user: UserName
    """Whose job it is; another user's job of the same number is not looked at."""
    made: datetime
    updated: datetime | None = None
    job: JobId | None = None
    submitted: datetime | None = None
    """When the job was handed in, once that is known: what tells it from others of its number."""
    state: str = UNKNOWN
    """Slurm's words as it was seen last."""
    stage: Stage = Stage.WATCHING
    methods: Mapping[Method, Mapping[str, str]] = field(default_factory=dict)
    occasions: frozenset[Occasion] = frozenset({Occasion.TERMINAL})
    told: frozenset[Occasion] = frozenset()
    """What there are letters of already."""
    missing_since: datetime | None = None
    """Since when neither slurmctld nor the accounting knows of the job; None: one of them does."""
    sight: Sight | None = None
    uuid: str = ""
    """What a task is known by; an owner has one monitor of it."""
    task: Mapping[str, Any] | None = None
    """The task as it was given."""


@dataclass(frozen=True, slots=True)
class UnreadableMonitor:
    """A record that is not understood; it is nobody else's trouble."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Transition:
    """What one look made of a monitor."""

    at: datetime
    before: str
    state: str
    stage: Stage
    words: str = ""
    """What there is to say beside the states."""

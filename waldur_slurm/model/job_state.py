"""The state of a job: Slurm's words kept as they are, and what may be concluded from them.

Slurm has a base state and flags beside it; some of its commands show all of them, some one word.
A word that is not known here stays a word: nothing is concluded from it, above all not an end.
"""

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """Where a job is on its way."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    FINISHED = "finished"
    UNKNOWN = "unknown"


class JobOutcome(Enum):
    """How a job ended."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "oom"
    NODE_FAIL = "node_fail"
    PREEMPTED = "preempted"
    DEADLINE = "deadline"
    BOOT_FAIL = "boot_fail"


_OUTCOMES = {
    "BOOT_FAIL": JobOutcome.BOOT_FAIL,
    "CANCELLED": JobOutcome.CANCELLED,
    "COMPLETED": JobOutcome.SUCCESS,
    "DEADLINE": JobOutcome.DEADLINE,
    "FAILED": JobOutcome.FAILED,
    "NODE_FAIL": JobOutcome.NODE_FAIL,
    "OUT_OF_MEMORY": JobOutcome.OUT_OF_MEMORY,
    "PREEMPTED": JobOutcome.PREEMPTED,
    "REVOKED": None,
    "TIMEOUT": JobOutcome.TIMEOUT,
}
"""Words that end a job. REVOKED: another cluster of a federation has it now; how it goes there
is not known here."""

_OPEN = {
    "PENDING": Phase.PENDING,
    "REQUEUED": Phase.PENDING,
    "REQUEUE_FED": Phase.PENDING,
    "REQUEUE_HOLD": Phase.PENDING,
    "RESV_DEL_HOLD": Phase.PENDING,
    "SPECIAL_EXIT": Phase.PENDING,
    "COMPLETING": Phase.RUNNING,
    "CONFIGURING": Phase.RUNNING,
    "RESIZING": Phase.RUNNING,
    "RUNNING": Phase.RUNNING,
    "SIGNALING": Phase.RUNNING,
    "STAGE_OUT": Phase.RUNNING,
    "STOPPED": Phase.SUSPENDED,
    "SUSPENDED": Phase.SUSPENDED,
}
"""Words of a job that has not ended, or that still holds what it was given. RUNNING in the wide
sense: nodes boot for it, or are being cleaned up after it."""

_SAY_NOTHING = frozenset({"LAUNCH_FAILED", "POWER_UP_NODE", "RECONFIG_FAIL", "UPDATE_DB"})
"""Flags that leave the state what it is."""


@dataclass(frozen=True, slots=True)
class JobState:
    """A base word, the flags beside it in their order, and who cancelled it where Slurm says so.

    Where Slurm shows one word only, that is the base, though it may be one of Slurm's flags.
    """

    base: str
    flags: tuple[str, ...] = ()
    by: int | None = None

    def __str__(self) -> str:
        """Return it as Slurm has it: `CANCELLED by 1000`."""
        words = "+".join((self.base, *self.flags))
        return words if self.by is None else f"{words} by {self.by}"

    @property
    def phase(self) -> Phase:
        """Where it is. A base that ends a job does so only if no word beside it holds it open."""
        if self.base not in _OUTCOMES:
            return _OPEN.get(self.base, Phase.UNKNOWN)
        more = [flag for flag in self.flags if flag not in _SAY_NOTHING | _OUTCOMES.keys()]
        return _OPEN.get(more[0], Phase.UNKNOWN) if more else Phase.FINISHED

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow: one that ended and is queued again has not ended."""
        return self.phase is Phase.FINISHED

    @property
    def outcome(self) -> JobOutcome | None:
        """How it ended; None while it has not, and where Slurm does not know."""
        return _OUTCOMES[self.base] if self.is_terminal else None

"""Slurm's state of a job as a phase that a person reads, with a reason in one word. Pure.

What Slurm says stands beside it unchanged. A word that is not known here ends nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from waldur_slurm.model.job_state import JobOutcome, Phase
from waldur_slurm.operator.jobs.port import SeenJob, TaskCounts


class JobPhase(StrEnum):
    """Where a SlurmJob is. Pending: not in Slurm yet; Submitted: waits there."""

    PENDING = "Pending"
    SUBMITTED = "Submitted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    UNKNOWN = "Unknown"

    @property
    def is_over(self) -> bool:
        return self in (JobPhase.SUCCEEDED, JobPhase.FAILED, JobPhase.CANCELLED)

    @property
    def of_pods(self) -> str:
        """Return the word that older versions had for it: a pod's."""
        match self:
            case JobPhase.SUBMITTED:
                return "Pending"
            case JobPhase.CANCELLED:
                return "Failed"
            case _:
                return self.value


@dataclass(frozen=True, slots=True)
class Standing:
    """A phase, and why it is that: ours where it is ours to say, or Slurm's own."""

    phase: JobPhase
    reason: str = ""


_ENDS = {
    JobOutcome.SUCCESS: Standing(JobPhase.SUCCEEDED),
    JobOutcome.FAILED: Standing(JobPhase.FAILED, "ExitCode"),
    JobOutcome.CANCELLED: Standing(JobPhase.CANCELLED, "Cancelled"),
    JobOutcome.TIMEOUT: Standing(JobPhase.FAILED, "Timeout"),
    JobOutcome.OUT_OF_MEMORY: Standing(JobPhase.FAILED, "OutOfMemory"),
    JobOutcome.NODE_FAIL: Standing(JobPhase.FAILED, "NodeFailed"),
    JobOutcome.PREEMPTED: Standing(JobPhase.FAILED, "Preempted"),
    JobOutcome.DEADLINE: Standing(JobPhase.FAILED, "Deadline"),
    JobOutcome.BOOT_FAIL: Standing(JobPhase.FAILED, "BootFailed"),
}

_HELD_WORDS = frozenset({"REQUEUE_HOLD", "SPECIAL_EXIT"})
_HELD_REASONS = frozenset(
    {"JobHeldUser", "job requeued in held state", "job_requeued_in_held_state"}
)
"""The last two are one: squeue has it with blanks, scontrol without."""
_NO_REASON = frozenset({"", "None"})


def standing_of(seen: SeenJob) -> Standing:
    if seen.tasks:
        return _standing_of_tasks(seen, seen.tasks)
    if seen.state.is_terminal:
        outcome = seen.state.outcome
        return _ENDS[outcome] if outcome else Standing(JobPhase.UNKNOWN, "Revoked")
    match seen.state.phase:
        case Phase.PENDING:
            return Standing(JobPhase.SUBMITTED, _told(seen.reason))
        case Phase.RUNNING:
            return Standing(JobPhase.RUNNING)
        case Phase.SUSPENDED:
            return Standing(JobPhase.RUNNING, "Suspended")
        case _:
            return Standing(JobPhase.UNKNOWN, "UnknownState")


def is_over(seen: SeenJob) -> bool:
    """Whether nothing can follow, here at least: one that was revoked lives on elsewhere."""
    return standing_of(seen).phase.is_over or (seen.state.is_terminal and not seen.tasks)


def is_held(seen: SeenJob) -> bool:
    """Whether its own user, or we as him, keep it from starting; an administrator's hold is his."""
    words = {seen.state.base, *seen.state.flags}
    waits = seen.state.phase is Phase.PENDING
    return waits and bool(words & _HELD_WORDS or seen.reason in _HELD_REASONS)


def _standing_of_tasks(seen: SeenJob, tasks: TaskCounts) -> Standing:
    ended = tasks.succeeded + tasks.failed
    if ended < tasks.total:
        has_begun = tasks.running or ended
        reason = _told(seen.reason)
        return Standing(JobPhase.RUNNING) if has_begun else Standing(JobPhase.SUBMITTED, reason)
    if seen.state.outcome is JobOutcome.CANCELLED:
        return _ENDS[JobOutcome.CANCELLED]
    return (
        Standing(JobPhase.FAILED, "TasksFailed") if tasks.failed else Standing(JobPhase.SUCCEEDED)
    )


def _told(reason: str) -> str:
    return "" if reason in _NO_REASON else reason

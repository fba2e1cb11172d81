"""Every state of Slurm's is a phase, and nothing ends that Slurm does not say has ended."""

from datetime import UTC, datetime

import pytest

from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.phases import JobPhase, is_held, is_over, standing_of
from waldur_slurm.operator.jobs.port import JobRef, SeenJob, TaskCounts

REF = JobRef("1", datetime(2026, 11, 30, tzinfo=UTC), "m", "ann")


def seen(base: str, *flags: str, reason: str = "None", tasks: TaskCounts | None = None) -> SeenJob:
    return SeenJob(REF, JobState(base, flags), reason, tasks=tasks)


@pytest.mark.parametrize(
    ("state", "phase", "reason", "of_pods"),
    [
        ("PENDING", "Submitted", "Resources", "Pending"),
        ("CONFIGURING", "Running", "", "Running"),
        ("RUNNING", "Running", "", "Running"),
        ("COMPLETING", "Running", "", "Running"),
        ("STAGE_OUT", "Running", "", "Running"),
        ("SUSPENDED", "Running", "Suspended", "Running"),
        ("STOPPED", "Running", "Suspended", "Running"),
        ("REQUEUED", "Submitted", "Resources", "Pending"),
        ("REQUEUE_HOLD", "Submitted", "Resources", "Pending"),
        ("SPECIAL_EXIT", "Submitted", "Resources", "Pending"),
        ("COMPLETED", "Succeeded", "", "Succeeded"),
        ("FAILED", "Failed", "ExitCode", "Failed"),
        ("CANCELLED", "Cancelled", "Cancelled", "Failed"),
        ("TIMEOUT", "Failed", "Timeout", "Failed"),
        ("OUT_OF_MEMORY", "Failed", "OutOfMemory", "Failed"),
        ("NODE_FAIL", "Failed", "NodeFailed", "Failed"),
        ("PREEMPTED", "Failed", "Preempted", "Failed"),
        ("DEADLINE", "Failed", "Deadline", "Failed"),
        ("BOOT_FAIL", "Failed", "BootFailed", "Failed"),
        ("REVOKED", "Unknown", "Revoked", "Unknown"),
        ("WAS_NOT_THERE_IN_2026", "Unknown", "UnknownState", "Unknown"),
    ],
)
def test_each_state_has_its_phase(state: str, phase: str, reason: str, of_pods: str) -> None:
    standing = standing_of(seen(state, reason="Resources"))

    assert (standing.phase.value, standing.reason) == (phase, reason)
    assert standing.phase.of_pods == of_pods


def test_who_was_cancelled_by_somebody_is_cancelled() -> None:
    by_a_user = SeenJob(REF, JobState("CANCELLED", by=1000))

    assert standing_of(by_a_user).phase is JobPhase.CANCELLED
    assert str(by_a_user.state) == "CANCELLED by 1000"


@pytest.mark.parametrize("flag", ["COMPLETING", "REQUEUED", "REQUEUE_HOLD"])
def test_one_that_ended_and_goes_on_has_not_ended(flag: str) -> None:
    assert not is_over(seen("FAILED", flag))


@pytest.mark.parametrize(
    ("base", "reason", "held"),
    [
        ("PENDING", "JobHeldUser", True),
        ("PENDING", "JobHeldAdmin", False),
        ("PENDING", "Priority", False),
        ("REQUEUE_HOLD", "None", True),
        ("RUNNING", "JobHeldUser", False),
    ],
)
def test_only_what_its_user_holds_is_held(base: str, reason: str, held: bool) -> None:
    assert is_held(seen(base, reason=reason)) is held


@pytest.mark.parametrize(
    ("counts", "state", "phase"),
    [
        ((4, 4, 0, 0, 0), "PENDING", JobPhase.SUBMITTED),
        ((4, 3, 0, 1, 0), "PENDING", JobPhase.RUNNING),
        ((4, 0, 1, 2, 1), "RUNNING", JobPhase.RUNNING),
        ((4, 0, 0, 4, 0), "COMPLETED", JobPhase.SUCCEEDED),
        ((4, 0, 0, 3, 1), "FAILED", JobPhase.FAILED),
        ((4, 0, 0, 1, 3), "CANCELLED", JobPhase.CANCELLED),
        ((4, 1, 0, 2, 1), "COMPLETED", JobPhase.RUNNING),
    ],
)
def test_an_array_is_where_its_tasks_are(
    counts: tuple[int, int, int, int, int], state: str, phase: JobPhase
) -> None:
    array = seen(state, tasks=TaskCounts(*counts))

    assert standing_of(array).phase is phase
    assert is_over(array) is phase.is_over

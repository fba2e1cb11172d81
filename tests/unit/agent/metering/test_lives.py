"""Who lives, who is lost, and when the accounting has to be taken for down."""

from datetime import UTC, datetime, timedelta

from waldur_slurm.agent.metering.lives import SETTLED, long_running
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def queued(number: str, age: timedelta, state: str = "RUNNING") -> QueuedJob:
    return QueuedJob(
        id=number,
        account=AccountName("a"),
        user=UserName("ann"),
        state=state,
        submitted=NOW - age,
    )


def test_a_young_job_without_a_record_yet_stops_nothing() -> None:
    minute = timedelta(minutes=1)
    queue = [
        queued("1", minute),
        queued("2", SETTLED),
        queued("3", SETTLED + minute),
        queued("4", SETTLED + minute, "PENDING"),
    ]

    assert set(long_running(queue, NOW)) == {"3"}

"""slurm-controller's wire: jobs in sacct's words, with the keys that its clients know. Pure.

Clients compare a state with COMPLETED, FAILED and CANCELLED, so it is told without what sacct adds
to it, such as `by 1000`.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastJob

NEVER: Final = "0001-01-01T00:00:00Z"
"""What has not begun, or not ended."""


class AccountView(msgspec.Struct, frozen=True):
    """A job, or a part of one."""

    id: str
    name: str
    started_at: str
    finished_at: str
    exit_code: int
    state: str
    comment: str


def live_view(job: LiveJob) -> AccountView:
    """One that waits has not started, whatever Slurm expects; one that runs has not ended."""
    is_waiting, is_over = job.state.base == "PENDING", job.state.is_terminal
    return AccountView(
        id=str(job.id),
        name=job.name,
        started_at=moment(None if is_waiting else job.start),
        finished_at=moment(job.end if is_over else None),
        exit_code=job.exit.code,
        state=job.state.base,
        comment=job.comment,
    )


def past_view(job: PastJob) -> AccountView:
    run = job.last
    return AccountView(
        id=str(run.id),
        name=run.name,
        started_at=moment(run.start),
        finished_at=moment(run.end),
        exit_code=run.exit.code,
        state=run.state.base,
        comment=run.comment,
    )


def moment(at: datetime | None) -> str:
    return NEVER if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

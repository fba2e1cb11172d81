"""Monitors to try things with."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
MAIL = {Method.EMAIL: {"recipient": "ann@example.org"}}


def monitor(monitor_id: str = "m", job: int | JobId | None = 1, **changes: Any) -> Monitor:
    made = Monitor(
        id=monitor_id,
        owner="token:portal",
        cluster="lab",
        user=UserName("ann"),
        made=NOW,
        job=JobId(job) if isinstance(job, int) else job,
        methods=MAIL,
    )
    return replace(made, **changes)

"""Letters to try things with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.letter import Facts, Letter, Method, Occasion

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)

FACTS = Facts(
    cluster="lab",
    job_id="4711",
    name="fit",
    user="ann",
    state="COMPLETED",
    exit_code="0:0",
    elapsed_s=3723,
    submitted=NOW - timedelta(hours=2),
    started=NOW - timedelta(seconds=3723),
    ended=NOW,
    nodes="n[1-2]",
    efficiency=Efficiency(cpu=0.42, time=0.5),
)


def letter(message_id: str = "one", **changes: Any) -> Letter:
    made = Letter(
        message_id=message_id,
        monitor=f"monitor-of-{message_id}",
        event=Occasion.TERMINAL,
        method=Method.EMAIL,
        parameters={"recipient": "ann@example.org"},
        made=NOW,
        next_try=NOW,
        facts=FACTS,
    )
    return replace(made, **changes)

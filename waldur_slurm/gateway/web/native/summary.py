"""History added up: how many jobs, what they held, how long they waited."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.past.summary import GROUPS, Key, Sum, summarize
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.history import (
    HistoryQuery,
    asked,
    may_see_nothing,
    past_query,
)
from waldur_slurm.model.past import PastJob, UnreadablePast

_AN_HOUR_S = 3600


class SummaryQuery(HistoryQuery, frozen=True):
    """As the history is asked for. `group_by`: user, account, partition, day, some by commas."""

    group_by: str = "user"


class SummaryRow(msgspec.Struct, frozen=True):
    """What is not grouped by is null. `failed`: ended in any other way than well."""

    user: str | None
    account: str | None
    partition: str | None
    day: str | None
    jobs: int
    failed: int
    runs: int
    cpu_hours: float
    gpu_hours: float
    mean_wait_s: float | None


class SummaryAnswer(msgspec.Struct, frozen=True):
    """`unreadable`: records that are not understood, and not in any sum."""

    cluster: str
    since: datetime
    until: datetime
    unreadable: int
    groups: tuple[SummaryRow, ...]


async def show_summary(ask: Ask) -> Response:
    query, compared = ask.compared_query(SummaryQuery)
    by = [name for name in query.group_by.split(",") if name]
    if not by or set(by) - GROUPS.keys():
        raise WrongAsk(f"group_by: expected some of {', '.join(GROUPS)}, separated by commas")
    wanted = past_query(ask, query, compared)
    unreadable: list[UnreadablePast] = []

    def jobs() -> Iterator[PastJob]:
        for each in ask.cluster.history.read_jobs(wanted):
            if isinstance(each, PastJob):
                yield each
            else:
                unreadable.append(each)

    sums: Mapping[Key, Sum] = {}
    if not may_see_nothing(ask, wanted):
        sums = await asked(ask, lambda: summarize(jobs(), by, datetime.now(UTC)))
    answer = SummaryAnswer(
        cluster=ask.cluster.name,
        since=wanted.since,
        until=wanted.until,
        unreadable=len(unreadable) if ask.principal.sees_all else 0,
        groups=tuple(_row(dict(zip(by, key, strict=True)), each) for key, each in sums.items()),
    )
    return Response(msgspec.json.encode(answer), media_type=JSON)


def _row(named: dict[str, str], each: Sum) -> SummaryRow:
    return SummaryRow(
        user=named.get("user"),
        account=named.get("account"),
        partition=named.get("partition"),
        day=named.get("day"),
        jobs=each.jobs,
        failed=each.failed,
        runs=each.runs,
        cpu_hours=each.cpu_seconds / _AN_HOUR_S,
        gpu_hours=each.gpu_seconds / _AN_HOUR_S,
        mean_wait_s=each.mean_wait_s,
    )

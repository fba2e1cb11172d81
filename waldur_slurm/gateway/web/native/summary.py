"""History added up: how many jobs, what they held, how long they waited."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, NamedTuple

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.past.summary import GROUPS, Key, Sum, summarize
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import Compared
from waldur_slurm.gateway.web.native.history import (
    HistoryFilter,
    asked,
    may_see_nothing,
    past_query,
)
from waldur_slurm.gateway.web.native.spelling import some_of
from waldur_slurm.model.past import PastJob, PastQuery, UnreadablePast
from waldur_slurm.slurm.past.port import History

_AN_HOUR_S = 3600
MOST_MEASURED = 1000
"""Jobs whose steps are read for one answer."""


class SummaryQuery(HistoryFilter, frozen=True):
    """As the history is asked for. `group_by`: user, account, partition, day, some by commas."""

    group_by: Annotated[str, some_of(GROUPS, "what is added up together", least=1)] = "user"
    efficiency: bool = False
    """Costs the accounting a query a job, so it is told of so many only."""


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
    cpu_efficiency: float | None
    """What was used of the processor time that was held; null where it was not asked for."""


class SummaryAnswer(msgspec.Struct, frozen=True):
    """`unreadable`: records that are not understood, and not in any sum."""

    cluster: str
    since: datetime
    until: datetime
    unreadable: int
    groups: tuple[SummaryRow, ...]


class Sums(NamedTuple):
    of: Mapping[Key, Sum]
    unreadable: int


async def show_summary(ask: Ask) -> Response:
    query, compared = ask.compared_query(SummaryQuery)
    answer = await find_summary(ask, query, compared)
    return Response(msgspec.json.encode(answer), media_type=JSON)


async def find_summary(
    ask: Ask, query: SummaryQuery, compared: Collection[Compared]
) -> SummaryAnswer:
    """Add up; equal questions that are asked together are read once."""
    by = [name for name in query.group_by.split(",") if name]
    if not by or set(by) - GROUPS.keys():
        raise WrongAsk(f"group_by: expected some of {', '.join(GROUPS)}, separated by commas")
    wanted = past_query(ask, query, compared)

    def written(sums: Sums) -> SummaryAnswer:
        return SummaryAnswer(
            cluster=ask.cluster.name,
            since=wanted.since,
            until=wanted.until,
            unreadable=sums.unreadable if ask.principal.sees_all else 0,
            groups=tuple(
                _row(dict(zip(by, key, strict=True)), sum_) for key, sum_ in sums.of.items()
            ),
        )

    def read() -> SummaryAnswer:
        return written(_add_up(ask.cluster.history, wanted, by, is_measured=query.efficiency))

    if may_see_nothing(ask, wanted):
        return written(Sums({}, 0))
    return await asked(ask, read, f"summary {query} {compared} {ask.principal.visibility}")


def _add_up(history: History, wanted: PastQuery, by: Sequence[str], *, is_measured: bool) -> Sums:
    """Ask the accounting for all that is wanted; blocks."""
    unreadable: list[UnreadablePast] = []

    def jobs() -> Iterator[PastJob]:
        for each in history.read_jobs(wanted):
            if isinstance(each, PastJob):
                yield each
            else:
                unreadable.append(each)

    now = datetime.now(UTC)
    if not is_measured:
        return Sums(summarize(jobs(), by, now), len(unreadable))
    known = tuple(islice(jobs(), MOST_MEASURED + 1))
    if len(known) > MOST_MEASURED:
        raise WrongAsk(f"efficiency: of {MOST_MEASURED:,} jobs at most; narrow what you ask")
    ended = [job.id for job in known if job.last.state.is_terminal]
    steps = history.read_steps(ended, wanted.since) if ended else {}
    return Sums(summarize(known, by, now, steps), len(unreadable))


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
        cpu_efficiency=each.cpu_efficiency,
    )

"""The queue: filtered, sorted and cut into pages here, so that fifty thousand jobs are as quick."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.wanted import SORTS, JobsWanted, in_order, select
from waldur_slurm.gateway.web.answers import in_slices
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import ids_in, names_in, patterns_among, sort_of
from waldur_slurm.gateway.web.native.views import job_view
from waldur_slurm.gateway.web.pages.rendering import attached, changed, link_with, page, shown
from waldur_slurm.gateway.web.pages.words import exact, in_a_cell
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.model.live import LiveJob

STATES = (
    "PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "COMPLETED", "CANCELLED",
    "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED",
)  # fmt: skip
MOST_CHOICES = 500
_BY_DEFAULT = "-job_id"


class QueueQuery(msgspec.Struct, frozen=True):
    """The page's address. `whose`: nothing is one's own jobs, where there are such people."""

    whose: Literal["", "mine", "all"] = ""
    state: str = ""
    user: str = ""
    account: str = ""
    partition: str = ""
    qos: str = ""
    name: str = ""
    node: str = ""
    job_id: str = ""
    reservation: str = ""
    sort: str = _BY_DEFAULT
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    job: str = ""
    """The one whose drawer is open; a script opens it."""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of jobs; `states` counts those that fit all but the filter of states."""

    jobs: tuple[JobView, ...]
    total: int
    pages: int
    states: tuple[tuple[str, int], ...]
    partitions: tuple[str, ...]
    accounts: tuple[str, ...]


@page
async def show_queue(ask: Ask) -> Response:
    query = ask.query(QueueQuery)
    sort, is_downward = sort_of(query.sort, SORTS)
    owners, whose = _owners(ask, query)
    wanted = _wanted(query)
    seen = await ask.see(ask.cluster.jobs)
    picture, name = seen.picture, ask.cluster.name

    def cut() -> QueuePage:
        return _page_of(picture.value, wanted, owners, query, name, picture.as_of)

    found = await ask.site.crossing.bodies.run(cut)
    return await shown(
        ask,
        "queue.html",
        title="Queue",
        query=query,
        found=found,
        whose=whose,
        sort=sort,
        is_downward=is_downward,
        link=link_with(changed(query, "job")),
        age_s=seen.age_s,
        silence=seen.silence,
        unreadable=len(picture.value.unreadable) if ask.principal.sees_all else 0,
        sees_all=ask.principal.sees_all,
        has_own=bool(ask.principal.own_users),
        known_states=STATES,
    )


@page
async def send_queue(ask: Ask) -> Response:
    """Send all that fits as CSV, not the page alone."""
    query = ask.query(QueueQuery)
    sort, is_downward = sort_of(query.sort, SORTS)
    owners, _ = _owners(ask, query)
    wanted = _wanted(query)
    seen = await ask.see(ask.cluster.jobs)

    def make() -> bytes:
        jobs = select(seen.picture.value, wanted, owners)
        return as_csv(in_order(jobs, sort, downward=is_downward))

    body = await ask.site.crossing.bodies.run(make)
    return in_slices(body, attached("queue.csv"), "text/csv; charset=utf-8")


def _owners(ask: Ask, query: QueueQuery) -> tuple[frozenset[str] | None, str]:
    """Whose jobs are shown, None for everybody's; never more than he may see."""
    who = ask.principal
    if not who.sees_all:
        return frozenset(who.own_users), "mine"
    is_mine = query.whose == "mine" or (query.whose == "" and bool(who.own_users))
    return (frozenset(who.own_users), "mine") if is_mine else (None, "all")


def _wanted(query: QueueQuery) -> JobsWanted:
    return JobsWanted(
        users=names_in(query.user),
        accounts=names_in(query.account),
        partitions=names_in(query.partition),
        qos=names_in(query.qos),
        reservations=names_in(query.reservation),
        nodes=names_in(query.node),
        patterns=patterns_among({_pattern(name) for name in names_in(query.name)}),
        ids=ids_in(query.job_id),
    )


def _pattern(name: str) -> str:
    """Find a part of a name, unless somebody says with `*` which part he means."""
    return name if "*" in name or "?" in name else f"*{name}*"


def _page_of(
    jobs: JobsNow,
    wanted: JobsWanted,
    owners: frozenset[str] | None,
    query: QueueQuery,
    cluster: str,
    as_of: datetime,
) -> QueuePage:
    sort, is_downward = sort_of(query.sort, SORTS)
    fitting = select(jobs, wanted, owners)
    states = names_in(query.state.upper())
    of_states = [job for job in fitting if not states or job.state.base in states]
    ordered = in_order(of_states, sort, downward=is_downward)
    begin = (query.page - 1) * query.limit
    visible = [job for job in jobs.jobs if owners is None or job.user in owners]
    return QueuePage(
        jobs=tuple(job_view(job, cluster, as_of) for job in ordered[begin : begin + query.limit]),
        total=len(ordered),
        pages=max(-(-len(ordered) // query.limit), 1),
        states=tuple(Counter(job.state.base for job in fitting).most_common()),
        partitions=_choices(visible, lambda job: job.partition),
        accounts=_choices(visible, lambda job: job.account),
    )


def _choices(jobs: Sequence[LiveJob], of: Callable[[LiveJob], str]) -> tuple[str, ...]:
    """Return what may be filtered by; a job that waits may name several."""
    found = {each for text in {of(job) for job in jobs} for each in text.split(",") if each}
    return tuple(sorted(found)[:MOST_CHOICES])


_COLUMNS: dict[str, Callable[[LiveJob], object]] = {
    "job_id": lambda job: str(job.id),
    "name": lambda job: job.name,
    "user": lambda job: job.user,
    "account": lambda job: job.account,
    "partition": lambda job: job.partition,
    "qos": lambda job: job.qos,
    "state": lambda job: str(job.state),
    "reason": lambda job: job.reason,
    "nodes": lambda job: job.node_count,
    "cpus": lambda job: job.cpus,
    "hosts": lambda job: job.hosts,
    "submit": lambda job: exact(job.submitted),
    "start": lambda job: exact(job.start) if job.start else "",
    "elapsed_s": lambda job: job.elapsed_s,
    "limit_s": lambda job: "" if job.limit_s is None else job.limit_s,
    "priority": lambda job: job.priority,
}


def as_csv(jobs: Sequence[LiveJob]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([in_a_cell(cell(job)) for cell in _COLUMNS.values()] for job in jobs)
    return text.getvalue().encode("utf-8", "replace")

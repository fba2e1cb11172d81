"""Jobs of the accounting: page by page, or streamed as CSV or as a JSON object a line."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.responses import Response, StreamingResponse

from waldur_slurm.errors import ExpectedError, InvalidName
from waldur_slurm.gateway.errors import GatewayError, NotNow, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cursors import read_cursor, write_cursor
from waldur_slurm.gateway.web.native.filters import (
    Compared,
    ids_in,
    names_in,
    read_moment,
    read_number,
    read_time,
)
from waldur_slurm.gateway.web.native.past_views import past_job_view
from waldur_slurm.gateway.web.native.spelling import Accounts, Cursor, JobIds, Since, Until, Users
from waldur_slurm.gateway.web.stream import begun, in_pieces
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.gateway.wire_cluster import HistoryAnswer
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import Page, PastJob, PastQuery, PastStep, Position

T = TypeVar("T")

LOOKED_BACK = timedelta(days=7)
"""Where nobody says since when."""

CSV = "text/csv"
NDJSON = "application/x-ndjson"

_COLUMNS: dict[str, Callable[[JobView], object]] = {
    "job_id": lambda job: job.job_id,
    "user": lambda job: job.user,
    "account": lambda job: job.account,
    "partition": lambda job: job.partition,
    "qos": lambda job: job.qos,
    "state": lambda job: job.state.raw,
    "outcome": lambda job: job.outcome,
    "exit_code": lambda job: job.exit and job.exit.code,
    "signal": lambda job: job.exit and job.exit.signal,
    "submit": lambda job: _written(job.times.submit),
    "start": lambda job: _written(job.times.start),
    "end": lambda job: _written(job.times.end),
    "elapsed_s": lambda job: job.times.elapsed_s,
    "wait_s": lambda job: job.times.wait_s,
    "nodes": lambda job: job.resources.nodes,
    "cpus": lambda job: job.resources.cpus,
    "mem_mb": lambda job: job.resources.mem_mb,
    "gpus": lambda job: job.resources.gpus,
    "hosts": lambda job: job.nodes,
    "name": lambda job: job.name,
}


class HistoryFilter(msgspec.Struct, frozen=True):
    """Jobs that waited, ran or ended between `since` and `until`; the last week by default."""

    since: Since = ""
    until: Until = ""
    user: Users = ""
    account: Accounts = ""
    partition: str = ""
    state: str = ""
    qos: str = ""
    name: str = ""
    job_id: JobIds = ""


class HistoryQuery(HistoryFilter, frozen=True):
    """A page of them."""

    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    efficiency: bool = False
    """Of a page: costs the accounting a query a job."""


COMPARED: Mapping[str, type] = {"job_id": int}


async def list_history(ask: Ask) -> Response:
    query, compared = ask.compared_query(HistoryQuery)
    wanted = past_query(ask, query, compared)
    accepts = ask.request.headers.get("accept", "")
    if CSV in accepts:
        return await _streamed(ask, wanted, CSV, _as_csv, _line_of(list(_COLUMNS)))
    if NDJSON in accepts:
        return await _streamed(ask, wanted, NDJSON, _as_lines, b"")
    page = await find_page(ask, query, compared, wanted)
    return Response(msgspec.json.encode(page), media_type=JSON)


def past_query(ask: Ask, query: HistoryFilter, compared: Collection[Compared]) -> PastQuery:
    """Ask for no more than whoever asks may see."""
    now = datetime.now(UTC)
    until = min(read_time(query.until), now) if query.until else now
    since = read_time(query.since) if query.since else until - LOOKED_BACK
    if since >= until:
        raise WrongAsk("since: expected a time before `until`, which is now at the latest")
    mine, users = ask.principal.sees_only, names_in(query.user)
    if mine is not None:
        users = users & frozenset(mine) if users else frozenset(mine)
    first, last = _numbers(compared)
    return PastQuery(
        since=since,
        until=until,
        users=frozenset(map(UserName, users)),
        accounts=frozenset(map(AccountName, names_in(query.account))),
        partitions=names_in(query.partition),
        qos=names_in(query.qos),
        states=frozenset(word.upper() for word in names_in(query.state)),
        names=names_in(query.name),
        ids=ids_in(query.job_id),
        first=first,
        last=last,
    )


def may_see_nothing(ask: Ask, wanted: PastQuery) -> bool:
    """Whether nobody's jobs are left to ask for: no users at all would mean everybody's."""
    return not ask.principal.sees_all and not wanted.users


def _numbers(compared: Collection[Compared]) -> tuple[int | None, int | None]:
    """The lowest and the highest number that all comparisons of `job_id` leave."""
    first: int | None = None
    last: int | None = None
    for each in compared:
        if each.name != "job_id":
            raise WrongAsk(f"{each.name} cannot be compared; there is job_id")
        number = read_number(each.text)
        if each.comparison in ("eq", "gte", "gt"):
            least = number + (each.comparison == "gt")
            first = least if first is None else max(first, least)
        if each.comparison in ("eq", "lte", "lt"):
            most = number - (each.comparison == "lt")
            last = most if last is None else min(last, most)
    return first, last


async def find_page(
    ask: Ask, query: HistoryQuery, compared: Collection[Compared], wanted: PastQuery
) -> HistoryAnswer:
    """Return a page; equal ones that are asked for together are read once."""
    whole = msgspec.structs.replace(query, cursor="")
    about = f"{whole} {compared} {ask.principal.visibility}"
    after = _position(ask, about, query.cursor) if query.cursor else None

    def read() -> HistoryAnswer:
        page = ask.cluster.history.read_page(wanted, limit=query.limit, after=after)
        steps = _steps(ask, page, wanted.since) if query.efficiency else None
        return written(page, steps)

    def written(page: Page, steps: Mapping[JobId, tuple[PastStep, ...]] | None) -> HistoryAnswer:
        return HistoryAnswer(
            cluster=ask.cluster.name,
            since=wanted.since,
            until=wanted.until,
            unreadable=len(page.unreadable) if ask.principal.sees_all else 0,
            next=page.after and write_cursor(ask.site.mark, about, page.after),
            jobs=tuple(
                past_job_view(
                    job, ask.cluster.name, None if steps is None else steps.get(job.id, ())
                )
                for job in page.jobs
            ),
        )

    if may_see_nothing(ask, wanted):
        return written(Page((), None), None)
    return await asked(ask, read, f"page {about} {query.cursor}")


def _steps(ask: Ask, page: Page, since: datetime) -> Mapping[JobId, tuple[PastStep, ...]]:
    ids = [job.id for job in page.jobs if job.last.state.is_terminal]
    return ask.cluster.history.read_steps(ids, since) if ids else {}


def _position(ask: Ask, about: str, cursor: str) -> Position:
    submitted, number, name = read_cursor(ask.site.mark, about, cursor)
    return Position(read_moment(submitted), number, name)


@contextmanager
def silence_is_not_now() -> Iterator[None]:
    """That the accounting is silent is "not now", never "no jobs"."""
    try:
        yield
    except GatewayError:
        raise
    except InvalidName as error:
        raise WrongAsk(str(error)) from None
    except ExpectedError as error:
        raise NotNow(f"the accounting does not answer: {error}") from None


async def asked(ask: Ask, read: Callable[[], T], same: str) -> T:
    """Ask once for all who ask the same meanwhile, and wait for so long only."""
    with silence_is_not_now():
        return await ask.site.questions.ask(read, f"{ask.cluster.name} {same}")


async def _streamed(
    ask: Ask,
    wanted: PastQuery,
    media_type: str,
    write: Callable[[list[JobView]], bytes],
    head: bytes,
) -> Response:
    """What breaks off is cut off, so that no client takes a part for the whole."""
    pieces = in_pieces(ask.site.questions.ask, lambda: views_of(ask, wanted), write)
    with silence_is_not_now():
        body = await begun(pieces, head)
    return StreamingResponse(body, media_type=media_type)


def views_of(ask: Ask, wanted: PastQuery) -> Iterator[JobView]:
    if may_see_nothing(ask, wanted):
        return
    for job in ask.cluster.history.read_jobs(wanted):
        if isinstance(job, PastJob):
            yield past_job_view(job, ask.cluster.name)


def _as_lines(jobs: list[JobView]) -> bytes:
    return b"".join(msgspec.json.encode(job) + b"\n" for job in jobs)


def _as_csv(jobs: list[JobView]) -> bytes:
    return b"".join(_line_of(csv_cells(job)) for job in jobs)


def csv_cells(job: JobView | None = None) -> list[object]:
    """Return a job's row; without one the headings."""
    return list(_COLUMNS) if job is None else [cell(job) for cell in _COLUMNS.values()]


def _line_of(cells: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _written(time: datetime | None) -> str:
    return "" if time is None else time.isoformat()

"""Jobs as slurmctld knows them now: listed page by page, and one by one."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.picture.wanted import (
    SORTS,
    Bound,
    JobsPage,
    JobsWanted,
    Mark,
    page_of,
    select,
)
from waldur_slurm.gateway.web.answers import from_picture, from_pieces
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cursors import read_cursor, write_cursor
from waldur_slurm.gateway.web.native.filters import (
    Compared,
    demand_fields,
    ids_in,
    names_in,
    only_fields,
    patterns_among,
    read_compared,
    read_moment,
    read_number,
    read_time,
    sort_of,
)
from waldur_slurm.gateway.web.native.spelling import Cursor, JobIds, one_of, some_of
from waldur_slurm.gateway.web.native.views import job_view
from waldur_slurm.gateway.wire import JobView

_ENCODE = msgspec.json.Encoder()
_A_CHUNK = 1000
"""Jobs encoded at a time: one long call would hold everybody up."""

_TIMES = {"submit_time", "start_time"}
_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("user", "account", "partition", "state", "name"), str),
    **dict.fromkeys(("job_id", "priority", "cpus", "elapsed"), read_number),
    **dict.fromkeys(_TIMES, read_time),
}
_KINDS: dict[Callable[[str], Any], type] = {read_number: int, read_time: datetime}
COMPARED: Mapping[str, type] = {name: _KINDS.get(read, str) for name, read in _READERS.items()}
"""What can be compared, and as what."""


class JobsQuery(msgspec.Struct, frozen=True):
    """Lists are separated by commas, or the parameter comes several times.

    `*` in a name stands for any text; there are at most 20 such names.
    """

    user: str = ""
    account: str = ""
    partition: str = ""
    state: str = ""
    qos: str = ""
    reservation: str = ""
    name: str = ""
    node: str = ""
    job_id: JobIds = ""
    sort: Annotated[str, one_of(f"{way}{name}" for name in SORTS for way in ("", "-"))] = "-job_id"
    fields: Annotated[str, some_of(JobView.__struct_fields__, "all where it is empty")] = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 100
    """0 is all of them, for those who see everybody's jobs."""


async def list_jobs(ask: Ask) -> Response:
    query, compared = ask.compared_query(JobsQuery)
    if query.limit == 0 and not ask.principal.sees_all:
        raise WrongAsk("limit: 0, which is all of them, is for those who see everybody's jobs")
    wanted, fields = _wanted(query, compared), names_in(query.fields)
    demand_fields(fields, JobView)
    sort, is_downward = sort_of(query.sort, SORTS)
    about = f"{wanted} {query.sort} {ask.principal.visibility}"
    after = _read_mark(ask, about, sort, query.cursor) if query.cursor else None
    seen = await ask.see(ask.cluster.jobs)

    def pieces() -> Iterator[bytes]:
        found = select(seen.picture.value, wanted, ask.principal.sees_only)
        limit = query.limit or max(len(found), 1)
        page = page_of(found, sort, limit, after, downward=is_downward)
        following = page.after and write_cursor(ask.site.mark, about, page.after)
        return _pieces(ask, seen, page, following, fields)

    representation = f"jobs {query} {compared}"
    if query.limit == 0:  # of fifty thousand jobs it would be forty megabytes
        return await from_pieces(ask, seen, representation, pieces, is_shared=True)
    return await from_picture(
        ask, seen, representation, lambda: b"".join(pieces()), is_shared=ask.principal.sees_all
    )


def _wanted(query: JobsQuery, compared: Collection[Compared]) -> JobsWanted:
    names = names_in(query.name)
    patterns = patterns_among(names)
    return JobsWanted(
        users=names_in(query.user),
        accounts=names_in(query.account),
        partitions=names_in(query.partition),
        qos=names_in(query.qos),
        states=frozenset(word.upper() for word in names_in(query.state)),
        reservations=names_in(query.reservation),
        nodes=names_in(query.node),
        names=names.difference(patterns),
        patterns=patterns,
        ids=ids_in(query.job_id),
        bounds=tuple(Bound(*each[:2], read_compared(each, _READERS)) for each in compared),
    )


def _read_mark(ask: Ask, about: str, sort: str, cursor: str) -> Mark:
    key, number = read_cursor(ask.site.mark, about, cursor)
    return Mark(read_moment(key) if sort in _TIMES else key, number)


def _pieces(
    ask: Ask, seen: Seen[JobsNow], page: JobsPage, following: str | None, fields: frozenset[str]
) -> Iterator[bytes]:
    cluster, as_of, jobs = ask.cluster.name, seen.picture.as_of, page.jobs
    head = {
        "cluster": cluster,
        "as_of": as_of,
        "total": page.total,
        "unreadable": len(seen.picture.value.unreadable) if ask.principal.sees_all else 0,
        "next": following,
    }
    yield _ENCODE.encode(head)[:-1] + b',"jobs":['
    for begin in range(0, len(jobs), _A_CHUNK):
        chunk = jobs[begin : begin + _A_CHUNK]
        listed = _ENCODE.encode(
            [only_fields(job_view(job, cluster, as_of), fields) for job in chunk]
        )
        yield b"," * bool(begin) + listed[1:-1]
    yield b"]}"

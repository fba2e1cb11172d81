"""Jobs as slurmctld knows them now: listed, and one by one."""

from collections.abc import Collection
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.errors import NotThere, WrongAsk
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.picture.wanted import SORTS, JobsWanted, page_of, select
from waldur_slurm.gateway.web.answers import JSON, from_picture, seen_headers
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.views import JobView, job_view
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.live import LiveJob

_ENCODE = msgspec.json.Encoder()
_A_CHUNK = 1000
"""Jobs encoded at a time: one long call would hold everybody up."""


class JobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lists are separated by commas, or the parameter comes several times."""

    user: str = ""
    account: str = ""
    partition: str = ""
    state: str = ""
    qos: str = ""
    reservation: str = ""
    name: str = ""
    node: str = ""
    job_id: str = ""
    sort: str = "-job_id"
    limit: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 100
    """0 is all of them."""


class JobsAnswer(msgspec.Struct, frozen=True):
    cluster: str
    as_of: str
    total: int
    unreadable: int
    """Jobs that are there, and whose rows are not understood."""
    jobs: tuple[JobView, ...]


async def list_jobs(ask: Ask) -> Response:
    query = ask.query(JobsQuery)
    wanted = _wanted(query)
    sort, is_downward = _sort(query.sort)
    seen = await ask.see(ask.cluster.jobs)

    def make() -> bytes:
        found = select(seen.picture.value, wanted, _owners(ask))
        page = page_of(found, sort, query.limit or len(found), None, downward=is_downward)
        return _encoded(ask, seen, page.jobs, page.total)

    return await from_picture(ask, seen, f"jobs {query}", make, is_shared=ask.principal.sees_all)


async def show_job(ask: Ask) -> Response:
    wanted = _id(ask.request.path_params["job_id"])
    seen = await ask.see(ask.cluster.jobs)
    owners = _owners(ask)
    rows = [job for job in seen.picture.value.find(wanted) if owners is None or job.user in owners]
    if not rows:
        raise NotThere(f"slurmctld lists no job {wanted} that you may see")
    view = job_view(rows[0], ask.cluster.name, seen.picture.as_of)
    return Response(_ENCODE.encode(view), headers=seen_headers(seen), media_type=JSON)


def _owners(ask: Ask) -> Collection[str] | None:
    """Whose jobs he sees; None: everybody's."""
    return None if ask.principal.sees_all else ask.principal.own_users


def _wanted(query: JobsQuery) -> JobsWanted:
    return JobsWanted(
        users=_set(query.user),
        accounts=_set(query.account),
        partitions=_set(query.partition),
        qos=_set(query.qos),
        states=frozenset(word.upper() for word in _set(query.state)),
        reservations=_set(query.reservation),
        nodes=_set(query.node),
        names=tuple(sorted(_set(query.name))),
        ids=frozenset(_id(text) for text in _set(query.job_id)),
    )


def _set(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def _sort(text: str) -> tuple[str, bool]:
    name = text.removeprefix("-")
    if name not in SORTS:
        raise WrongAsk(f"sort: expected one of {', '.join(SORTS)}, with - before it for downward")
    return name, text.startswith("-")


def _id(text: str) -> JobId:
    try:
        return job_id(text)
    except InvalidName as error:
        raise WrongAsk(str(error)) from None


def _encoded(ask: Ask, seen: Seen[JobsNow], jobs: tuple[LiveJob, ...], total: int) -> bytes:
    cluster, as_of = ask.cluster.name, seen.picture.as_of
    head = {
        "cluster": cluster,
        "as_of": as_of,
        "total": total,
        "unreadable": len(seen.picture.value.unreadable) if ask.principal.sees_all else 0,
    }
    parts = [
        _ENCODE.encode([job_view(job, cluster, as_of) for job in jobs[begin : begin + _A_CHUNK]])
        for begin in range(0, len(jobs), _A_CHUNK)
    ]
    listed = b",".join(part[1:-1] for part in parts)
    return b"".join((_ENCODE.encode(head)[:-1], b',"jobs":[', listed, b"]}"))

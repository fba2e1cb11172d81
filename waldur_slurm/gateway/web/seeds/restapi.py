"""The second original's surface, but for the accounting: for clients that stay as they are.

An answer is `{"data": ...}`; how it says no is in `restapi_refusals`. All of it comes from the
pictures that everybody is shown, each as old as its thing may be.
"""

import pwd
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import HTMLResponse, Response

from waldur_slurm.gateway.errors import NotNow, NotThere
from waldur_slurm.gateway.load.plan import wanted as load_wanted
from waldur_slurm.gateway.load.usage import usage_of
from waldur_slurm.gateway.picture.details import Certain, kept_after_end
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.answers import JSON, from_picture, from_pieces
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.seeds.restapi_history import Query, integer
from waldur_slurm.gateway.web.seeds.restapi_queue import encode_queue
from waldur_slurm.gateway.web.seeds.restapi_things import (
    nodes_view,
    partitions_view,
    statistics_view,
)
from waldur_slurm.gateway.web.seeds.restapi_usage import usage_view
from waldur_slurm.model.live import LiveJob

_ENCODE = msgspec.json.Encoder().encode


async def queue(ask: Ask) -> Response:
    """Jobs and their details are two readings; of a job of the later one alone there are none."""
    seen = await ask.see(ask.cluster.jobs)
    kept = await _kept_after_end(ask)
    details = await ask.see(ask.cluster.details)
    certain = Certain(details.picture, kept)
    owners = None if ask.principal.sees_all else ask.principal.own_users
    hidden = ask.site.restapi.hidden_everywhere

    def make() -> Iterator[bytes]:
        jobs = (job for job in seen.picture.value.jobs if _is_shown(job, owners, hidden))
        yield b'{"data":'
        yield from encode_queue(jobs, certain.of)
        yield b"}\n"

    name = f"restapi queue {details.picture.generation} {kept}"
    return await from_pieces(ask, seen, name, make, is_shared=ask.principal.sees_all)


async def _kept_after_end(ask: Ask) -> timedelta:
    """Where Slurm's configuration is silent, no job counts as kept after its end."""
    try:
        seen = await ask.see(ask.cluster.configuration)
    except NotNow:
        return timedelta(0)
    return kept_after_end(seen.picture.value)


def _is_shown(job: LiveJob, owners: frozenset[str] | None, hidden: frozenset[str]) -> bool:
    is_hidden = bool(hidden) and hidden.issuperset(job.partition.split(","))
    return not is_hidden and (owners is None or job.user in owners)


async def nodes(ask: Ask) -> Response:
    seen = await ask.see(ask.cluster.nodes)
    hidden = ask.site.restapi.hidden_everywhere

    def make() -> bytes:
        shown = [
            node
            for node in seen.picture.value
            if not hidden or not hidden.issuperset(node.partitions)
        ]
        return _data(nodes_view(shown, uid_of))

    return await from_picture(ask, seen, "restapi nodes", make, is_shared=True)


async def partitions(ask: Ask) -> Response:
    seen = await ask.see(ask.cluster.partitions)
    hidden = ask.site.restapi.hidden

    def make() -> bytes:
        return _data(
            partitions_view(each for each in seen.picture.value if each.name not in hidden)
        )

    return await from_picture(ask, seen, "restapi partitions", make, is_shared=True)


async def statistics(ask: Ask) -> Response:
    seen = await ask.see(ask.cluster.statistics)

    def make() -> bytes:
        return _data(statistics_view(seen.picture.value))

    return await from_picture(ask, seen, "restapi stats", make, is_shared=True)


async def usage(ask: Ask) -> Response:
    """Four readings, each as old as its thing may be; the answer's age is that of the nodes."""
    cluster, hidden = ask.cluster, ask.site.restapi.hidden
    jobs = await ask.see(cluster.jobs)
    details = await ask.see(cluster.details)
    rows = await ask.see(cluster.partitions)
    seen = await ask.see(cluster.nodes)

    def make() -> bytes:
        found = usage_of(
            rows.picture.value,
            seen.picture.value,
            jobs.picture.value.jobs,
            details.picture.value,
            hidden,
        )
        return _data(usage_view(found))

    others: tuple[Seen[object], ...] = (jobs, details, rows)
    name = "restapi usage " + " ".join(str(each.picture.generation) for each in others)
    return await from_picture(ask, seen, name, make, is_shared=True)


async def load(ask: Ask) -> Response:
    site = ask.site.restapi
    archive = site.archive
    if archive is None:
        raise NotThere("no load is archived here")
    query = query_of(ask)
    time_s, offset_s = integer(query, "time"), integer(query, "offset")
    wanted = load_wanted(int(site.clock()), site.wait_s, time_s, offset_s or 0)
    name = ask.cluster.name

    def make() -> bytes:
        if wanted.newest_only:
            newest = archive.read_newest(name, wanted.span)
            found = [newest] if newest else []
        else:
            found = [*archive.read(name, wanted.span)]
        return _data([sample.without(site.hidden) for sample in found])

    return Response(await ask.site.crossing.store.run(make), media_type=JSON)


async def index(ask: Ask) -> Response:
    """The page that asks the eight routes beside it and says which of them answer."""
    if not ask.site.restapi.has_index:
        raise NotThere("this gateway has no page here")
    page, policy = await ask.site.crossing.bodies.run(_page)
    headers = {
        "Content-Disposition": "inline; filename=index.html",
        "Content-Security-Policy": policy,
    }
    return HTMLResponse(page, headers=headers)


def query_of(ask: Ask) -> Query:
    """Read the query as it was typed, percent-encoded or not."""
    text: bytes = ask.request.scope["query_string"]
    return parse_qsl(text.decode(errors="replace"), keep_blank_values=True)


def uid_of(name: str) -> int | None:
    """Ask the machine; blocks."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


@cache
def _page() -> tuple[str, str]:
    """Return the page, and the policy that lets its own script and style alone be in force."""
    text = (files(__package__) / "restapi_index.html").read_text(encoding="utf-8")
    script, style = (_hash_of(text, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def _hash_of(page: str, tag: str) -> str:
    inside = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"


def _data(value: object) -> bytes:
    return _ENCODE({"data": value}) + b"\n"

"""An epilog tells that a job ends: the job is looked at, and nothing is believed but the look.

It is signed with a secret that the nodes share. Whoever has that can make the gateway ask slurmctld
for jobs that are watched, and nothing else.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import NotOffered, NotSignedIn, NotThere, TooLarge, WrongAsk
from waldur_slurm.gateway.watch.cycle import Watch
from waldur_slurm.gateway.watch.signed import is_recent, is_signed
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.monitors import watching
from waldur_slurm.gateway.web.watch_site import Watching

MOST_BODY = 4096
_HEADERS = ("X-Hook-Time", "X-Hook-Signature")

Number = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]


class HookHeaders(
    msgspec.Struct, frozen=True, rename={"time": "X-Hook-Time", "signature": "X-Hook-Signature"}
):
    """The time in seconds since 1970, and in hex the HMAC-SHA256 of it, a dot, and the body."""

    time: str | msgspec.UnsetType = msgspec.UNSET
    signature: str | msgspec.UnsetType = msgspec.UNSET


class HookedJob(msgspec.Struct, frozen=True):
    """`job_id` as `SLURM_JOB_ID` has it; of a task, or a component, what it belongs to as well."""

    job_id: Number
    cluster: str = ""
    array_job_id: Number | None = None
    het_job_id: Number | None = None


async def hear_of_job(ask: Ask) -> Response:
    """What comes twice, as from a client that tries again, is answered alike and acted on once."""
    site = watching(ask)
    if site.hook_secret is None:
        raise NotOffered("GATEWAY_HOOK_SECRET is not set, so no epilog is listened to")
    body, now = await _body(ask), site.now()
    signature = _proven(ask, site.hook_secret, body, now)
    try:
        told = msgspec.json.decode(body, type=HookedJob)
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongAsk(f"the body: {error}") from None
    watch = _watch_of(site, told.cluster or ask.site.default_cluster)
    if watch is None:
        raise NotThere("there is no such cluster")
    if site.replays.is_new(signature, now):
        named = (told.job_id, told.array_job_id, told.het_job_id)
        for number in {each for each in named if each is not None}:
            watch.hook(number)
    return Response(status_code=204)


def _watch_of(site: Watching, name: str) -> Watch | None:
    """Slurm tells a job its cluster's name in small letters, however slurm.conf writes it."""
    found = (each for known, each in site.watches.items() if known.lower() == name.lower())
    return site.watches.get(name) or next(found, None)


def _proven(ask: Ask, secret: str, body: bytes, now: datetime) -> str:
    """Return the signature; raises `NotSignedIn` for one that does not fit, or of long ago."""
    times, signatures = (ask.request.headers.getlist(name) for name in _HEADERS)
    if len(times) != 1 or len(signatures) != 1:
        raise NotSignedIn(f"expected {' and '.join(_HEADERS)}, each once")
    if not is_signed(secret, times[0], body, signatures[0]):
        raise NotSignedIn("the signature does not fit the time and the body")
    if not is_recent(times[0], now):
        raise NotSignedIn(
            "it was said too long ago, or the clocks differ by minutes; let both follow NTP"
        )
    return signatures[0]


async def _body(ask: Ask) -> bytes:
    parts, size = [], 0
    async for part in ask.request.stream():
        size += len(part)
        if size > MOST_BODY:
            raise TooLarge(f"the body is larger than {MOST_BODY} bytes")
        parts.append(part)
    return b"".join(parts)

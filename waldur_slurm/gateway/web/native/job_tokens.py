"""A token for one job: for a program that collects its output and files, and does nothing else."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.acting.audit import Act
from waldur_slurm.gateway.doors.one_job import SCOPES
from waldur_slurm.gateway.doors.principals import OneJob
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import Minted
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.owned import find_owned
from waldur_slurm.gateway.wire_cluster import JobTokenView

DAY_S = 86_400
LONGEST_S = 7 * DAY_S

Grantable = Literal["output:read", "files:read", "jobs:read"]


class JobTokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ttl` in seconds. Whoever asks can give away only what he may himself."""

    scopes: Annotated[tuple[Grantable, ...], msgspec.Meta(min_length=1, max_length=len(SCOPES))]
    ttl: Annotated[int, msgspec.Meta(ge=60, le=LONGEST_S)] = DAY_S


async def make_job_token(ask: Ask) -> Response:
    cluster, wanted = ask.cluster.name, await ask.body(JobTokenWanted)
    part = await find_owned(ask, read_id(ask.request.path_params["job_id"]))
    job = OneJob(cluster, part.id.number, part.submitted)
    scopes = frozenset(map(Scope, wanted.scopes))
    about: dict[str, object] = {
        "job_id": str(job.number),
        "submit_time": job.submitted.isoformat(),
        "scopes": " ".join(sorted(scopes)),
    }

    def make() -> Minted:
        act = Act(caller=ask.caller, user=part.user, what="job.token", about=about)
        with ask.site.audit.doing(act) as learned:
            lasts = timedelta(seconds=wanted.ttl)
            try:
                minted = ask.site.job_tokens.make(ask.principal, job, part.user, scopes, lasts)
            except StateError as error:
                raise NotNow(f"no token can be kept now: {error}", 5.0) from error
            learned |= {"token": minted.token.id, "ends": str(minted.token.ends)}
            return minted

    minted = await ask.site.crossing.store.run(make)
    view = JobTokenView(
        token=minted.text,
        id=minted.token.id,
        job_id=job.number,
        submit_time=job.submitted,
        scopes=tuple(sorted(scopes)),
        expires=minted.token.ends or minted.token.made,
    )
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(view), 201, headers, JSON)

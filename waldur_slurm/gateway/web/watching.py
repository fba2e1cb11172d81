"""Pages for those who watch the gateway: does it live, and does Slurm answer it."""

import msgspec
from starlette.responses import PlainTextResponse, Response

from waldur_slurm import __version__
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask


class VersionAnswer(msgspec.Struct, frozen=True):
    version: str


async def alive(_ask: Ask) -> Response:
    return PlainTextResponse("ok\n")


async def show_version(_ask: Ask) -> Response:
    return Response(msgspec.json.encode(VersionAnswer(__version__)), media_type=JSON)


async def ready(ask: Ask) -> Response:
    """Ask for each cluster's jobs, as any client would; a fresh picture costs nothing."""
    lines, is_ready = [], True
    for name, cluster in ask.site.clusters.items():
        try:
            seen = await ask.see(cluster.jobs)
        except NotNow as silence:
            lines.append(f"{name}: {silence}")
            is_ready = False
        else:
            is_ready = is_ready and not seen.silence
            lines.append(f"{name}: {seen.silence or 'answers'}; seen {seen.age_s:.0f} s ago")
        if cluster.hidden:
            lines.append(
                f"{name}: PrivateData hides others' {', '.join(cluster.hidden)} from the gateway"
            )
    return PlainTextResponse("\n".join([*lines, ""]), status_code=200 if is_ready else 503)

"""Who asks, and what he may do."""

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import MEANING, Scope
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.wire_cluster import MayView, MeView


async def me(ask: Ask) -> Response:
    who = ask.principal
    view = MeView(
        kind=who.kind.value,
        name=who.name,
        user=who.user,
        run_as=str(who.run_as),
        scopes=tuple(_may(ask, scope) for scope in Scope),
    )
    return Response(msgspec.json.encode(view), media_type=JSON)


def _may(ask: Ask, scope: Scope) -> MayView:
    answer = decide(ask.principal, scope, is_of_one_job=True)
    return MayView(scope.value, MEANING[scope], isinstance(answer, Yes), answer.why)

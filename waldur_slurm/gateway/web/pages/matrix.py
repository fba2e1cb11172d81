"""How full each node is, for each partition that has it: the original front end's matrix.

A script draws it from the API's own `/usage` and `/nodes`; without one there is what each partition
comes to.
"""

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.load import see_usage
from waldur_slurm.gateway.web.pages.rendering import api_of, page, shown


class MatrixQuery(msgspec.Struct, frozen=True):
    """`palette`: the original's colours, or ones that differ in lightness alone."""

    palette: str = ""


@page
async def show_matrix(ask: Ask) -> Response:
    ask.query(MatrixQuery)
    now = await see_usage(ask)
    usage = await ask.site.crossing.bodies.run(now.add_up)
    return await shown(
        ask,
        "matrix.html",
        title="Usage",
        usage=usage,
        api=api_of(ask),
        age_s=now.seen.age_s,
        silence=now.seen.silence,
    )

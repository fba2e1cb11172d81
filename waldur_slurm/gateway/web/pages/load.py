"""How full the cluster was: a chart that a script draws from the API, and its points as a table."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.load import LoadQuery, find_load
from waldur_slurm.gateway.web.pages.rendering import api_of, page, shown

RANGES: dict[str, tuple[timedelta, str]] = {
    "1h": (timedelta(hours=1), "hour"),
    "6h": (timedelta(hours=6), "6 hours"),
    "24h": (timedelta(hours=24), "day"),
    "7d": (timedelta(days=7), "week"),
    "30d": (timedelta(days=30), "30 days"),
}
_DRAWN, _LISTED = 360, 24
"""Points of the chart, and rows of the table."""


class LoadPageQuery(msgspec.Struct, frozen=True):
    range: Literal["1h", "6h", "24h", "7d", "30d"] = "24h"


@page
async def show_load(ask: Ask) -> Response:
    query = ask.query(LoadPageQuery)
    span, words = RANGES[query.range]
    seconds = int(span.total_seconds())
    begin = int((datetime.now(UTC) - span).timestamp())
    found = await find_load(ask, LoadQuery(since=str(begin), step=seconds // _LISTED))
    return await shown(
        ask,
        "load.html",
        title="Load",
        query=query,
        ranges=RANGES,
        words=words,
        points=found.points,
        api=f"{api_of(ask)}/load?from={begin}&step={max(seconds // _DRAWN, 1)}",
    )

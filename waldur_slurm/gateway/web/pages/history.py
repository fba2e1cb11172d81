"""Jobs of the past: filtered, page by page, with what they used; added up; and as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response, StreamingResponse

from waldur_slurm.gateway.past.summary import GROUPS
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.history import (
    HistoryFilter,
    HistoryQuery,
    csv_cells,
    find_page,
    past_query,
    silence_is_not_now,
    views_of,
)
from waldur_slurm.gateway.web.native.summary import (
    SummaryAnswer,
    SummaryQuery,
    SummaryRow,
    find_summary,
)
from waldur_slurm.gateway.web.pages.rendering import link_with, page, shown
from waldur_slurm.gateway.web.pages.words import in_a_cell
from waldur_slurm.gateway.web.stream import begun, in_pieces
from waldur_slurm.gateway.wire import JobView

STATES = (
    "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED",
    "RUNNING", "PENDING",
)  # fmt: skip


class HistoryPageQuery(HistoryFilter, frozen=True):
    """`by`: what sums are made by instead of a list."""

    cursor: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    efficiency: Literal["", "no"] = ""
    by: Literal["", "user", "account", "partition", "day"] = ""
    job: str = ""
    """The one whose drawer is open; a script opens it."""


@page
async def show_history(ask: Ask) -> Response:
    query, compared = ask.compared_query(HistoryPageQuery)
    kept = {
        name: text
        for name, text in ask.request.query_params.multi_items()
        if text and name != "job"
    }
    common: dict[str, Any] = {
        "title": "History",
        "query": query,
        "groups": tuple(GROUPS),
        "known_states": STATES,
        "link": link_with(kept),
        "spans": _spans(datetime.now(UTC)),
    }
    filters = {name: getattr(query, name) for name in HistoryFilter.__struct_fields__}
    if query.by:
        wish = SummaryQuery(**filters, group_by=query.by)
        sums = await find_summary(ask, wish, compared)
        most = max((each.cpu_hours for each in sums.groups), default=0.0)
        return await shown(
            ask, "sums.html", sums=sums, rows=_in_order(sums, query.by), most=most, **common
        )
    asked = HistoryQuery(
        **filters, cursor=query.cursor, limit=query.limit, efficiency=query.efficiency == ""
    )
    found = await find_page(ask, asked, compared, past_query(ask, asked, compared))
    return await shown(ask, "history.html", found=found, **common)


@page
async def send_history(ask: Ask) -> Response:
    """Send all that fits as CSV; what breaks off is cut off."""
    query, compared = ask.compared_query(HistoryPageQuery)
    wanted = past_query(ask, query, compared)
    pieces = in_pieces(ask.site.questions.ask, lambda: views_of(ask, wanted), _lines)
    with silence_is_not_now():
        body: AsyncIterator[bytes] = await begun(pieces, _line(csv_cells()))
    headers = {
        "Content-Disposition": 'attachment; filename="history.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(body, headers=headers, media_type="text/csv")


def _in_order(sums: SummaryAnswer, by: str) -> list[SummaryRow]:
    """Days as they came, all else by what it held."""
    if by == "day":
        return sorted(sums.groups, key=lambda each: each.day or "", reverse=True)
    return sorted(sums.groups, key=lambda each: -each.cpu_hours)


def _spans(now: datetime) -> dict[str, str]:
    """Return when the spans began that one mostly asks for."""
    days = {"a day": 1, "a week": 7, "a month": 30, "a quarter": 91}
    return {
        name: (now - timedelta(days=number)).date().isoformat() for name, number in days.items()
    }


def _lines(jobs: list[JobView]) -> bytes:
    return b"".join(_line(csv_cells(job)) for job in jobs)


def _line(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([in_a_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8", "replace")

"""Pages as Waldur cuts them: 10 a page, 300 at most, the whole counted in X-Result-Count."""

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from sandbox.waldur.answers import Answer, refused
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.store import Record

PAGE = 10
LARGEST_PAGE = 300

Shape = Callable[[Exchange, Record], Record]


def paged(
    ask: Exchange, source: str, shape: Shape, *, order: str = "t.id", **values: Any
) -> Answer:
    """`source` is `FROM ... WHERE ...` with the wanted rows in `t`."""
    counted = ask.select(f"SELECT COUNT(*) AS n {source}", **values)[0]["n"]
    size = page_size(ask)
    pages = max(1, math.ceil(counted / size))
    page = _page(ask, pages)
    rows = ask.select(
        f"SELECT t.* {source} ORDER BY {order} LIMIT {size} OFFSET {(page - 1) * size}",
        **values,
    )
    headers = {"X-Result-Count": str(counted), "Link": links(ask, page, pages)}
    return Answer(200, [selected(ask, shape(ask, row)) for row in rows], headers=headers)


def selected(ask: Exchange, shown: Record) -> Record:
    """Only what `field=` asks for; everything when it does not."""
    wanted = ask.fields
    return {key: value for key, value in shown.items() if key in wanted} if wanted else shown


def page_size(ask: Exchange) -> int:
    try:
        size = int(ask.first("page_size") or PAGE)
    except ValueError:
        return PAGE
    return min(size, LARGEST_PAGE) if size > 0 else PAGE


def links(ask: Exchange, page: int, pages: int) -> str:
    named = {"first": 1, "prev": page - 1, "next": page + 1, "last": pages}
    return ", ".join(
        f'<{_address(ask, number)}>; rel="{name}"'
        for name, number in named.items()
        if 1 <= number <= pages
    )


def _page(ask: Exchange, pages: int) -> int:
    asked = ask.first("page") or "1"
    page = pages if asked == "last" else int(asked) if asked.isdecimal() else 0
    if not 1 <= page <= pages:
        raise refused(404, {"detail": "Invalid page."})
    return page


def _address(ask: Exchange, page: int) -> str:
    pairs = [(name, value) for name, value in ask.query if name != "page"]
    if page > 1:
        pairs.append(("page", str(page)))
    query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
    return f"{ask.origin}{ask.path}" + (f"?{query}" if query else "")

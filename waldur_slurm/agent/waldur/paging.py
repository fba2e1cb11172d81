"""Whole lists, or an error: a page that is missing never looks like the end of a list.

Of a `Link` header only the page's number is taken: behind many proxies its address is not the one
that was asked, and the token is not sent after it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from requests.utils import parse_header_links

from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.waldur.transport import Answer
from waldur_slurm.model.counting import counted

MOST_BYTES = 512 * 1024 * 1024
MOST_PAGES = 10_000
"""Of one list: far more than the largest sites have, and no more than a host can take."""

_COUNT = re.compile(r"\d{1,9}", re.ASCII)

_MEMBERSHIP = ("project_uuid", "user_uuid", "role", "role_name", "created")
"""What tells one row of a provider's memberships from another: they have no uuid."""

Ask = Callable[[Mapping[str, object]], Answer]
Read = TypeVar("Read")


class _Shifted(Exception):
    """The list changed between two of its pages."""


def read_all(ask: Ask, query: Mapping[str, object], read: Callable[[Any], Read]) -> list[Read]:
    """All rows of a list, as `read` makes them; one that changed meanwhile is read once more.

    A raw row takes several times the memory of what is made of it, so only one page is held raw.
    """
    try:
        return _read_once(ask, query, read)
    except _Shifted:
        pass
    try:
        return _read_once(ask, query, read)
    except _Shifted as error:
        raise WaldurUnreachable(str(error)) from error


def decoded(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnexpectedPayload(f"{answer.request} did not answer JSON: {error}") from error


def _read_once(ask: Ask, query: Mapping[str, object], read: Callable[[Any], Read]) -> list[Read]:
    answer = ask(query)
    count = _count(answer)
    page = _rows(answer)
    found = [read(row) for row in page]
    marks = _marks(page)
    size = len(answer.body)
    number = 1
    while (following := _following_page(answer, number)) is not None:
        number = following
        answer = _ask_again(ask, {**query, "page": number})
        page = _rows(answer)
        if not page or _count(answer) != count:
            raise _Shifted(f"{answer.request} changed while it was read")
        found += [read(row) for row in page]
        marks += _marks(page)
        size += len(answer.body)
        if len(found) > count:
            break
        if size > MOST_BYTES or number > MOST_PAGES:
            raise UnexpectedPayload(f"{answer.request} goes on for ever: {number} pages so far")
    if len(found) != count:
        raise _Shifted(f"{answer.request} promised {counted(count, 'row')} and sent {len(found)}")
    if len(set(marks)) != len(marks):  # a row sent twice means that another was skipped
        raise _Shifted(f"{answer.request} sent the same row twice")
    return found


def _ask_again(ask: Ask, query: Mapping[str, object]) -> Answer:
    try:
        return ask(query)
    except WaldurRejected as error:
        if error.status == 404:
            raise _Shifted(f"{error.request}: page {query['page']} vanished") from error
        raise


def _rows(answer: Answer) -> list[Any]:
    rows = decoded(answer)
    if not isinstance(rows, list):
        raise UnexpectedPayload(f"{answer.request} did not answer a list")
    return rows


def _count(answer: Answer) -> int:
    text = answer.headers.get("X-Result-Count", "")
    if _COUNT.fullmatch(text) is None:
        raise UnexpectedPayload(f"{answer.request} did not say how many rows there are")
    return int(text)


def _following_page(answer: Answer, number: int) -> int | None:
    for link in parse_header_links(answer.headers.get("Link", "")):
        if link.get("rel") == "next":
            page = _page_in(link["url"])
            if page != str(number + 1):
                raise UnexpectedPayload(
                    f"{answer.request} says that another page than {number + 1} follows {number}"
                )
            return number + 1
    return None


def _page_in(url: str) -> str:
    try:
        return parse_qs(urlsplit(url).query).get("page", [""])[-1]
    except ValueError:  # it is no address, or asks for far too many things
        return ""


def _marks(rows: list[Any]) -> list[str]:
    """What a list has once: a uuid, or who was given which role in which project, and when."""
    return [mark for row in rows if isinstance(row, dict) and (mark := _mark(row))]


def _mark(row: dict[str, Any]) -> str:
    if "uuid" in row:
        return str(row["uuid"])
    is_membership = "project_uuid" in row and "user_uuid" in row
    return " ".join(str(row.get(key)) for key in _MEMBERSHIP) if is_membership else ""

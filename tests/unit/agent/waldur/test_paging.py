"""Lists are whole or an error."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.waldur.paging import read_all
from waldur_slurm.agent.waldur.transport import Answer

HERE = "https://waldur.example.org/api/orders/"


def row(number: int) -> dict[str, str]:
    return {"uuid": f"{number:032x}"}


def member(user: str, role: str = "member") -> dict[str, str]:
    """A row of the provider's memberships, which have no uuid."""
    return {"project_uuid": "1" * 32, "user_uuid": user, "role": role, "created": "2026-11-01"}


def page(rows: object, count: object, following: int | None = None, **headers: str) -> Answer:
    link = f'<{HERE}?a=1,2&page=1>; rel="first"'
    if following:
        link += f', <{HERE}?a=1,2&page={following}>; rel="next", <{HERE}?page=9>; rel="last"'
    shown = {"X-Result-Count": str(count), "Link": link} | headers
    return Answer("GET orders/", 200, shown, msgspec.json.encode(rows))


def as_it_is(row: Any) -> Any:
    return row


class Pages:
    """Answers each page as planned; a list of answers changes from call to call."""

    def __init__(self, *plans: list[Answer | Exception]) -> None:
        self.plans = plans
        self.asked: list[Mapping[str, object]] = []

    def __call__(self, query: Mapping[str, object]) -> Answer:
        self.asked.append(query)
        plan = self.plans[int(str(query.get("page", 1))) - 1]
        answer = plan.pop(0) if len(plan) > 1 else plan[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def read(*plans: list[Answer | Exception]) -> list[Any]:
    return read_all(Pages(*plans), {"page_size": 300}, as_it_is)


def test_two_roles_of_one_person_are_two_rows() -> None:
    first, second = member("ann"), member("ann", "manager")
    assert read([page([first], 2, 2)], [page([second], 2)]) == [first, second]


def test_all_pages_are_read_in_their_order() -> None:
    pages = Pages(
        [page([row(1), row(2)], 5, 2)], [page([row(3), row(4)], 5, 3)], [page([row(5)], 5)]
    )
    assert read_all(pages, {"page_size": 300}, as_it_is) == [row(number) for number in range(1, 6)]
    assert pages.asked == [
        {"page_size": 300},
        {"page_size": 300, "page": 2},
        {"page_size": 300, "page": 3},
    ]


def test_of_each_row_only_what_is_made_of_it_is_kept() -> None:
    pages = Pages([page([row(1)], 2, 2)], [page([row(2)], 2)])
    assert read_all(pages, {}, lambda each: len(each)) == [len(row(1)), len(row(2))]


def test_an_empty_list_is_empty() -> None:
    assert read([page([], 0)]) == []


def test_the_order_of_the_links_does_not_matter() -> None:
    link = f'<{HERE}?page=2>; rel="next", <{HERE}>; rel="first", <{HERE}?page=2>; rel="last"'
    assert read([page([row(1)], 2, Link=link)], [page([row(2)], 2)]) == [row(1), row(2)]


def test_a_link_to_another_host_gives_its_page_number_and_no_more() -> None:
    link = '<http://elsewhere.example.org/?page=2&token=x>; rel="next"'
    pages = Pages([page([row(1)], 2, Link=link)], [page([row(2)], 2)])
    assert read_all(pages, {"state": "OK"}, as_it_is) == [row(1), row(2)]
    assert pages.asked[1] == {"state": "OK", "page": 2}


def test_a_list_that_changed_while_it_was_read_is_read_once_more() -> None:
    first: list[Answer | Exception] = [page([row(1)], 2, 2), page([row(1)], 3, 2)]
    second: list[Answer | Exception] = [page([row(2), row(3)], 3), page([row(2), row(3)], 3)]
    assert read(first, second) == [row(1), row(2), row(3)]


VANISHED = WaldurRejected("GET orders/", 404, "Invalid page.")


@pytest.mark.parametrize(
    "plans",
    [
        pytest.param([[page([row(1)], 2, 2)], [VANISHED]], id="a page vanished"),
        pytest.param([[page([row(1)], 2, 2)], [page([row(2)], 3)]], id="the count changed"),
        pytest.param([[page([row(1)], 2)]], id="fewer rows than promised"),
        pytest.param([[page([row(1), row(2)], 1)]], id="more rows than promised"),
        pytest.param([[page([], 3000)]], id="nothing where much was promised"),
        pytest.param([[page([row(1)], 2, 2)], [page([row(1)], 2)]], id="the same row twice"),
        pytest.param(
            [[page([member("ann")], 2, 2)], [page([member("ann")], 2)]], id="the same role twice"
        ),
        pytest.param([[page([row(1)], 1, 2)], [page([], 1, 3)], [page([], 1)]], id="empty page"),
    ],
)
def test_a_list_that_does_not_come_out_whole_is_unreachable(
    plans: list[list[Answer | Exception]],
) -> None:
    with pytest.raises(WaldurUnreachable):
        read(*plans)


@pytest.mark.parametrize(
    "answer",
    [
        page({"detail": "no"}, 1),
        page("[]", 1),
        page([], ""),
        page([], "-1"),
        page([], "many"),
        page([row(1)], 2, Link=f'<{HERE}?page=1>; rel="next"'),
        page([row(1)], 2, Link=f'<{HERE}?page=3>; rel="next"'),
        page([row(1)], 2, Link=f'<{HERE}>; rel="next"'),
        Answer("GET orders/", 200, {"X-Result-Count": "1"}, b"<html>"),
    ],
)
def test_what_is_no_page_is_unexpected(answer: Answer) -> None:
    with pytest.raises(UnexpectedPayload):
        read([answer])


def test_a_refusal_on_a_later_page_is_a_refusal() -> None:
    with pytest.raises(WaldurRejected):
        read([page([row(1)], 2, 2)], [WaldurRejected("GET orders/", 403, "no")])

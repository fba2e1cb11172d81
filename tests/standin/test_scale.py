"""A site's worth of rows: listed in pages, which are counted to hold an agent to them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.waldur import Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking
from tests.standin.test_people import provider_of

Asks = Callable[[Waldur], Asking]


def all_of(ask: Asking, path: str) -> list[str]:
    """Identifiers of the whole list, page after page, as the Link header leads."""
    found: list[str] = []
    url: str | None = f"{path}?page_size=300&field=uuid&field=user_uuid&field=project_uuid"
    while url:
        answer = ask.request("GET", url.removeprefix(ask.waldur.url))
        found += [str(sorted(row.items())) for row in answer.json()]
        assert answer.headers["X-Result-Count"]
        url = answer.links.get("next", {}).get("url")
    return found


def test_3000_resources_and_15000_memberships_cost_their_pages(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("today")
    waldur.seed(resources=3000, members_each=5)
    ask = asking(waldur)
    memberships = f"marketplace-service-providers/{provider_of(ask)}/project_permissions/"
    waldur.forget_requests()
    for path, rows in ((f"{ask.resources}/", 3000), (memberships, 15_000)):
        found = all_of(ask, path)
        assert (len(found), len(set(found))) == (rows, rows)
    assert len(waldur.requests()) == 10 + 50
    assert waldur.writes() == []


def test_a_page_is_ten_rows_and_never_more_than_300(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("transition")
    waldur.seed(resources=320, members_each=1)
    ask = asking(waldur)
    assert len(ask.read(f"{ask.resources}/")) == 10
    assert len(ask.read(f"{ask.resources}/?page_size=1000")) == 300
    assert len(ask.read(f"{ask.resources}/?page_size=1000&page=2")) == 20


def test_many_threads_lose_no_write(start_waldur: StartWaldur, asking: Asks) -> None:
    waldur = start_waldur("today")
    waldur.seed(resources=40, members_each=1)
    ask = asking(waldur)
    resources = [row["uuid"] for row in waldur.resources()]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: ask.report(one, cpu="1.50").status_code, resources))
    assert answers == [201] * 40
    assert len(waldur.usages()) == 40

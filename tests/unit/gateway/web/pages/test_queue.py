"""The queue as a page: filtered, sorted and cut on the server, its address all the state."""

import csv
import io
import re

import pytest

from tests.fakes.cluster import live_job
from tests.unit.gateway.web.pages.pages_site import OWN, Browser, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.live import UnreadableJob
from waldur_slurm.model.names import AccountName, UserName

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def site() -> PagesSite:
    made = PagesSite()
    for number in range(1, 131):
        user, state = ("ann", "RUNNING") if number % 2 else ("bob", "PENDING")
        made.put(number, user, state, name=f"job-{number}", cpus=number)
    return made


@pytest.fixture
def anns(site: PagesSite) -> Browser:
    return site.signed_in()


@pytest.fixture
def admins(site: PagesSite) -> Browser:
    return site.signed_in(Scope, "ann")


def jobs(browser: Browser, path: str) -> list[int]:
    """The jobs that a page lists, in its order."""
    answer = browser.get(f"/ui/queue{path}")
    assert answer.status == 200, answer.text
    return [int(number) for number in re.findall(r'data-job="(\d+)"', answer.text)]


def test_one_sees_ones_own_jobs_however_one_asks(anns: Browser) -> None:
    for whose in ("", "?whose=all", "?whose=mine", "?user=bob", "?limit=500&whose=all"):
        assert all(number % 2 for number in jobs(anns, whose))
    assert jobs(anns, "?user=bob") == []
    assert len(jobs(anns, "?limit=500")) == 65


def test_who_sees_everybodys_begins_with_his_own(admins: Browser) -> None:
    assert len(jobs(admins, "?limit=500")) == 65
    assert len(jobs(admins, "?limit=500&whose=all")) == 130


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?whose=all&state=PENDING&limit=500", 65),
        ("?whose=all&state=pending&limit=500", 65),
        ("?whose=all&name=job-12", 11),
        ("?whose=all&name=job-1*5", 4),
        ("?whose=all&job_id=7,8", 2),
        ("?whose=all&user=bob&name=&account=&partition=&node=&limit=500", 65),
        ("?whose=all&partition=nowhere", 0),
    ],
)
def test_filters_leave_what_fits(admins: Browser, query: str, found: int) -> None:
    assert len(jobs(admins, query)) == found


def test_pages_are_cut_from_one_order_and_hold_every_job_once(admins: Browser) -> None:
    pages = [jobs(admins, f"?whose=all&limit=50&page={page}&sort=cpus") for page in (1, 2, 3)]

    assert [number for page in pages for number in page] == list(range(1, 131))
    assert jobs(admins, "?whose=all&page=9") == []


def test_a_heading_sorts_and_says_how_it_is_sorted(admins: Browser) -> None:
    text = admins.get("/ui/queue?whose=all&sort=-cpus").text

    assert re.search(r'aria-sort="descending"><a href="[^"]*sort=cpus', text)
    assert jobs(admins, "?whose=all&sort=-cpus")[0] == 130


def test_links_keep_what_is_filtered(admins: Browser) -> None:
    text = admins.get("/ui/queue?whose=all&name=job&limit=25").text

    (following,) = re.findall(r'<a href="([^"]+)" rel="next"', text)
    assert set(following.lstrip("?").split("&amp;")) == {
        "whose=all",
        "name=job",
        "limit=25",
        "page=2",
    }


def test_what_users_wrote_is_text(site: PagesSite, anns: Browser) -> None:
    site.put(200, name=SCRIPT, account=AccountName('"><img src=x onerror=alert(1)>'))

    text = anns.get(f"/ui/queue?name={SCRIPT}&state={SCRIPT}").text + anns.get("/ui/queue").text

    assert SCRIPT not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("query", ["?sort=nothing", "?page=0", "?limit=9999", "?job_id=x", "?a=b"])
def test_what_is_not_understood_is_said_on_a_page(anns: Browser, query: str) -> None:
    answer = anns.get(f"/ui/queue{query}")

    assert answer.status == 400
    assert 'role="alert"' in answer.text
    assert "/ui/sign-out" in answer.text


def test_csv_holds_all_that_fits_and_nothing_that_a_spreadsheet_would_run(
    site: PagesSite, anns: Browser
) -> None:
    site.put(201, name="=HYPERLINK(1)", cpus=1)

    answer = anns.get("/ui/queue.csv?limit=25")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(rows) == 66
    assert rows[0]["name"] == "'=HYPERLINK(1)"
    assert {row["user"] for row in rows} == {"ann"}


def test_a_silent_slurm_is_said_beside_what_it_said_last(site: PagesSite, anns: Browser) -> None:
    assert len(jobs(anns, "")) == 50
    site.gateway.cluster.go_down()

    for _ in range(100):
        text = anns.get("/ui/queue").text
        if "Slurm does not answer" in text:
            break

    assert "Slurm does not answer" in text
    assert "data-job" in text


def test_a_slurm_that_never_answered_is_no_empty_queue(site: PagesSite, anns: Browser) -> None:
    site.gateway.cluster.go_down()

    answer = anns.get("/ui/queue")

    assert answer.status == 503
    assert "retry-after" in answer.headers


def test_jobs_that_are_not_understood_are_counted_for_who_sees_all(
    site: PagesSite, admins: Browser, anns: Browser
) -> None:
    site.gateway.cluster.unreadable.append(UnreadableJob(("torn",), "too few cells"))

    assert "1 job is there" in admins.get("/ui/queue").text
    assert "1 job is there" not in anns.get("/ui/queue").text


def test_fifty_thousand_jobs_make_a_page_of_fifty(site: PagesSite, admins: Browser) -> None:
    for number in range(1000, 51_000):
        site.gateway.cluster.put(live_job(number, user=UserName("carol"), name="sweep"))

    answer = admins.get("/ui/queue?whose=all&name=sweep&sort=-priority")

    assert answer.text.count("data-job=") == 50
    assert "50\u202f000" in answer.text
    assert len(answer.body) < 100_000


def test_a_scope_too_little_is_said(site: PagesSite) -> None:
    assert site.signed_in(OWN - {Scope.JOBS_READ}).get("/ui/queue").status == 403

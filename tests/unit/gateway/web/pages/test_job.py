"""The page of one job, and what can be done there."""

from datetime import timedelta

import pytest

from tests.fakes.cluster import BEGAN
from tests.fakes.past import past_run
from tests.unit.gateway.web.pages.pages_site import HOME, OWN, Browser, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName

PAGE = "/ui/jobs/1"


@pytest.fixture
def site() -> PagesSite:
    made = PagesSite()
    made.put(1, name="of Ann", start=BEGAN, elapsed_s=60, limit_s=3600, hosts="n1")
    made.tree.write(f"{HOME}/slurm-1.out", b"step <1>\n")
    return made


@pytest.fixture
def anns(site: PagesSite) -> Browser:
    return site.signed_in()


def deeds(browser: Browser) -> set[str]:
    text = browser.get(PAGE).text
    return {each for each in ("hold", "release", "requeue", "cancel") if f"{PAGE}/{each}" in text}


def test_the_page_shows_the_job(anns: Browser) -> None:
    text = anns.get(PAGE).text

    for said in ("of Ann", "running", "1 min 00 s of 1 h 00 min", "n1", HOME):
        assert said in text


def test_anothers_job_is_as_none(site: PagesSite, anns: Browser) -> None:
    site.put(2, "bob", name="of Bob")

    anothers, none = anns.get("/ui/jobs/2"), anns.get("/ui/jobs/3")

    assert (anothers.status, none.status) == (404, 404)
    assert "of Bob" not in anothers.text


def test_a_job_of_the_past_is_shown_with_how_it_ended(site: PagesSite, anns: Browser) -> None:
    site.gateway.history.runs.append(past_run(7, name="of old", user=UserName("ann")))

    text = anns.get("/ui/jobs/7").text

    assert "of old" in text
    assert "completed" in text


@pytest.mark.parametrize(
    ("state", "reason", "offered"),
    [
        ("RUNNING", "", {"requeue", "cancel"}),
        ("PENDING", "Priority", {"hold", "cancel"}),
        ("PENDING", "JobHeldUser", {"release", "cancel"}),
        ("COMPLETED", "", set()),
    ],
)
def test_what_makes_sense_is_offered_and_nothing_else(
    site: PagesSite, anns: Browser, state: str, reason: str, offered: set[str]
) -> None:
    site.put(1, state=state, reason=reason)

    assert deeds(anns) == offered


def test_who_may_not_is_offered_nothing(site: PagesSite) -> None:
    reader = site.signed_in(OWN - {Scope.JOBS_CANCEL, Scope.JOBS_CONTROL})
    admin = site.signed_in(Scope, "bob")

    assert deeds(reader) == set()
    assert deeds(admin) == set()
    assert "of Ann" in admin.get(PAGE).text


@pytest.mark.parametrize(("verb", "state"), [("cancel", "CANCELLED"), ("requeue", "PENDING")])
def test_what_is_pressed_is_done_and_said(
    site: PagesSite, anns: Browser, verb: str, state: str
) -> None:
    answer = anns.press(PAGE, f"{PAGE}/{verb}")

    assert (answer.status, answer.headers["location"]) == (303, f"{PAGE}?done={verb}")
    assert [job.state for job in site.queue.jobs] == [state]
    assert 'role="status">The job is' in anns.get(answer.headers["location"]).text


def test_what_is_done_is_written_down_as_done_by_whoever_signed_in(
    site: PagesSite, anns: Browser
) -> None:
    anns.press(PAGE, f"{PAGE}/cancel")

    (act,) = [event for event in site.gateway.told if event.is_change]
    assert act.fields["user"] == "ann"
    assert "token:test(" in str(act.fields["who"])


def test_a_job_that_came_in_its_place_is_left_alone(site: PagesSite, anns: Browser) -> None:
    """Numbers come again: the form is of the job that the page showed."""
    answer_of = anns.get(PAGE).text.partition('name="form" value="')[2].partition('"')[0]
    site.put(1, submitted=BEGAN + timedelta(days=1))
    site.gateway.pictures.jobs.forget()

    form = {"form": answer_of, "submitted": BEGAN.strftime("%Y-%m-%dT%H:%M:%SZ")}
    answer = anns.post(f"{PAGE}/cancel", form)

    assert answer.status == 412
    assert "submitted, or requeued, at" in answer.text
    assert all(job.state == "RUNNING" for job in site.queue.jobs)


def test_the_end_of_the_output_is_on_the_page_without_a_script(anns: Browser) -> None:
    assert "step" not in anns.get(PAGE).text
    assert "step &lt;1&gt;" in anns.get(f"{PAGE}?output=out").text


def test_a_script_finds_the_output_where_the_api_has_it(anns: Browser) -> None:
    text = anns.get(PAGE).text
    address = text.partition('data-follow="')[2].partition('"')[0].replace("&amp;", "&")

    assert address.startswith("/api/v1/jobs/1/output?")
    assert anns.get(address).body == b"step <1>\n"


def test_output_that_is_not_there_is_said(site: PagesSite, anns: Browser) -> None:
    site.put(2)

    answer = anns.get("/ui/jobs/2?output=out")

    assert answer.status == 200
    assert "It has written nothing yet" in answer.text


def test_pages_of_a_cluster_lead_to_pages_of_that_cluster(anns: Browser) -> None:
    text = anns.get("/ui/clusters/lab/jobs/1").text

    assert 'href="/ui/clusters/lab/queue"' in text
    assert 'action="/ui/clusters/lab/jobs/1/cancel"' in text
    assert "/api/v1/clusters/lab/jobs/1/output" in text
    assert anns.get("/ui/clusters/nowhere/jobs/1").status == 404

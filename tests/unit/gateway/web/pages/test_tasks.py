"""The pages of tasks: whose are listed, and one with what was asked, its job and its letters."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.unit.gateway.web.pages.kept_site import KeptSite, dead
from tests.unit.gateway.web.pages.pages_site import HOME, OWN, Browser
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.model.batch import JobId

LIST = "/ui/tasks"
HOSTILE = "</pre><script>window.canary=1</script>"


@pytest.fixture
def site(tmp_path: Path) -> KeptSite:
    made = KeptSite(place=tmp_path)
    made.add_task("first", given={"uuid": "first", "params": ["ö", HOSTILE, "\u202efdp"]})
    made.add_task("second", "bob")
    return made


@pytest.fixture
def anns(site: KeptSite) -> Browser:
    return site.signed_in()


def listed(browser: Browser, query: str = "") -> set[str]:
    text = browser.get(f"{LIST}{query}").text
    return {each for each in ("first", "second", "third") if f'href="{LIST}/{each}"' in text}


def test_tasks_of_those_whose_jobs_one_sees_are_listed(site: KeptSite, anns: Browser) -> None:
    assert listed(anns) == {"first"}
    assert listed(site.signed_in(Scope, "ann")) == {"first", "second"}
    assert anns.get(f"{LIST}/second").status == anns.get(f"{LIST}/none").status == 404


def test_they_come_page_by_page(site: KeptSite, anns: Browser) -> None:
    site.add_task("third")
    first = anns.get(f"{LIST}?limit=1").text
    following = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]

    assert f"{LIST}/third" in first
    assert listed(anns, following.replace("&amp;", "&")) == {"first"}


def test_one_is_shown_with_what_was_asked_its_monitor_and_its_letters(
    site: KeptSite, anns: Browser
) -> None:
    site.add_letter("abcdef123456", monitor="monitor-first", **dead("550 no such user"))

    text = anns.get(f"{LIST}/first").text

    assert "not known yet whether Slurm has it" in text
    assert "&#34;uuid&#34;: &#34;first&#34;" in text
    assert "ö" in text
    assert "\\u202efdp" in text
    assert f'href="/ui/monitors/{quote("monitor-first")}"' in text
    assert "550 no such user" in text
    assert HOSTILE not in text
    assert "&lt;/pre&gt;&lt;script&gt;" in text


def test_one_whose_job_slurm_has_leads_to_that_job(site: KeptSite, anns: Browser) -> None:
    placed = Placed(
        job_id=JobId(77),
        cluster="lab",
        submitted=datetime(2026, 11, 30, 9, tzinfo=UTC),
        work_dir=HOME,
        stdout=f"{HOME}/out.txt",
        stderr=None,
    )
    site.add_task("third", placed=placed)

    text = anns.get(f"{LIST}/third").text

    assert 'href="/ui/jobs/77"' in text
    assert f"{HOME}/out.txt" in text


def test_a_task_of_any_uuid_is_led_to(site: KeptSite, anns: Browser) -> None:
    site.add_task("a:b.c_d-1")

    assert anns.get(f"{LIST}/{quote('a:b.c_d-1', safe='')}").status == 200


def test_the_way_there_is_shown_to_who_may_look_alone(site: KeptSite, anns: Browser) -> None:
    without = site.signed_in(OWN - {Scope.MONITOR_READ, Scope.MONITOR_WRITE})

    assert f'href="{LIST}"' in anns.get("/ui/overview").text
    assert f'href="{LIST}"' not in without.get("/ui/overview").text
    assert without.get(LIST).status == 403

"""The pages of monitors: whose are shown, what became of each, and what may be done to it."""

from pathlib import Path

import pytest

from tests.unit.gateway.watch.monitors import MAIL
from tests.unit.gateway.web.pages.kept_site import KeptSite, dead
from tests.unit.gateway.web.pages.pages_site import OWN, Browser
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Occasion
from waldur_slurm.gateway.watch.monitor import Stage

LIST = "/ui/monitors"
HOSTILE = '"><script>window.canary=1</script>'


@pytest.fixture
def site(tmp_path: Path) -> KeptSite:
    made = KeptSite(place=tmp_path)
    made.add_monitor("m1", job=41, state="RUNNING")
    made.add_monitor("m2", job=42, state="COMPLETED", stage=Stage.ENDED)
    made.add_monitor("m3", "bob", job=43)
    return made


@pytest.fixture
def anns(site: KeptSite) -> Browser:
    return site.signed_in()


def own(site: KeptSite, browser: Browser, monitor_id: str = "own") -> str:
    """Let there be a monitor that is the browser's own; return its page."""
    (token,) = {str(each.principal) for each in site.gateway.tokens.since(0).tokens}
    site.add_monitor(monitor_id, owner=token, job=41)
    assert browser.get(f"{LIST}/{monitor_id}").status == 200
    return f"{LIST}/{monitor_id}"


def listed(browser: Browser, query: str = "") -> set[str]:
    text = browser.get(f"{LIST}{query}").text
    return {each for each in ("m1", "m2", "m3") if f'href="{LIST}/{each}"' in text}


def test_monitors_of_jobs_that_one_sees_are_listed_and_filtered(
    site: KeptSite, anns: Browser
) -> None:
    assert listed(anns) == {"m1", "m2"}
    assert listed(anns, "?stage=ended") == {"m2"}
    assert listed(anns, "?state=running") == {"m1"}
    assert listed(anns, "?job_id=42") == {"m2"}
    assert listed(site.signed_in(Scope, "ann")) == {"m1", "m2", "m3"}


def test_they_come_page_by_page(anns: Browser) -> None:
    first = anns.get(f"{LIST}?limit=1").text
    following = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = anns.get(f"{LIST}{following.replace('&amp;', '&')}").text

    assert f"{LIST}/m2" in first
    assert f"{LIST}/m1" not in first
    assert f"{LIST}/m1" in second


def test_anothers_monitor_is_as_none(anns: Browser) -> None:
    anothers, none = anns.get(f"{LIST}/m3"), anns.get(f"{LIST}/m9")

    assert (anothers.status, none.status) == (404, 404)


def test_one_is_shown_with_what_became_of_it_and_its_letters(site: KeptSite, anns: Browser) -> None:
    site.turn("m1", "PENDING", "RUNNING", "put back twice")
    site.add_letter("abcdef123456", monitor="m1", **dead("550 no <b>such</b> user"))

    text = anns.get(f"{LIST}/m1").text

    for said in ("pending", "running", "put back twice", "abcdef12", "550 no &lt;b&gt;such"):
        assert said in text


def test_whose_it_is_not_sees_no_recipient_and_no_button(anns: Browser) -> None:
    text = anns.get(f"{LIST}/m1").text

    assert "email" in text
    assert "ann@example.org" not in text
    assert "<form" not in text.partition('id="main"')[2].partition("</main>")[0]


def test_who_may_only_look_is_offered_nothing(site: KeptSite) -> None:
    reader = site.signed_in({Scope.MONITOR_READ})
    page = own(site, reader)

    assert "ann@example.org" in reader.get(page).text
    assert f'action="{page}' not in reader.get(page).text
    assert reader.post(f"{page}/forget", {}).status == 403
    assert "own" in site.monitors.kept


def test_a_test_letter_is_written_by_a_button(site: KeptSite, anns: Browser) -> None:
    page = own(site, anns)

    answer = anns.press(page, f"{page}/test")

    assert (answer.status, answer.headers["location"]) == (303, f"{page}?done=test")
    (written,) = site.monitors.outbox.kept.values()
    assert (written.event, dict(written.parameters)) == (Occasion.TRIAL, dict(MAIL[written.method]))
    assert 'role="status">A letter is written' in anns.get(answer.headers["location"]).text


def test_one_is_forgotten_after_a_question(site: KeptSite, anns: Browser) -> None:
    page = own(site, anns)

    answer = anns.press(page, f"{page}/forget")

    assert answer.headers["location"] == f"{LIST}?done=forget"
    assert "own" not in site.monitors.kept
    assert "The monitor is forgotten" in anns.get(answer.headers["location"]).text


@pytest.mark.parametrize("verb", ["test", "forget"])
@pytest.mark.parametrize("form", [{}, {"form": "wrong"}])
def test_without_the_sessions_own_form_nothing_is_done(
    site: KeptSite, anns: Browser, verb: str, form: dict[str, str]
) -> None:
    page = own(site, anns)

    assert anns.post(f"{page}/{verb}", form).status == 403
    assert "own" in site.monitors.kept
    assert site.monitors.outbox.kept == {}


def test_anothers_monitor_is_not_changed_by_a_form_of_ones_own(
    site: KeptSite, anns: Browser
) -> None:
    page = own(site, anns)
    token = anns.get(page).text.partition('name="form" value="')[2].partition('"')[0]

    assert anns.post(f"{LIST}/m1/forget", {"form": token}).status == 403
    assert anns.post(f"{LIST}/m3/forget", {"form": token}).status == 404
    assert {"m1", "m3"} <= site.monitors.kept.keys()


def test_hostile_words_are_text(site: KeptSite, anns: Browser) -> None:
    site.add_monitor("m4", job=None, state=HOSTILE, uuid=HOSTILE, task={"name": HOSTILE})
    site.turn("m4", HOSTILE, HOSTILE, HOSTILE)

    for path in (LIST, f"{LIST}/m4"):
        answer = anns.get(path)
        assert answer.status == 200
        assert "<script>window" not in answer.text
        assert "&lt;script&gt;window" in answer.text


def test_the_way_there_is_shown_to_who_may_look_alone(site: KeptSite, anns: Browser) -> None:
    without = site.signed_in(OWN - {Scope.MONITOR_READ, Scope.MONITOR_WRITE})

    assert f'href="{LIST}"' in anns.get("/ui/overview").text
    assert f'href="{LIST}"' not in without.get("/ui/overview").text
    assert without.get(LIST).status == 403


def test_pages_of_a_cluster_lead_to_pages_of_that_cluster(anns: Browser) -> None:
    text = anns.get("/ui/clusters/lab/monitors").text

    assert 'href="/ui/clusters/lab/monitors/m1"' in text
    assert 'href="/ui/letters"' in text

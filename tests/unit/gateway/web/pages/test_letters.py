"""The page of letters: which there are, and a dead one sent again."""

from pathlib import Path

import pytest

from tests.unit.gateway.web.pages.kept_site import KeptSite, dead
from tests.unit.gateway.web.pages.pages_site import Browser
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Stage

LIST = "/ui/letters"
HOSTILE = "</td></table><script>window.canary=1</script>" + "x" * 2000


@pytest.fixture
def site(tmp_path: Path) -> KeptSite:
    made = KeptSite(place=tmp_path)
    made.add_letter("waits", stage=Stage.WAITING)
    made.add_letter("arrived", stage=Stage.DELIVERED)
    made.add_letter("of-bob", "bob", **dead())
    return made


@pytest.fixture
def anns(site: KeptSite) -> Browser:
    return site.signed_in()


@pytest.fixture
def owner(site: KeptSite, anns: Browser) -> str:
    (token,) = {str(each.principal) for each in site.gateway.tokens.since(0).tokens}
    return token


def listed(browser: Browser, query: str = "") -> set[str]:
    text = browser.get(f"{LIST}{query}").text
    known = ("waits", "arrived", "of-bob", "dead-own", "dead-ann")
    return {each for each in known if f'title="{each}"' in text}


def test_letters_of_jobs_that_one_sees_are_listed_by_stage(site: KeptSite, anns: Browser) -> None:
    assert listed(anns) == {"waits", "arrived"}
    assert listed(anns, "?stage=waiting") == {"waits"}
    assert listed(anns, "?stage=dead") == set()
    assert listed(site.signed_in(Scope, "ann"), "?stage=dead") == {"of-bob"}


def test_a_dead_letter_of_ones_own_is_sent_again(site: KeptSite, anns: Browser, owner: str) -> None:
    site.add_letter("dead-own", owner=owner, **dead())
    site.add_letter("dead-ann", **dead())
    text = anns.get(LIST).text
    assert f'action="{LIST}/dead-ann/again"' not in text
    assert f'action="{LIST}/waits/again"' not in text

    answer = anns.press(LIST, f"{LIST}/dead-own/again")

    assert (answer.status, answer.headers["location"]) == (303, f"{LIST}?done=again")
    assert site.monitors.outbox.kept["dead-own"].stage is Stage.WAITING
    assert 'role="status">The letter waits' in anns.get(answer.headers["location"]).text


@pytest.mark.parametrize("form", [{}, {"form": "wrong"}])
def test_without_the_sessions_own_form_none_is_sent(
    site: KeptSite, anns: Browser, owner: str, form: dict[str, str]
) -> None:
    site.add_letter("dead-own", owner=owner, **dead())

    assert anns.post(f"{LIST}/dead-own/again", form).status == 403
    assert site.monitors.outbox.kept["dead-own"].stage is Stage.DEAD


def test_who_may_only_look_sends_none(site: KeptSite) -> None:
    reader = site.signed_in({Scope.MONITOR_READ})
    (token,) = {str(each.principal) for each in site.gateway.tokens.since(0).tokens}
    site.add_letter("dead-own", owner=token, **dead())

    assert listed(reader, "?stage=dead") == {"dead-own"}
    assert "/again" not in reader.get(LIST).text
    assert reader.post(f"{LIST}/dead-own/again", {}).status == 403
    assert site.monitors.outbox.kept["dead-own"].stage is Stage.DEAD


def test_the_last_words_of_a_sink_are_text(site: KeptSite, anns: Browser, owner: str) -> None:
    site.add_letter("dead-own", owner=owner, **dead(HOSTILE))

    text = anns.get(LIST).text

    assert "<script>window" not in text
    assert "&lt;/td&gt;&lt;/table&gt;&lt;script&gt;" in text
    assert text.count("</table>") == 1

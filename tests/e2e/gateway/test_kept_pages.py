"""Apps, tasks, monitors and letters as a person uses their pages, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.gateway.browser import NARROW, Look, chromium, looking, served
from tests.e2e.gateway.kept_bed import OLD, SAYS, kept_bed
from tests.unit.gateway.web.pages.kept_site import PAGE, KeptSite
from tests.unit.gateway.web.pages.kept_site import dead as is_dead
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Stage

PAGES = (
    "/ui/apps",
    PAGE,
    f"{PAGE}/new?template=own",
    f"{PAGE}/new?template=batch",
    f"{PAGE}/jobs/{OLD}?user=ann",
    "/ui/tasks",
    "/ui/tasks/placed",
    "/ui/monitors",
    "/ui/monitors/00123456789abcdef",
    "/ui/letters",
    "/ui/letters?stage=dead",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> KeptSite:
    return kept_bed(Path(tmp_path_factory.mktemp("apps")))


@pytest.fixture(scope="module")
def base(site: KeptSite) -> Iterator[str]:
    with served(site.app) as address:
        yield address


@pytest.fixture(scope="module")
def known(browser: Browser, base: str, site: KeptSite) -> Any:
    """What a browser keeps of one who manages all, and acts for Ann."""
    with looking(browser, base) as made:
        made.sign_in(site.token(Scope, "ann"), "/ui/apps")
        return made.page.context.storage_state()


@pytest.fixture(
    scope="module",
    params=[{}, {"viewport": NARROW, "color_scheme": "dark"}],
    ids=["wide", "narrow and dark"],
)
def eyes(request: pytest.FixtureRequest, browser: Browser, base: str, known: Any) -> Iterator[Look]:
    """One window for all pages: to open one costs more than to go to the next."""
    with looking(browser, base, storage_state=known, **request.param) as made:
        yield made


@pytest.fixture
def look(browser: Browser, base: str, known: Any) -> Iterator[Look]:
    with looking(browser, base, storage_state=known) as made:
        yield made


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_nothing_sticks_out_and_nothing_runs(
    eyes: Look, path: str
) -> None:
    eyes.go(path)
    expect(eyes.page.get_by_role("heading", level=1)).to_be_visible()

    assert eyes.serious() == []
    width = eyes.page.evaluate("document.documentElement.scrollWidth")
    assert width <= eyes.page.viewport_size["width"]  # type: ignore[index]  # there is one
    assert eyes.page.evaluate("window.canary") is None
    assert eyes.wrong == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_job_is_made_started_watched_stopped_and_removed(
    browser: Browser, base: str, known: Any, site: KeptSite, *, scripts: bool
) -> None:
    with looking(browser, base, storage_state=known, java_script_enabled=scripts) as look:
        page, name = look.page, f"by hand, {scripts}"
        look.go("/ui/apps")
        page.get_by_role("link", name="portal").click()
        page.get_by_role("link", name="New from own").click()
        page.get_by_label("command").fill("echo hello")
        page.get_by_label("Its name here").fill(name)
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()

        (job,) = (each for each in site.kept_jobs.jobs.values() if each.name == name)
        handed_in = site.queue.jobs[-1]
        expect(page.get_by_role("region", name="Script")).to_contain_text("echo hello")
        row = site.put(handed_in.number)
        site.queue.jobs.pop()
        site.tree.write(f"{site.folder(job.id)}/slurm-{row.id.number}.out", b"hello\n")
        site.gateway.pictures.jobs.forget()
        page.reload()
        expect(page.get_by_role("log")).to_contain_text("hello")
        page.get_by_text("Stop\u2026").click()
        page.get_by_role("button", name="Yes, stop it").click()
        expect(page.locator("p[role=status]")).to_contain_text("being ended")
        assert handed_in.state == "CANCELLED"
        site.gateway.cluster.finish(row.id.number, "CANCELLED")
        site.gateway.pictures.jobs.forget()
        page.get_by_text("Remove\u2026").click()
        page.get_by_role("button", name="Yes, remove it").click()
        expect(page.locator("p[role=status]")).to_contain_text("stopped and removed")
        assert job.id not in site.kept_jobs.jobs


def test_a_dead_letter_is_found_and_sent_again(site: KeptSite, look: Look) -> None:
    site.add_letter("tobesent-again", **is_dead())
    look.go("/ui/letters")
    look.page.get_by_role("link", name="dead", exact=True).click()
    look.page.get_by_role("button", name="Send letter tobesent again").click()

    expect(look.page.locator("p[role=status]")).to_contain_text("once more")
    assert site.monitors.outbox.kept["tobesent-again"].stage is Stage.WAITING


def test_a_monitor_tells_its_way_by_a_test_letter_and_is_forgotten(
    site: KeptSite, look: Look
) -> None:
    site.add_monitor("tobeforgotten", job=99)
    look.go("/ui/monitors")
    look.page.get_by_role("textbox", name="Job").fill("99")
    look.page.get_by_role("button", name="Filter").click()
    look.page.get_by_role("link", name="tobeforg").click()
    look.page.get_by_role("button", name="Send a test letter").click()
    expect(look.page.get_by_role("region", name="Letters")).to_contain_text("trial")
    look.page.get_by_text("Forget\u2026").click()
    look.page.get_by_role("button", name="Yes, forget it").click()

    expect(look.page.locator("p[role=status]")).to_contain_text("forgotten")
    assert "tobeforgotten" not in site.monitors.kept


def test_the_words_of_a_sink_are_shown_in_full(look: Look) -> None:
    look.go("/ui/letters?stage=dead")

    expect(look.page.get_by_text(SAYS)).to_be_visible()

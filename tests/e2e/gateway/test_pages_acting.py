"""The dashboard of a real gateway in front of a real Slurm, used by a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.gateway.acting import SMALL, ActingGateway, ActingSite
from tests.e2e.gateway.browser import Look, chromium, looking
from tests.fixtures_hand import ANN, BOB
from waldur_slurm.gateway.doors.scopes import Scope

NAME = "<script>window.canary=1</script>"
SCRIPT = "#!/bin/sh\necho first\nsleep 2\necho second\nsleep 600\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def look(acting: ActingGateway, acting_site: ActingSite, browser: Browser) -> Iterator[Look]:
    """Ann's, signed in by a token of hers."""
    scopes = ",".join(set(Scope) - {Scope.JOBS_READ_ALL})
    token = acting_site.token(ANN, name="ann", scopes=scopes)
    with looking(browser, f"http://127.0.0.1:{acting.port}") as made:
        made.sign_in(token)
        yield made


def submitted(acting: ActingGateway, site: ActingSite, user: str, **options: str) -> str:
    """Hand a job in that writes into its user's home."""
    told = {**SMALL, "job-name": NAME, **options}
    answer = acting.submit(site.token(), user=user, script=SCRIPT, options=told)
    assert answer.status == 201, answer.body
    return str(answer.json["job_id"])


def test_a_real_job_is_found_followed_and_cancelled(
    acting: ActingGateway, acting_site: ActingSite, look: Look
) -> None:
    folder = str(acting_site.hand.home(ANN))
    job = submitted(acting, acting_site, ANN, chdir=folder, output=f"{folder}/%j.out")
    others = submitted(acting, acting_site, BOB)
    page = look.page

    look.go("/ui/queue")
    page.get_by_role("link", name=job, exact=True).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("log")).to_contain_text("first\nsecond")
    assert page.get_by_role("link", name=others, exact=True).count() == 0
    assert page.evaluate("window.canary") is None
    drawer.get_by_text("Cancel\u2026").click()
    drawer.get_by_role("button", name="Yes, cancel it").click()
    expect(drawer.get_by_role("status")).to_contain_text("being cancelled")
    page.keyboard.press("Escape")
    expect(page.locator("table.jobs .badge").first).to_contain_text("cancelled")

    acts = [each["fields"] for each in acting_site.acts() if each["event"] == "job.cancel"]
    assert [(act["user"], act["who"].partition("(")[0]) for act in acts] == [(ANN, "token:ann")]


def test_every_page_is_served_by_a_real_slurm(look: Look) -> None:
    pages = ("overview", "usage", "nodes", "history", "partitions", "accounts", "statistics")
    for name in pages:
        look.go(f"/ui/{name}")
        expect(look.page.get_by_role("heading", level=1)).to_be_visible()
        assert look.page.get_by_role("alert").count() == 0, name
        assert look.answers[-1].status < 400

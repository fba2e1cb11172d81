"""The dashboard as a person uses it, in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.gateway.browser import NARROW, Look, chromium, looking, served
from tests.e2e.gateway.pages_bed import HOSTILE, NAMES, large_site
from tests.unit.gateway.web.pages.pages_site import HOME, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope

PAGES = (
    "/ui/overview",
    "/ui/queue?whose=all",
    "/ui/queue?whose=all&job=1",
    "/ui/jobs/1",
    "/ui/usage",
    "/ui/nodes",
    "/ui/nodes/n0007",
    "/ui/load?range=24h",
    "/ui/history",
    "/ui/history?by=user",
    "/ui/accounts",
    "/ui/partitions",
    "/ui/statistics",
)
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site() -> PagesSite:
    return large_site()


@pytest.fixture(scope="module")
def base(site: PagesSite) -> Iterator[str]:
    with served(site.app) as address:
        yield address


@pytest.fixture
def admin(site: PagesSite) -> str:
    """A token of one who sees all, and acts for Ann."""
    return site.token(Scope, "ann")


@pytest.fixture(scope="module")
def known(browser: Browser, base: str, site: PagesSite) -> Any:
    """What a browser keeps of one who is signed in, sees all, and acts for Ann."""
    with looking(browser, base) as made:
        made.sign_in(site.token(Scope, "ann"))
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


def shown_jobs(look: Look) -> list[str]:
    return look.page.locator("table.jobs tbody th").all_inner_texts()


def test_whoever_signs_in_finds_the_page_that_he_wanted(
    browser: Browser, base: str, admin: str
) -> None:
    with looking(browser, base) as look:
        look.sign_in(admin, "/ui/queue?whose=all&state=FAILED")

        states = set(look.page.locator("table.jobs .badge").all_inner_texts())
        assert states == {"failed"}
        look.page.get_by_role("button", name="Sign out").click()
        look.page.wait_for_url("**/ui/sign-in")
        look.go("/ui/queue")
        expect(look.page.get_by_label("Token")).to_be_visible()


def test_ten_thousand_jobs_are_filtered_and_the_address_says_how(look: Look) -> None:
    look.go("/ui/queue?whose=all")
    look.page.get_by_label("Name").fill("resnet")
    look.page.get_by_label("Rows").select_option("25")
    look.page.get_by_role("button", name="Filter").click()
    look.page.wait_for_url("**name=resnet**")

    names = set(look.page.locator("table.jobs td.name").all_inner_texts())
    assert names == {"train-resnet"}
    address = look.page.url
    assert "user=" not in address
    first = shown_jobs(look)
    look.page.get_by_role("link", name="Next").click()
    look.page.wait_for_url("**page=2**")
    assert not set(first) & set(shown_jobs(look))
    look.page.go_back()
    assert shown_jobs(look) == first


def test_a_job_opens_beside_the_list_and_its_output_comes_as_it_is_written(
    site: PagesSite, look: Look
) -> None:
    look.go("/ui/queue?whose=all&job_id=2")
    look.page.get_by_role("link", name="2", exact=True).click()

    drawer = look.page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="Job 2")).to_be_visible()
    expect(drawer.get_by_role("log")).to_contain_text("<b>step 1</b>")
    site.tree.append(f"{HOME}/slurm-2.out", b"step 2\n")
    expect(drawer.get_by_role("log")).to_contain_text("step 2")
    assert look.page.url.endswith("job_id=2&job=2")
    look.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert "job=2" not in look.page.url.replace("job_id=2", "")
    expect(look.page.get_by_role("link", name="2", exact=True)).to_be_focused()


def test_an_address_with_an_open_job_opens_it(look: Look) -> None:
    look.go("/ui/queue?whose=all&job=3")

    expect(look.page.get_by_role("dialog").get_by_role("heading", name="Job 3")).to_be_visible()


def test_a_job_is_cancelled_after_one_question(site: PagesSite, look: Look) -> None:
    look.go("/ui/queue?whose=all&job=4")
    drawer = look.page.get_by_role("dialog")
    drawer.get_by_text("Cancel\u2026").click()
    expect(drawer.get_by_text("Cancel job 4?")).to_be_visible()
    drawer.get_by_role("button", name="Yes, cancel it").click()

    expect(drawer.get_by_role("status")).to_contain_text("being cancelled")
    assert {job.number: job.state for job in site.queue.jobs}[4] == "CANCELLED"


@pytest.mark.parametrize("path", ["/ui/sign-in", *PAGES])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(eyes: Look, path: str) -> None:
    eyes.go(path)
    if "job=" in path:
        expect(eyes.page.get_by_role("dialog")).to_be_visible()
    eyes.page.wait_for_timeout(300)  # until it has slid in

    assert eyes.serious() == []
    width = eyes.page.evaluate("document.documentElement.scrollWidth")
    assert width <= eyes.page.viewport_size["width"]  # type: ignore[index]  # there is one
    assert eyes.wrong == []


def test_axe_would_find_a_field_without_a_name(look: Look) -> None:
    look.go("/ui/sign-in")
    look.page.evaluate(
        "document.querySelector('label').replaceWith(...document.querySelectorAll('label input'))"
    )
    look.page.evaluate("document.querySelector('[name=token]').placeholder = ''")

    assert any("label" in each for each in look.serious())


def test_the_matrix_shows_each_node_to_mouse_and_keyboard(look: Look) -> None:
    look.go("/ui/usage")
    canvas, told = look.page.get_by_role("img", name="How full"), look.page.locator("#cell")
    expect(canvas).to_be_visible()
    canvas.focus()
    look.page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("n0001")
    look.page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("n0002")
    look.page.keyboard.press("ArrowDown")
    expect(told).to_contain_text("long:")
    canvas.hover(position={"x": 100, "y": 30})
    expect(told).to_contain_text("n0001")
    look.page.keyboard.press("Enter")
    look.page.wait_for_url("**/ui/nodes/n0001")


def test_a_cell_is_coloured_by_cpus_or_memory_whichever_is_fuller(look: Look) -> None:
    """Of 8 CPUs and 100 MiB: by quarters, and a node with hardly any memory left is full."""
    look.go("/ui/usage")
    module = look.page.locator("script[src$='matrix.js']").get_attribute("src")
    ask = "([module, cpus, memory]) => import(module).then(m => m.levelOf(cpus, 8, memory, 100))"
    levels = {
        (0, 0): 0, (1, 0): 1, (2, 0): 1, (3, 0): 2, (4, 0): 2, (6, 0): 3, (7, 0): 4, (8, 0): 5,
        (0, 25): 1, (0, 26): 2, (0, 95): 4, (0, 96): 5, (2, 51): 3, (7, 100): 5,
    }  # fmt: skip

    found = {each: look.page.evaluate(ask, [module, *each]) for each in levels}

    assert found == levels


def test_the_matrix_has_another_palette_which_stays(look: Look) -> None:
    look.go("/ui/usage")
    before = picture(look)
    look.page.get_by_role("button", name="Colour-blind palette").click()
    after = picture(look)
    assert before != after
    look.go("/ui/usage")

    assert picture(look) == after


def picture(look: Look) -> str:
    """What the canvas shows, once it does."""
    canvas = look.page.get_by_role("img", name="How full")
    expect(canvas).to_be_visible()
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def test_the_load_is_drawn_for_the_time_that_was_chosen(look: Look) -> None:
    look.go("/ui/load")
    expect(look.page.locator(".uplot canvas")).to_have_count(2)
    look.page.get_by_role("link", name="week").click()
    look.page.wait_for_url("**range=7d")

    expect(look.page.get_by_role("heading", name="The last week")).to_be_visible()
    expect(look.page.locator(".uplot canvas")).to_have_count(2)


def test_a_thousand_nodes_are_drawn_within_the_window(
    browser: Browser, site: PagesSite, look: Look
) -> None:
    cluster = site.gateway.cluster
    some = dict(cluster.nodes)
    for number in range(1001, 1801):
        name = f"n{number}"
        cluster.nodes[name] = replace(some["n0001"], name=name)
    try:
        site.gateway.pictures.nodes.forget()
        look.go("/ui/usage")
        canvas = look.page.get_by_role("img", name="How full")
        expect(canvas).to_be_visible()
        size = canvas.bounding_box()
        assert size
        assert size["width"] < 1280
        assert size["height"] > 300
    finally:
        cluster.nodes = some
        site.gateway.pictures.nodes.forget()


def test_a_theme_that_was_chosen_stays(look: Look) -> None:
    look.go("/ui/overview")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = look.page.evaluate(ground)
    button = look.page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    look.go("/ui/overview")

    expect(look.page.get_by_role("button", name="Theme dark")).to_be_visible()
    assert look.page.evaluate(ground) != light


def test_everything_is_done_by_keyboard_alone(site: PagesSite, look: Look) -> None:
    page = look.page
    look.go("/ui/queue?whose=all&job_id=5")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(look, r"^5$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(look, r"^Cancel\u2026$")
    page.keyboard.press("Enter")
    tab_to(look, r"^Yes, cancel it$")
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("cancelled")
    assert {job.number: job.state for job in site.queue.jobs}[5] == "CANCELLED"


def tab_to(look: Look, words: str) -> None:
    for _ in range(60):
        look.page.keyboard.press("Tab")
        text = look.page.evaluate("document.activeElement.textContent.trim()")
        if re.search(words, text):
            return
    raise AssertionError(f"nothing with {words} is reached by the keyboard")


def test_names_that_users_chose_are_shown_and_never_run(look: Look) -> None:
    for path in (*PAGES, "/ui/queue?whose=all&limit=200&name=%3Cscript%3E"):
        look.go(path)
        look.page.wait_for_timeout(200)
        assert look.page.evaluate("window.canary") is None
    own = {NAMES[number % len(NAMES)] for number in range(1, 2 * len(NAMES))}
    assert set(HOSTILE) <= own
    assert look.page.get_by_text(HOSTILE[0]).first.is_visible()


def test_a_script_in_a_page_would_not_run(look: Look) -> None:
    """The policy is the second wall: this breaks the first on purpose."""
    look.go("/ui/overview")
    look.page.evaluate(
        "document.body.append(document.createRange().createContextualFragment("
        "'<script>window.canary = 1</script><img src=x onerror=\"window.canary = 1\">'))"
    )
    look.page.wait_for_timeout(200)

    assert look.page.evaluate("window.canary") is None
    assert any("Content Security Policy" in each for each in look.wrong)
    look.wrong.clear()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_little_to_fetch(browser: Browser, base: str, known: Any, path: str) -> None:
    """All bytes that come over the wire to one who has been here never before."""
    with looking(browser, base, storage_state=known) as look:
        look.go(path)
        look.page.wait_for_timeout(500)

        assert 1000 < look.transferred() < MOST_BYTES


def test_tables_and_filters_work_without_scripts(browser: Browser, base: str, admin: str) -> None:
    with looking(browser, base, java_script_enabled=False) as look:
        look.sign_in(admin)
        look.go("/ui/queue?whose=all")
        look.page.get_by_label("Name").fill("resnet")
        look.page.get_by_role("button", name="Filter").click()
        look.page.wait_for_url("**name=resnet**")
        assert set(look.page.locator("table.jobs td.name").all_inner_texts()) == {"train-resnet"}
        look.go("/ui/jobs/6")
        look.page.get_by_role("link", name="Show the end").click()
        expect(look.page.get_by_role("log")).to_contain_text("step 1")
        look.page.get_by_text("Requeue\u2026").click()
        look.page.get_by_role("button", name="Yes, requeue it").click()
        expect(look.page.get_by_role("status").first).to_contain_text("back in the queue")


def test_a_page_that_is_looked_at_follows_what_happens(site: PagesSite, look: Look) -> None:
    look.go("/ui/queue?whose=all&job_id=1")
    expect(look.page.locator("table.jobs .badge")).to_have_text("running")
    job = site.gateway.cluster.jobs[1]
    site.gateway.cluster.finish(1)
    try:
        expect(look.page.locator("table.jobs .badge")).to_have_text("completed", timeout=15_000)
    finally:
        site.gateway.cluster.put(job)


def test_a_session_that_ends_shows_the_way_in(site: PagesSite, look: Look) -> None:
    site.later = timedelta(hours=13)
    try:
        look.go("/ui/overview")
        expect(look.page.get_by_label("Token")).to_be_visible()
    finally:
        site.later = timedelta(0)

"""A real browser, signed in, is led to a hostile page: it reads nothing there and does nothing.

The page is of another port of the same host, which browsers call the same site: a cookie's SameSite
holds nothing up.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.e2e.gateway.browser import chromium, looking, served
from tests.trust.size import count
from tests.unit.gateway.web.pages.pages_site import HOME, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope

ANNS = "the name of a job of Ann's"
PAGE = """<!DOCTYPE html><title>free games</title>
<iframe name="sink"></iframe><iframe id="framed" src="%(gateway)s/ui/queue"></iframe>
<script src="%(gateway)s/api/v1/jobs"></script><script src="%(gateway)s/ui/queue.csv"></script>
<script src="%(gateway)s/api/v1/jobs/1/files/evil.js"></script>
<script>
const gateway = "%(gateway)s", found = {};
async function read(path, how) {
  const name = JSON.stringify([path, how]);
  try {
    const answer = await fetch(gateway + path, {credentials: "include", ...how});
    found[name] = `${answer.type} ${await answer.text()}`;
  } catch (error) { found[name] = "blocked"; }
}
function send(path, fields) {
  return new Promise(done => {
    const form = Object.assign(document.createElement("form"),
                               {action: gateway + path, method: "POST", target: "sink"});
    for (const [name, value] of Object.entries(fields))
      form.append(Object.assign(document.createElement("input"), {name, value}));
    document.body.append(form);
    document.querySelector("[name=sink]").onload = done;
    form.submit();
    setTimeout(done, 5000);
  });
}
async function attack(token) {
  for (const path of ["/api/v1/jobs", "/queue", "/history", "/ui/queue", "/api/v1/jobs/1/output",
                      "/api/v1/me", "/metrics"])
    for (const how of [{}, {mode: "no-cors"}, {headers: {"X-Auth-Token": "x"}}])
      await read(path, how);
  for (const path of ["/api/v1/jobs/1/hold", "/api/v1/jobs", "/ui/jobs/1/cancel", "/submit",
                      "/ui/sign-out"])
    for (const how of [{}, {mode: "no-cors"}, {headers: {"Content-Type": "application/json"}}])
      await read(path, {method: "POST", body: "{}", ...how});
  for (const method of ["DELETE", "PATCH", "PUT"]) await read("/api/v1/jobs/1", {method});
  await send("/ui/jobs/1/cancel", {form: "a.b"});
  await send("/ui/jobs/1/hold", {});
  await send("/ui/sign-out", {});
  await send("/ui/sign-in", {token, back: "https://evil.example/"});
  const opened = window.open(gateway + "/ui/queue");
  await new Promise(done => setTimeout(done, 1000));
  try { found.opened = opened ? String(opened.document.title) : "blocked"; }
  catch (error) { found.opened = "blocked"; }
  return found;
}
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def site() -> PagesSite:
    """Ann has a job that runs and two files; whoever guesses a name of a variable has it too."""
    made = PagesSite()
    made.put(1, name=ANNS)
    made.tree.write(f"{HOME}/slurm-1.out", ANNS.encode())
    made.tree.write(f"{HOME}/evil.js", b"window.canary = 1")
    made.tree.write(f"{HOME}/evil.html", b"<script>window.canary = 1</script>")
    return made


def test_a_hostile_page_reads_nothing_and_does_nothing(browser: Browser, site: PagesSite) -> None:
    others = site.token(Scope, "bob")
    with served(site.app) as gateway, looking(browser, gateway) as look:
        evil = Starlette(routes=[Route("/", lambda _: HTMLResponse(PAGE % {"gateway": gateway}))])
        look.sign_in(site.token())
        kept = dict(site.sessions.kept)
        with served(evil) as address:
            look.page.goto(address)
            found: dict[str, Any] = look.page.evaluate("token => attack(token)", others)
            framed = look.page.frames[-1].content()
            canary = look.page.evaluate("window.canary")
        count("thing that a hostile page tries in a browser", len(found) + 10)

        assert len(found) == 40
        assert {text for text in found.values() if text not in ("blocked", "opaque ")} == set()
        assert (ANNS in framed, canary) == (False, None)
        assert [job.state for job in site.queue.jobs] == ["RUNNING"]
        assert site.sessions.kept == kept, "nobody was signed in or out"
        look.go("/ui/queue")
        assert ANNS in look.page.content()
        assert json.loads(look.page.evaluate(ME))["run_as"] == "ann"
        look.wrong.clear()  # what the browser says of all that it refused


ME = "fetch('/api/v1/me').then(answer => answer.text())"


@pytest.mark.parametrize("file", ["evil.html", "evil.js"])
def test_what_a_user_wrote_is_saved_and_not_shown(
    browser: Browser, site: PagesSite, file: str
) -> None:
    with served(site.app) as gateway, looking(browser, gateway) as look:
        look.sign_in(site.token())
        with look.page.expect_download() as saved:
            look.page.evaluate(f"location.href = '/api/v1/jobs/1/files/{file}'")
        assert saved.value.suggested_filename == file

        assert look.page.evaluate("window.canary") is None
        assert look.page.url.endswith("/ui/queue")

"""The pages of apps: who is shown which, a job made of a template, and what is done to it."""

import re
from html import unescape
from pathlib import Path

import pytest

from tests.fakes.cluster import live_job
from tests.unit.gateway.web.pages.kept_site import APP, OTHER, PAGE, KeptSite
from tests.unit.gateway.web.pages.pages_site import OWN, Browser
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName

HOSTILE = '"><script>window.canary=1</script>'
TEMPLATE = """{#
parameters:
  command: {kind: lines, required: true, says: What <i>runs</i>.}
  args: {kind: texts}
  cpus: {kind: whole, most: 64, default: 2}
  queue: {kind: choice, choices: [main, long], default: main}
  loud: {kind: flag, default: true}
#}
#!/bin/sh
#SBATCH --cpus-per-task={{ cpus | sbatch }}
#SBATCH --partition={{ queue | sbatch }}
{% if loud %}set -x
{% endif %}
sh -c {{ command | sh }}{% for arg in args or [] %} {{ arg | sh }}{% endfor %}
"""


@pytest.fixture
def site(tmp_path: Path) -> KeptSite:
    made = KeptSite(place=tmp_path)
    made.places.put_template(APP.id, "own", TEMPLATE)
    return made


@pytest.fixture
def portal(site: KeptSite) -> Browser:
    return site.opened(actors="ann")


def form_of(browser: Browser, template: str = "own", user: str = "ann") -> dict[str, str]:
    """Return what the fields hold that a browser would send, untouched."""
    text = browser.get(f"{PAGE}/new?template={template}&user={user}").text
    text = text.partition('id="main"')[2]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text)
    return {name: unescape(value) for name, value in hidden}


def made(browser: Browser, **more: str) -> str:
    """Make a job by the form; return its page."""
    typed = {"with.command": "true", "with.loud": "on", **more}
    answer = browser.post(f"{PAGE}/jobs", form_of(browser) | typed)
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def plain(page: str) -> str:
    return page.partition("?")[0]


def script_of(site: KeptSite) -> str:
    (job,) = site.kept_jobs.jobs.values()
    found = site.tree.read(f"{site.folder(job.id)}/batch.sh")
    return found.decode()


def lists(site: KeptSite, number: int, state: str) -> None:
    """Let slurmctld list the job so."""
    site.gateway.cluster.put(live_job(number, user=UserName("ann"), state=state))
    site.gateway.pictures.jobs.forget()


def test_who_manages_apps_is_shown_all_and_a_token_of_one_that_one(
    site: KeptSite, portal: Browser
) -> None:
    admin = site.signed_in({Scope.APPS_ADMIN}, "any")

    assert "portal" in portal.get("/ui/apps").text
    assert "another" not in portal.get("/ui/apps").text
    assert "another &lt;b&gt;app" in admin.get("/ui/apps").text


def test_an_app_that_one_may_not_open_is_as_none(site: KeptSite, portal: Browser) -> None:
    other = f"/ui/apps/{OTHER.id}"
    stranger = site.signed_in({Scope.APPS_USE}, "any")

    for browser, path in ((portal, other), (portal, f"{other}/new"), (stranger, PAGE)):
        assert browser.get(path).status == 404
    assert 'href="/ui/apps"' not in stranger.get("/ui/sign-in").text
    assert site.signed_in(OWN - {Scope.APPS_USE, Scope.APPS_ADMIN}).get("/ui/apps").status == 403


def test_a_token_of_an_app_comes_in_at_its_apps(portal: Browser) -> None:
    assert portal.get("/ui").headers["location"] == "/ui/apps"
    assert 'aria-current="page"' in portal.get("/ui/apps").text
    assert 'href="/ui/queue"' not in portal.get("/ui/apps").text


def test_who_acts_for_one_user_is_that_user_and_others_are_asked_whom_they_mean(
    site: KeptSite, portal: Browser
) -> None:
    made(portal)
    anybody = site.opened()

    assert "Jobs of ann" in portal.get(PAGE).text
    assert 'name="user"' not in portal.get(PAGE).text
    assert "Say whose jobs are meant" in anybody.get(PAGE).text
    assert PAGE + "/jobs/" in anybody.get(f"{PAGE}?user=ann").text
    assert PAGE + "/jobs/" not in anybody.get(f"{PAGE}?user=bob").text
    assert portal.get(f"{PAGE}?user=bob").status == 403


def test_the_form_has_a_field_for_each_parameter_with_its_default(portal: Browser) -> None:
    text = portal.get(f"{PAGE}/new?template=own").text

    assert '<textarea rows="6" name="with.command" required' in text
    assert "What &lt;i&gt;runs&lt;/i&gt;." in text
    assert 'value="2" min=' in text or 'value="2" max="64"' in text
    assert '<option value="main" selected>' in text
    assert 'name="with.loud" checked' in text
    assert portal.get(f"{PAGE}/new?template=none").status == 404
    assert portal.get(f"{PAGE}/new").status == 200


def test_a_job_is_made_of_what_was_typed_line_by_line(site: KeptSite, portal: Browser) -> None:
    """A browser ends lines with two letters; a script must not."""
    typed = {
        "with.command": "echo one\r\necho two",
        "with.args": "a b\r\n--c\r\n",
        "with.cpus": " 8 ",
        "with.queue": "long",
        "name": "of the form",
    }
    answer = portal.post(f"{PAGE}/jobs", form_of(portal) | typed)

    assert answer.status == 303, answer.text
    assert site.queue.jobs == []
    script = script_of(site)
    assert "sh -c 'echo one\necho two' 'a b' '--c'" in script
    assert "--cpus-per-task=8" in script
    assert "--partition=long" in script
    assert "set -x" not in script
    text = portal.get(answer.headers["location"]).text
    assert "of the form" in text
    assert "It was never started" in text
    assert "sh -c &#39;echo one" in text
    assert "batch.sh" in text


def test_it_starts_at_once_where_that_is_wished(site: KeptSite, portal: Browser) -> None:
    page = made(portal, start="on")

    assert [job.state for job in site.queue.jobs] == ["PENDING"]
    (job,) = site.queue.jobs
    admin = site.signed_in(OWN, "ann")
    assert f'href="/ui/jobs/{job.number}"' in admin.get(page).text
    assert "/ui/jobs/" not in portal.get(page).text


def test_a_form_that_is_sent_twice_makes_one_job(site: KeptSite, portal: Browser) -> None:
    form = form_of(portal) | {"with.command": "true", "start": "on"}

    first, again = (portal.post(f"{PAGE}/jobs", form) for _ in range(2))

    assert first.headers["location"] == again.headers["location"]
    assert len(site.kept_jobs.jobs) == len(site.queue.jobs) == 1
    other = portal.post(f"{PAGE}/jobs", form_of(portal) | {"with.command": "true"})
    assert other.headers["location"] != first.headers["location"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"with.command": ""}, "command is missing"),
        ({"with.cpus": "many"}, "cpus: expected a whole number"),
        ({"with.cpus": "65"}, "cpus: expected from 0 to 64"),
        ({"with.queue": "gpu"}, "queue: expected one of main, long"),
        ({"name": "a\nb"}, "name: expected one line"),
        ({"once": ""}, "the form is not whole"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    site: KeptSite, portal: Browser, typed: dict[str, str], said: str
) -> None:
    form = form_of(portal) | {"with.command": "echo <kept>", "with.args": HOSTILE} | typed

    answer = portal.post(f"{PAGE}/jobs", form)

    assert answer.status == 400
    assert said in answer.text
    assert ("echo &lt;kept&gt;" in answer.text) == ("with.command" not in typed)
    assert "<script>window" not in answer.text
    assert site.kept_jobs.jobs == {}


def test_a_job_is_started_stopped_pruned_and_removed_by_buttons(
    site: KeptSite, portal: Browser
) -> None:
    page = made(portal)
    here = plain(page)
    (job,) = site.kept_jobs.jobs.values()
    assert offered(portal, page) == {"start", "prune", "remove"}

    portal.press(page, f"{here}/start")
    (handed_in,) = site.queue.jobs
    lists(site, handed_in.number, "RUNNING")
    assert offered(portal, page) == {"stop", "remove"}
    assert "running" in portal.get(page).text

    answer = portal.press(page, f"{here}/stop")
    assert 'role="status">Its run is being ended' in portal.get(answer.headers["location"]).text
    assert site.queue.jobs[0].state == "CANCELLED"
    lists(site, handed_in.number, "CANCELLED")
    site.tree.write(f"{site.folder(job.id)}/result", b"1")
    assert "/files/result?user=ann" in portal.get(page).text

    portal.press(page, f"{here}/prune")
    assert "/files/result" not in portal.get(page).text
    assert "cancelled" in portal.get(page).text

    answer = portal.press(page, f"{here}/remove")
    assert answer.headers["location"] == f"{PAGE}?user=ann&done=remove"
    assert "The job is stopped and removed" in portal.get(answer.headers["location"]).text
    assert site.kept_jobs.jobs == {}


def offered(browser: Browser, page: str) -> set[str]:
    text = browser.get(page).text
    verbs = ("start", "stop", "prune", "remove")
    return {each for each in verbs if f'action="{plain(page)}/{each}"' in text}


@pytest.mark.parametrize("verb", ["start", "stop", "prune", "remove"])
@pytest.mark.parametrize("form", [{}, {"form": "wrong"}])
def test_without_the_sessions_own_form_nothing_is_done(
    site: KeptSite, portal: Browser, verb: str, form: dict[str, str]
) -> None:
    page = plain(made(portal))
    before = dict(site.kept_jobs.jobs)

    assert portal.post(f"{page}/{verb}", {"user": "ann", **form}).status == 403
    typed = form_of(portal) | {"with.command": "true", "form": form.get("form", "")}
    assert portal.post(f"{PAGE}/jobs", typed).status == 403
    assert site.kept_jobs.jobs == before
    assert site.queue.jobs == []


def test_anothers_job_is_as_none_whoever_is_named(site: KeptSite, portal: Browser) -> None:
    page = plain(made(portal))
    anybody = site.opened()
    bobs = anybody.get(f"{page}?user=bob")
    token = form_of(anybody, user="bob")["form"]

    assert bobs.status == 404
    assert anybody.post(f"{page}/remove", {"form": token, "user": "bob"}).status == 404
    assert site.opened(OTHER).get(f"{page}?user=ann").status == 404
    assert len(site.kept_jobs.jobs) == 1


def test_the_output_of_a_run_is_on_the_page_and_followed_where_the_api_has_it(
    site: KeptSite, portal: Browser
) -> None:
    page = made(portal, start="on")
    (job,) = site.kept_jobs.jobs.values()
    (handed_in,) = site.queue.jobs
    lists(site, handed_in.number, "RUNNING")
    site.tree.write(f"{site.folder(job.id)}/slurm-{handed_in.number}.out", b"step <1>\n")

    text = portal.get(page).text
    address = unescape(text.partition('data-follow="')[2].partition('"')[0])

    assert "step &lt;1&gt;" in text
    assert portal.get(address).body == b"step <1>\n"
    assert portal.get(f"{page}&run=1").status == 200
    assert "the job has no such run" in portal.get(f"{page}&run=9").text


def test_a_silent_slurm_is_said_and_starts_nothing(site: KeptSite, portal: Browser) -> None:
    page = made(portal, start="on")
    site.gateway.cluster.go_down()
    site.gateway.pictures.jobs.forget()

    assert "is not known now" in portal.get(page).text
    assert portal.press(page, f"{plain(page)}/stop").status == 503


def test_hostile_names_and_files_are_text(site: KeptSite, portal: Browser) -> None:
    page = made(portal, name=HOSTILE)
    (job,) = site.kept_jobs.jobs.values()
    site.tree.write(f"{site.folder(job.id)}/{HOSTILE.replace('/', '_')}", HOSTILE.encode())

    for path in (PAGE, page):
        answer = portal.get(path)
        assert answer.status == 200
        assert "<script>window" not in answer.text
        assert "&lt;script&gt;window" in answer.text

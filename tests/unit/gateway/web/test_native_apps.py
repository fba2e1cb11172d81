"""Apps natively: made and changed by who manages them, used by who holds a token of theirs."""

from pathlib import Path

import pytest

from tests.fakes.cluster import live_job
from tests.gateway_client import Answered
from tests.unit.gateway.web.app_site import APP, AppSite
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.apps.job import Stage
from waldur_slurm.model.names import UserName

HERE = f"/api/v1/apps/{APP.id}"
ECHO = {"user": "ann", "parameters": {"command": "echo", "args": ["hello"]}}


@pytest.fixture
def site(tmp_path: Path) -> AppSite:
    return AppSite(tmp_path)


def refused(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.json["type"].removeprefix("urn:slurm-gateway:problem:")


def made(site: AppSite, **wanted: object) -> str:
    answer = site.ask("POST", f"{HERE}/jobs", site.token, {**ECHO, **wanted})
    assert answer.status == 201, answer.text
    return f"{HERE}/jobs/{answer.json['id']}"


def on(site: AppSite, method: str, path: str, body: object = None) -> Answered:
    return site.ask(method, f"{path}?user=ann", site.token, body)


def place_of(site: AppSite, path: str) -> str:
    return f"{site.place}/applications/{APP.id}/jobs/{path.rpartition('/')[2]}"


def lists(site: AppSite, number: int, state: str) -> None:
    """Let slurmctld list the job so."""
    row = live_job(number, user=UserName("ann"), state=state)
    site.gateway.cluster.put(row)
    site.gateway.pictures.jobs.forget()


def test_an_app_is_made_with_a_token_that_is_shown_once(site: AppSite) -> None:
    answer = site.ask("POST", "/api/v1/apps", site.admin, {"name": "new"})
    app, token = answer.json["app"], answer.json["token"]

    assert answer.status == 201
    assert site.ask("GET", f"/api/v1/apps/{app['id']}", token).json["name"] == "new"
    listed = site.ask("GET", "/api/v1/apps", site.admin)
    assert {each["name"] for each in listed.json["apps"]} == {"new", "portal", "other"}
    assert token not in listed.text


def test_a_token_of_an_app_is_made_and_ended(site: AppSite) -> None:
    made = site.ask("POST", f"{HERE}/tokens", site.admin, {"name": "x", "run_as": "ann"}).json

    assert site.ask("GET", HERE, made["token"]).status == 200
    assert site.ask("DELETE", f"{HERE}/tokens/{made['id']}", site.admin).status == 204
    assert site.tokens.tokens[made["id"]][1].ends is not None
    assert refused(site.ask("DELETE", f"{HERE}/tokens/nonsense", site.admin)) == (404, "not-there")


def test_an_app_with_jobs_stays_and_takes_its_tokens_with_it(site: AppSite) -> None:
    job = made(site)
    assert refused(site.ask("DELETE", HERE, site.admin)) == (409, "busy")
    assert on(site, "DELETE", job).status == 204

    assert site.ask("DELETE", HERE, site.admin).status == 204
    assert all(token.ends for _, token in site.tokens.tokens.values() if token.app == APP.id)


def test_users_of_an_app_share_jobs_where_its_manager_says_so(site: AppSite) -> None:
    job = made(site)
    assert site.ask("GET", f"{job}?user=bob", site.token).status == 404

    site.ask("PATCH", HERE, site.admin, {"cross_user": True})

    assert site.ask("GET", f"{job}?user=bob", site.token).json["user"] == "ann"


def test_a_template_is_written_where_it_can_be_rendered_and_previewed(site: AppSite) -> None:
    text = "{#\nparameters:\n  what: {kind: text, required: true}\n#}\n#!/bin/sh\n{{ what | sh }}\n"
    path = f"{HERE}/templates/mine"
    assert refused(site.ask("GET", path, site.token)) == (404, "not-there")
    assert site.ask("PUT", path, site.admin, {"text": "#!/bin/sh\n{{ x }}\n"}).status == 400

    assert site.ask("PUT", path, site.admin, {"text": text}).status == 200

    (parameter,) = site.ask("GET", path, site.token).json["parameters"]
    assert (parameter["name"], parameter["kind"], parameter["required"]) == ("what", "text", True)
    shown = site.ask("POST", f"{path}/preview", site.token, {"parameters": {"what": "it's"}})
    assert shown.json == {"script": "#!/bin/sh\n'it'\\''s'\n"}
    assert site.ask("GET", f"{HERE}/templates", site.token).json == {"templates": ["batch", "mine"]}


def test_a_job_is_made_of_its_template_and_not_started(site: AppSite) -> None:
    job = made(site, name="hello")
    shown = on(site, "GET", job).json

    assert (shown["name"], shown["user"], shown["started"]) == ("hello", "ann", False)
    assert shown["last_run"] is None
    assert site.queue.jobs == []
    assert site.tree.read(f"{place_of(site, job)}/batch.sh").endswith(b"srun 'echo' 'hello'\n")


def test_a_job_that_cannot_be_made_leaves_nothing(site: AppSite) -> None:
    site.tree.outage = AccountingDown(("hand",), 1, "away")
    answer = site.ask("POST", f"{HERE}/jobs", site.token, ECHO)
    site.tree.outage = None

    assert answer.status == 503
    assert on(site, "GET", f"{HERE}/jobs").json["jobs"] == []
    assert [job for job in site.jobs.jobs.values() if job.stage is Stage.READY] == []


def test_each_start_is_a_run_that_keeps_how_it_ended(site: AppSite) -> None:
    job = made(site)
    for number in (1, 2):
        assert on(site, "POST", f"{job}/start").status == 200
        lists(site, number, "RUNNING")
        assert on(site, "GET", job).json["started"]
        lists(site, number, "FAILED")
        assert not on(site, "GET", job).json["started"]

    runs = on(site, "GET", f"{job}/runs").json["runs"]
    assert [(run["number"], run["slurm_id"], run["state"]) for run in runs] == [
        (1, 1, "FAILED"),
        (2, 2, "FAILED"),
    ]


def test_a_job_that_runs_is_started_once_however_often_it_is_asked(site: AppSite) -> None:
    job = made(site, start=True)
    lists(site, 1, "RUNNING")
    for _ in range(3):
        assert on(site, "POST", f"{job}/start").status == 200

    assert len(site.queue.jobs) == 1


def test_what_slurm_refuses_is_a_run_that_says_so_and_is_tried_anew(site: AppSite) -> None:
    text = "#!/bin/sh\n#SBATCH --wait\ntrue\n"
    site.ask("PUT", f"{HERE}/templates/wrong", site.admin, {"text": text})
    job = made(site, template="wrong", parameters={})

    assert refused(on(site, "POST", f"{job}/start")) == (422, "refused")

    shown = on(site, "GET", job).json
    assert (shown["started"], shown["last_run"]["state"]) == (False, "REFUSED")
    on(site, "PUT", f"{job}/files/batch.sh", b"#!/bin/sh\ntrue\n")
    assert on(site, "POST", f"{job}/start").status == 200
    assert [run["number"] for run in on(site, "GET", f"{job}/runs").json["runs"]] == [1, 2]


def test_an_answer_that_was_lost_is_settled_before_anything_else(site: AppSite) -> None:
    """The run stays open under its key: the same job is found again, and none is made beside it."""
    job = made(site)
    site.queue.loses_answers = True
    assert on(site, "POST", f"{job}/start").status == 504
    site.queue.loses_answers = False
    (sent,) = site.queue.jobs
    row = live_job(sent.number, user=UserName("ann"), comment=str(sent.sheet.options["comment"]))
    site.gateway.cluster.put(row)
    site.gateway.pictures.jobs.forget()

    on(site, "POST", f"{job}/start")

    assert len(site.queue.jobs) == 1


def test_a_silent_slurm_leaves_a_job_as_it_was_and_changes_nothing(site: AppSite) -> None:
    job = made(site, start=True)
    site.gateway.cluster.go_down()
    site.gateway.pictures.jobs.forget()

    assert on(site, "GET", job).json["started"]
    for verb in ("start", "stop", "prune"):
        assert refused(on(site, "POST", f"{job}/{verb}")) == (503, "not-now")
    assert refused(on(site, "DELETE", job)) == (503, "not-now")


def test_a_job_of_another_user_with_its_number_is_not_the_run(site: AppSite) -> None:
    job = made(site, start=True)
    site.gateway.cluster.put(live_job(1, user=UserName("bob"), state="RUNNING"))
    site.gateway.pictures.jobs.forget()

    assert not on(site, "GET", job).json["started"]


def test_files_are_listed_written_read_and_removed(site: AppSite) -> None:
    job = made(site)
    assert on(site, "PUT", f"{job}/files/in/put.txt", b"42").status == 204

    listed = on(site, "GET", f"{job}/files").json
    assert {each["path"] for each in listed["files"]} == {"batch.sh", "in", "in/put.txt"}
    assert on(site, "GET", f"{job}/files/in/put.txt").body == b"42"
    assert on(site, "DELETE", f"{job}/files/in/put.txt").status == 204
    assert on(site, "GET", f"{job}/files/in/put.txt").status == 404


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a//b", "."])
def test_a_path_never_leads_up(site: AppSite, path: str) -> None:
    job = made(site)

    assert on(site, "PUT", f"{job}/files/{path}", b"x").status == 403


def test_an_archive_is_had_and_taken_back(site: AppSite) -> None:
    job, other = made(site), made(site)
    on(site, "PUT", f"{job}/files/put.txt", b"42")
    archive = on(site, "GET", f"{job}/archive").body

    path = f"{other}/archive?user=ann"
    taken = site.ask("POST", path, site.token, archive, content_type="application/zip")

    assert taken.status == 204
    assert on(site, "GET", f"{other}/files/put.txt").body == b"42"
    wrong = site.ask("POST", path, site.token, archive, content_type="text/plain")
    assert refused(wrong) == (415, "wrong-type")


def test_the_output_of_a_run_is_had_by_pieces(site: AppSite) -> None:
    job = made(site, start=True)
    lists(site, 1, "RUNNING")
    site.tree.write(f"{place_of(site, job)}/slurm-1.out", b"hello\nworld\n")

    answer = site.ask("GET", f"{job}/output?user=ann&offset=6", site.token)
    assert (answer.status, answer.body) == (200, b"world\n")
    assert answer.headers["x-complete"] == "false"
    tail = site.ask("GET", f"{job}/output?user=ann&tail=3", site.token)
    assert tail.body == b"ld\n"
    none = site.ask("GET", f"{job}/output?user=ann&run=7", site.token)
    assert refused(none) == (404, "not-there")


def test_whose_job_it_is_has_to_be_said(site: AppSite) -> None:
    assert refused(site.ask("GET", f"{HERE}/jobs", site.token)) == (400, "wrong-ask")


def test_each_act_is_written_down_with_whom_it_was_done_for(site: AppSite) -> None:
    job = made(site, start=True)
    on(site, "GET", job)

    told = [event for event in site.gateway.told if event.is_change]
    assert [event.name for event in told] == ["app.job.make", "job.submit", "app.job.start"]
    assert {event.fields["user"] for event in told} == {"ann"}


def test_a_store_that_cannot_be_written_leaves_a_run_open_under_its_key(site: AppSite) -> None:
    """The job is there and not noted: whoever starts it again is told of the same one."""
    job = made(site)
    site.jobs.broken = "its disk is full"
    assert refused(on(site, "POST", f"{job}/start")) == (504, "outcome-unknown")
    assert len(site.queue.jobs) == 1
    site.jobs.broken = ""

    shown = on(site, "POST", f"{job}/start").json

    assert len(site.queue.jobs) == 1
    assert shown["last_run"]["slurm_id"] == site.queue.jobs[0].number

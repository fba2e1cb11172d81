"""Jobs handed in over HTTP: what a request may say, and what each ending looks like."""

import json
import shlex
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.batch import FakeBatch
from tests.fakes.cluster import live_job
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import GatewaySite, somebody
from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.principals import Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.native.sheets import JobAsked, script_of
from waldur_slurm.hand.requests import MOST_SCRIPT, MOST_VARIABLES
from waldur_slurm.model.names import UserName

SCRIPT = "#!/bin/sh\nhostname\n"
PORTAL = somebody("ann", "bob")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def site(desk: Desk) -> GatewaySite:
    files: Any = None
    return GatewaySite(
        cluster=desk.cluster,
        means_of=lambda user: Means(FakeBatch(desk.queue, user), files),
        people=ThesePeople("ann", "bob", "eve"),
        jobs_ttl=timedelta(0),
    )


def submit(
    site: GatewaySite,
    *keys: str,
    who: Principal = PORTAL,
    path: str = "/api/v1/jobs",
    **asked: object,
) -> Answered:
    """Ask with a script, for Ann, where nothing else is said."""
    body = {"user": "ann", **({} if "command" in asked else {"script": SCRIPT}), **asked}
    headers = [("Idempotency-Key", key) for key in keys]
    return site.client(who).ask(Asked(path, "POST", headers, json.dumps(body).encode()))


def refused(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.json["type"].removeprefix("urn:slurm-gateway:problem:")


def test_a_job_is_made_once_and_told_again_in_the_same_words(site: GatewaySite, desk: Desk) -> None:
    first, again = submit(site, "k"), submit(site, "k")

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    job = desk.cluster.jobs[1]
    assert first.json == {
        "job_id": "1",
        "submit_time": job.submitted.isoformat().replace("+00:00", "Z"),
        "cluster": "lab",
        "work_dir": job.work_dir,
        "stdout": job.stdout,
        "stderr": job.stderr,
    }
    assert first.headers["location"] == "/api/v1/clusters/lab/jobs/1"


@pytest.mark.parametrize("lost", ["", "answers"])
def test_a_new_job_is_in_the_next_list_however_young_the_last_one_is(desk: Desk, lost: str) -> None:
    files: Any = None
    site = GatewaySite(
        cluster=desk.cluster,
        means_of=lambda user: Means(FakeBatch(desk.queue, user), files),
        people=ThesePeople("ann"),
    )
    assert site.get("/api/v1/jobs").json["jobs"] == []

    with desk.losing(lost) if lost else nullcontext():
        submit(site, "k")

    assert [job["job_id"] for job in site.get("/api/v1/jobs").json["jobs"]] == ["1"]


def test_without_a_key_each_request_is_a_job(site: GatewaySite, desk: Desk) -> None:
    assert [submit(site).status, submit(site).status] == [201, 201]
    assert len(desk.queue.jobs) == 2


def test_a_key_for_something_else_is_a_conflict(site: GatewaySite, desk: Desk) -> None:
    submit(site, "k")

    assert refused(submit(site, "k", mark="other")) == (409, "other-body")
    assert len(desk.queue.jobs) == 1


@pytest.mark.parametrize("keys", [("",), ("a b",), ("ä",), ("x" * 256,), ("a", "a")])
def test_a_key_that_is_none_is_refused(
    site: GatewaySite, desk: Desk, keys: tuple[str, ...]
) -> None:
    headers = [("Idempotency-Key", key) for key in keys]
    body = json.dumps({"script": SCRIPT, "user": "ann"}).encode()
    asked = Asked("/api/v1/jobs", "POST", headers, body)

    assert refused(site.client(PORTAL).ask(asked)) == (400, "wrong-ask")
    assert desk.queue.jobs == []


def test_slurms_refusal_comes_with_its_words_its_kind_and_the_limit(
    site: GatewaySite, desk: Desk
) -> None:
    desk.queue.full, desk.queue.accounts = {"small"}, {"ann": {"small"}}
    answer = submit(site, "k", options={"account": "small"})

    assert refused(answer) == (422, "refused")
    assert answer.json["detail"] == "AssocGrpSubmitJobsLimit"
    assert (answer.json["refusal"], answer.json["limit"]) == (
        "over-a-limit", "AssocGrpSubmitJobsLimit",
    )  # fmt: skip


def test_a_slurm_that_is_away_is_asked_later(site: GatewaySite, desk: Desk) -> None:
    desk.queue.is_down = True
    answer = submit(site, "k")

    assert refused(answer) == (503, "not-now")
    assert answer.headers["retry-after"] == "5"


def test_a_lost_answer_says_that_nobody_knows_and_the_key_finds_the_job(
    site: GatewaySite, desk: Desk
) -> None:
    with desk.losing("answers"):
        answer = submit(site, "k")
    assert refused(answer) == (504, "outcome-unknown")
    assert answer.headers["retry-after"]

    assert submit(site, "k").json["job_id"] == "1"
    assert len(desk.queue.jobs) == 1


@pytest.mark.parametrize("where", ["body", "query"])
def test_a_dry_run_hands_nothing_in(site: GatewaySite, desk: Desk, where: str) -> None:
    path = "/api/v1/jobs?dry_run=true" if where == "query" else "/api/v1/jobs"
    answer = submit(site, "k", path=path, dry_run=where == "body")

    assert (answer.status, answer.json) == (
        200,
        {"starts": "2026-11-30T00:00:00Z", "processors": 1, "nodes": "n1", "partition": "main"},
    )
    assert (desk.queue.jobs, site.journal.kept) == ([], {})
    assert [event.name for event in site.told if event.is_change] == []
    assert refused(submit(site, path=path, dry_run=True, options={"qos": "no"})) == (422, "refused")


def test_the_user_is_by_default_who_asks(site: GatewaySite, desk: Desk) -> None:
    ann = replace(somebody(), user=UserName("ann"))
    submit(site, who=ann, user="")

    assert desk.queue.jobs[0].user == "ann"
    assert refused(submit(site, who=PORTAL, user="")) == (400, "wrong-ask")


def test_the_user_is_by_default_the_only_one_for_whom_he_may_act(
    site: GatewaySite, desk: Desk
) -> None:
    submit(site, who=somebody("ann"), user="")
    assert desk.queue.jobs[0].user == "ann"
    many = RunAs(frozenset({UserName("ann")}), groups=frozenset({"physics"}))
    for run_as in (many, RunAs(anybody=True), RunAs()):
        who = replace(somebody(), run_as=run_as)
        assert refused(submit(site, who=who, user="")) == (400, "wrong-ask")


@pytest.mark.parametrize("user", ["eve", "root", "0", "1000", "ann\n", "ann bob", "--uid=0", "zoe"])
def test_nobody_else_is_acted_as_and_nothing_is_left(
    site: GatewaySite, desk: Desk, user: str
) -> None:
    assert refused(submit(site, "k", user=user)) == (403, "denied")
    assert (desk.queue.jobs, site.journal.kept) == ([], {})


def test_without_the_scope_nothing_is_handed_in(site: GatewaySite, desk: Desk) -> None:
    reader = somebody("ann", scopes=frozenset(Scope) - {Scope.JOBS_SUBMIT})

    assert refused(submit(site, who=reader)) == (403, "denied")
    assert desk.queue.jobs == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"script": ""}, "either a `script` or a `command`"),
        ({"command": "x", "script": "y"}, "either a `script` or a `command`"),
        ({"args": ["x"]}, "`args` go with a `command`"),
        ({"mark": "two words"}, "mark: 1 to 256"),
        ({"mark": "sgw:AAAAAAAAAAAAAAAAAAAAAA"}, "not beginning with sgw:"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"options": {"gres": ["gpu:1"]}}, "options"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    site: GatewaySite, desk: Desk, asked: dict[str, Any], why: str
) -> None:
    answer = submit(site, "k", **asked)

    assert refused(answer) == (400, "wrong-ask")
    assert why in answer.json["detail"]
    assert desk.queue.jobs == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"options": {"uid": "0"}}, "--uid=0"),
        ({"options": {"wrap": "id"}}, "--wrap=id"),
        ({"options": {"time": "5 --uid=0"}}, "--time takes"),
        ({"options": {"clusters": "far"}}, "the address of the request"),
        ({"options": {"mem": 1, "m": 2}}, "--m=2"),
        ({"options": {"job-name": "a", "job_name": "b"}}, "--job-name is given twice"),
        ({"options": {"test_only": True}}, "--test-only"),
        ({"options": {"comment": "x"}, "mark": "m"}, "leave out --comment"),
        ({"options": {"export": "ALL"}, "environment": {}}, "--export"),
        ({"script": "#!/bin/sh\n#SBATCH --wait\n"}, "#SBATCH --wait"),
    ],
)  # fmt: skip
def test_an_option_that_is_not_in_the_table_is_refused_as_slurm_would(
    site: GatewaySite, desk: Desk, asked: dict[str, Any], why: str
) -> None:
    answer = submit(site, "k", **asked)

    assert refused(answer) == (422, "refused")
    assert answer.json["refusal"] == "invalid-option"
    assert why in answer.json["detail"]
    assert (desk.queue.jobs, site.journal.kept) == ([], {})


def test_options_are_sbatchs_with_typed_values(site: GatewaySite, desk: Desk) -> None:
    options = {
        "cpus_per_task": 4, "mem": "2G", "time": 90, "hold": True, "requeue": None,
        "exclusive": False, "nice": -5,
    }  # fmt: skip
    answer = submit(site, options=options, environment={"A": "x,y\nz"})

    assert answer.status == 201, answer.body
    sheet = desk.queue.jobs[0].sheet
    found = {name: value for name, value in sheet.options.items() if name != "comment"}
    assert found == {
        "cpus-per-task": "4", "mem": "2G", "time": "90", "hold": None, "requeue": None,
        "nice": "-5",
    }  # fmt: skip
    assert sheet.variables == {"A": "x,y\nz"}


def test_a_command_and_its_arguments_stay_what_they_are(site: GatewaySite, desk: Desk) -> None:
    submit(site, command="/bin/echo", args=["a b", "$(id)", "'", "", "#SBATCH --wait"])

    assert desk.queue.jobs[0].sheet.script == (
        "#!/bin/sh\nexec /bin/echo 'a b' '$(id)' ''\"'\"'' '' '#SBATCH --wait'\n"
    )


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=5))
def test_a_shell_reads_the_very_words_of_any_command(args: list[str]) -> None:
    script = script_of(JobAsked(command="run", args=tuple(args)))

    assert shlex.split(script.removeprefix("#!/bin/sh\n")) == ["exec", "run", *args]


def test_a_script_that_is_too_large_is_refused_before_anything_else(
    site: GatewaySite, desk: Desk
) -> None:
    laden = submit(site, "e", environment={"A": "x" * MOST_VARIABLES})
    just = submit(site, "a", script=SCRIPT.ljust(MOST_SCRIPT, "\n"))
    larger = submit(site, "b", script=SCRIPT.ljust(MOST_SCRIPT + 1, "x"))
    huge = submit(site, "c", script="\n" * (2 * MOST_SCRIPT))

    assert just.status == 201
    assert refused(larger) == refused(huge) == refused(laden) == (413, "too-large")
    assert len(desk.queue.jobs) == 1


def test_a_gateway_that_only_reads_says_what_is_missing(desk: Desk) -> None:
    answer = submit(GatewaySite(cluster=desk.cluster))

    assert refused(answer) == (501, "not-offered")
    assert "GATEWAY_EXECUTOR" in answer.json["detail"]


def test_a_job_shows_its_mark_and_is_looked_up_by_it(site: GatewaySite) -> None:
    placed = submit(site, options={"comment": "my own words"}).json

    shown = site.get(f"/api/v1/jobs/{placed['job_id']}").json
    assert shown["comment"] == "my own words"
    body = json.dumps({"marks": [shown["mark"]]}).encode()
    found = site.post("/api/v1/jobs/lookup", body).json
    assert [job["job_id"] for job in found["jobs"]] == [placed["job_id"]]
    assert found["absent"] == []


def look_up(site: GatewaySite, *marks: str) -> Any:
    body = json.dumps({"marks": marks}).encode()
    return site.post("/api/v1/jobs/lookup", body, PORTAL).json


def found_by(answer: Any) -> dict[str, str]:
    return {job["mark"]: job["job_id"] for job in answer["jobs"]}


def test_a_lookup_is_not_deceived_by_what_owners_do_to_comments(
    site: GatewaySite, desk: Desk
) -> None:
    for mark in ("one", "two"):
        submit(site, mark, mark=mark)
    desk.comment(1, "off")
    desk.comment(2, "one")

    answer = look_up(site, "one", "two", "off")

    assert found_by(answer) == {"one": "1", "two": "2"}
    assert (answer["absent"], answer["unknown"]) == (["off"], [])


def test_a_mark_that_is_being_handed_in_is_unknown_and_never_absent(
    site: GatewaySite, desk: Desk
) -> None:
    with desk.losing("requests"):
        submit(site, "k", mark="M")

    answer = look_up(site, "M", "N")

    assert (answer["absent"], answer["unknown"]) == (["N"], ["M"])
    assert "are being so" in answer["said"]


def test_a_job_that_has_the_number_of_an_earlier_one_is_not_taken_for_it(
    site: GatewaySite, desk: Desk
) -> None:
    submit(site, "k", mark="M")
    job = desk.cluster.jobs[1]
    desk.cluster.put(job._replace(submitted=job.submitted + timedelta(days=1), comment=""))
    answer = look_up(site, "M")
    assert (answer["jobs"], answer["absent"], answer["unknown"]) == ([], [], ["M"])

    desk.cluster.put(job._replace(submitted=job.submitted + timedelta(days=1), restarts=1))
    assert found_by(look_up(site, "M")) == {"M": "1"}


def test_a_mark_on_a_job_that_nobody_handed_in_here_is_found_as_ever(
    site: GatewaySite, desk: Desk
) -> None:
    submit(site, "k", mark="M")
    desk.cluster.put(live_job(9, comment="sbatch:9", user=UserName("bob")))

    assert found_by(look_up(site, "M", "sbatch:9")) == {"M": "1", "sbatch:9": "9"}

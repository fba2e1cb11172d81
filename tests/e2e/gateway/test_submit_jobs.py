"""What was asked for is what runs: words, variables and options, as a real job sees them."""

import json

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN

WORDS = ["a b", "$(id)", "'\"", "", "#SBATCH --wait", "line\nbreak", "ä\t*", "--uid=0", "%j;|&"]
VARIABLES = {"PLAIN": "1", "HARD": "x,y=z\n'\"$HOME`id`", "EMPTY": ""}
TELL = "import json,os,sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def test_a_jobs_words_and_variables_are_those_of_the_request(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token, out = acting_site.token(), acting_site.hand.home(ANN) / "out"
    answer = acting.send(
        token,
        "POST",
        "/api/v1/jobs",
        {
            "user": ANN,
            "command": "/usr/bin/python3",
            "args": ["-c", TELL, *WORDS],
            "environment": VARIABLES,
            "options": {
                "account": "physics",
                "mem": 10,
                "time": 1,
                "output": str(out),
                "chdir": str(out.parent),
                "job_name": "two words",
            },
        },
    )

    assert answer.status == 201, answer.body
    eventually(lambda: out.exists() and out.read_text().endswith("\n"), "the job has spoken")
    argv, environ = json.loads(out.read_text())
    assert argv == WORDS
    assert {name: environ.get(name) for name in VARIABLES} == VARIABLES
    assert environ["SLURM_JOB_USER"] == out.owner() == ANN
    assert "HOME" not in environ
    shown = acting.send(token, "GET", f"/api/v1/jobs/{answer.json['job_id']}").json
    assert shown["name"] == "two words"


def test_a_job_shows_its_mark_and_its_owners_words(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token()
    own = acting.submit(token, options={"comment": "my own words"}).json["job_id"]
    theirs = acting.submit(token, mark="op:42").json["job_id"]

    shown = acting.send(token, "GET", f"/api/v1/jobs/{own}").json
    assert shown["comment"] == "my own words"
    body = {"marks": [shown["mark"], "op:42", "op:43"]}
    found = acting.send(token, "POST", "/api/v1/jobs/lookup", body).json
    assert {job["job_id"]: job["mark"] for job in found["jobs"]} == {
        own: shown["mark"], theirs: "op:42",
    }  # fmt: skip
    assert found["absent"] == ["op:43"]


def test_what_users_may_not_do_leaves_nothing_behind(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token(ANN)
    before = acting_site.jobs_marked("")
    refused = {
        user: acting.submit(token, user=user).status
        for user in ("wsat-bob", "root", "0", f"{ANN}\n", "--uid=0", "nobody-at-all")
    }

    assert set(refused.values()) == {403}
    assert acting.submit(token, options={"uid": "0"}).status == 422
    assert acting_site.jobs_marked("") == before

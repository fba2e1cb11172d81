"""Tokens for one job: what they are good for, and whose they may be."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN
from tests.fakes.past import past_run
from tests.gateway_client import Answered
from tests.unit.gateway.web.files_site import ANN, BOB, OUTPUT, WORK, FilesSite, only
from waldur_slurm.gateway.doors.principals import OneJob, Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.batch import job_id

TOKENS = "/api/v1/jobs/1/tokens"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site() -> FilesSite:
    made = FilesSite()
    for number in (1, 2):
        made.put(number, state="RUNNING")
        made.tree.write(f"{WORK}/slurm-{number}.out", b"done")
    return made


def make(site: FilesSite, principal: Principal = ANN, path: str = TOKENS, **body: Any) -> Answered:
    asked = {"scopes": ["files:read", "output:read"], **body}
    return site.gateway.post(path, json.dumps(asked).encode(), principal)


def holder(site: FilesSite, **body: Any) -> Principal:
    """Whoever shows a token that Ann made for job 1."""
    made = make(site, **body)
    assert made.status == 201, made.text
    (token,) = (t for _, t in site.gateway.tokens.tokens.values() if t.id == made.json["id"])
    return token.principal


def test_a_token_says_for_which_job_for_what_and_for_how_long(site: FilesSite) -> None:
    before = datetime.now(UTC)

    answer = make(site, ttl=600)

    assert answer.status == 201
    shown = answer.json
    assert (shown["job_id"], shown["submit_time"]) == (1, "2026-11-21T12:00:00Z")
    assert shown["scopes"] == ["files:read", "output:read"]
    lasts = datetime.fromisoformat(shown["expires"]) - before
    assert 10 * MINUTE - MINUTE < lasts <= 10 * MINUTE + MINUTE
    assert answer.headers["cache-control"] == "no-store"
    assert shown["token"].startswith(f"sgw_{shown['id']}_")


def test_it_opens_that_job_and_no_other(site: FilesSite) -> None:
    companion = holder(site, scopes=["files:read", "output:read", "jobs:read"])

    for path in ("", "/output", "/files", "/files/job.sh"):
        assert site.get(f"/api/v1/jobs/1{path}", companion).status == 200
        assert site.get(f"/api/v1/jobs/2{path}", companion).status == 404
        assert site.get(f"/api/v1/jobs/9{path}", companion).status == 404


def test_it_makes_no_other_token(site: FilesSite) -> None:
    assert make(site, holder(site)).status == 403


def test_a_number_that_came_again_is_another_job(site: FilesSite) -> None:
    companion = holder(site)
    site.put(1, state="RUNNING", submitted=BEGAN + timedelta(days=1))

    assert site.get(OUTPUT, companion).status == 404
    assert site.get(OUTPUT, ANN).status == 200


def test_an_older_job_of_its_number_is_still_its_own_and_the_newer_one_is_not(
    site: FilesSite,
) -> None:
    companion = holder(site)
    site.gateway.cluster.forget(1)
    elsewhere = replace(past_run(1, submitted=BEGAN + timedelta(days=9)), work_dir="/home/ann")
    site.remember(1, submitted=BEGAN)
    site.gateway.history.runs.append(elsewhere)

    assert site.get("/api/v1/jobs/1/files/job.sh", companion).status == 200
    assert site.get("/api/v1/jobs/1/files/job.sh", ANN).status == 404


def test_a_job_that_runs_again_is_the_same(site: FilesSite) -> None:
    companion = holder(site)
    again = BEGAN + timedelta(hours=2)
    site.gateway.history.runs.append(past_run(1, submitted=BEGAN, end=again - MINUTE))
    site.put(1, state="RUNNING", submitted=again, restarts=1)

    assert site.get(OUTPUT, companion).status == 200
    site.put(1, state="RUNNING", submitted=again + timedelta(days=2), restarts=1)
    assert site.get(OUTPUT, companion).status == 404


def test_it_goes_on_when_the_job_is_in_the_accounting_alone(site: FilesSite) -> None:
    companion = holder(site)
    site.gateway.cluster.forget(1)
    site.remember(1, submitted=BEGAN)
    site.remember(2, submitted=BEGAN + MINUTE)

    assert site.get("/api/v1/jobs/1/files/job.sh", companion).body == b"#!/bin/sh\n"
    assert site.get("/api/v1/jobs/2/files/job.sh", companion).status == 404


def test_of_an_array_it_opens_every_task(site: FilesSite) -> None:
    site.gateway.cluster.forget(1)
    for task, number in ((1, 11), (2, 1)):
        site.put(number, id=job_id(f"1_{task}"), state="RUNNING")
        site.tree.write(f"{WORK}/slurm-{number}.out", b"raw")
        site.tree.write(f"{WORK}/slurm-1_{task}.out", b"task")
    companion = holder(site)

    assert site.get(f"{OUTPUT}?task=1", companion).status == 200
    assert site.get("/api/v1/jobs/1_2/output", companion).status == 200
    assert site.get("/api/v1/jobs/11/output", companion).status == 200


def test_nobody_gives_away_what_he_may_not_himself(site: FilesSite) -> None:
    reader = only(Scope.OUTPUT_READ)

    assert make(site, reader).status == 403
    assert make(site, reader, scopes=["output:read"]).status == 201
    assert make(site, reader, scopes=["output:read", "jobs:read"]).status == 403


def test_anothers_job_is_as_one_that_is_not_there(site: FilesSite) -> None:
    theirs, none = make(site, BOB), make(site, BOB, "/api/v1/jobs/9/tokens")

    assert theirs.status == none.status == 404
    assert theirs.json["detail"].replace("1", "9") == none.json["detail"]
    assert site.gateway.tokens.tokens == {}


@pytest.mark.parametrize(
    "body",
    [{"scopes": []}, {"scopes": ["jobs:submit"]}, {"scopes": ["files:write"]}, {"ttl": 0},
     {"ttl": 7 * 86_400 + 1}, {"user": "bob"}, {"scopes": None}],
)  # fmt: skip
def test_more_than_that_cannot_be_asked_for(site: FilesSite, body: dict[str, Any]) -> None:
    assert make(site, **body).status == 400


def test_that_one_was_made_is_written_down_and_the_token_itself_is_not(site: FilesSite) -> None:
    made = make(site).json

    (act,) = (event for event in site.gateway.told if event.name == "job.token")

    assert act.is_change
    assert act.fields["user"] == "ann"
    assert act.fields["job_id"] == "1"
    assert act.fields["token"] == made["id"]
    assert act.fields["ended"] == "done"
    assert made["token"] not in str(site.gateway.told)


def test_a_store_that_keeps_nothing_is_not_now(site: FilesSite) -> None:
    site.gateway.tokens.broken = "the disk is full"

    answer = make(site)

    assert answer.status == 503
    assert "the disk is full" in answer.json["detail"]


def test_me_says_that_it_is_for_one_job(site: FilesSite) -> None:
    answer = site.get("/api/v1/me", holder(site)).json

    may = {each["scope"]: each["why"] for each in answer["scopes"] if each["allowed"]}
    assert may.keys() == {"files:read", "output:read"}
    assert all("for job 1 of lab alone" in why for why in may.values())


def test_a_job_of_another_cluster_is_another(site: FilesSite) -> None:
    companion = holder(site)
    elsewhere = replace(companion, job=OneJob("other", 1, BEGAN))

    assert site.get(OUTPUT, companion).status == 200
    assert site.get(OUTPUT, elsewhere).status == 404

"""The native API's history: pages, streams, whose jobs, and what silence means."""

import asyncio
import csv
import json
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN
from tests.fakes.past import past_run
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import GatewaySite, somebody
from tests.unit.gateway.web.doors_site import PARAMETERS
from waldur_slurm.errors import AccountingDown, InvalidName
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.routes import ROUTES
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

SPAN = "since=2026-11-20&until=2026-11-30"


@pytest.fixture
def site() -> GatewaySite:
    made = GatewaySite()
    for number in range(1, 8):
        submitted = BEGAN + timedelta(hours=number)
        made.history.runs.append(
            past_run(
                number,
                user=UserName("ann" if number % 2 else "bob"),
                submitted=submitted,
                start=submitted + timedelta(minutes=1),
                end=submitted + timedelta(minutes=11),
                name=f'na"me,\n{number}',
            )
        )
    return made


def ids(answer: Any) -> list[str]:
    return [job["job_id"] for job in answer.json["jobs"]]


def test_the_last_submitted_comes_first_and_pages_lead_through_all(site: GatewaySite) -> None:
    found, path = [], f"/api/v1/history?{SPAN}&limit=3"
    cursor = ""
    while True:
        answer = site.get(path + cursor)
        found += ids(answer)
        if answer.json["next"] is None:
            break
        cursor = f"&cursor={answer.json['next']}"

    assert found == ["7", "6", "5", "4", "3", "2", "1"]


def test_a_record_is_the_same_object_as_in_the_queue(site: GatewaySite) -> None:
    job = site.get(f"/api/v1/history?{SPAN}&job_id=3").json["jobs"][0]

    assert job["times"]["wait_s"] == 60
    assert (job["terminal"], job["outcome"]) == (True, "success")
    assert (job["priority"], job["stdout"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("user=bob", ["6", "4", "2"]),
        ("job_id[gt]=5", ["7", "6"]),
        ("job_id[gte]=3&job_id[lt]=5", ["4", "3"]),
        ("job_id[eq]=3", ["3"]),
        ("job_id=3,4", ["4", "3"]),
        ("state=failed", []),
    ],
)
def test_filters(site: GatewaySite, query: str, found: list[str]) -> None:
    assert ids(site.get(f"/api/v1/history?{SPAN}&{query}")) == found


def test_who_may_not_see_others_jobs_sees_his_own(site: GatewaySite) -> None:
    assert ids(site.get(f"/api/v1/history?{SPAN}", somebody("bob"))) == ["6", "4", "2"]
    assert ids(site.get(f"/api/v1/history?{SPAN}&user=ann", somebody("bob"))) == []
    assert ids(site.get(f"/api/v1/history?{SPAN}", somebody())) == []


def test_a_cursor_of_somebody_else_is_none(site: GatewaySite) -> None:
    cursor = site.get(f"/api/v1/history?{SPAN}&limit=1").json["next"]

    answer = site.get(f"/api/v1/history?{SPAN}&limit=1&cursor={cursor}", somebody("bob"))

    assert answer.status == 400


def test_csv_holds_a_row_for_each_job_whatever_its_name_holds(site: GatewaySite) -> None:
    answer = site.get(f"/api/v1/history?{SPAN}", accept="text/csv")

    rows = list(csv.DictReader(answer.text.splitlines(keepends=True)))
    assert [row["job_id"] for row in rows] == ["7", "6", "5", "4", "3", "2", "1"]
    assert rows[0]["name"] == 'na"me,\n7'
    assert answer.headers["content-type"].startswith("text/csv")


def test_ndjson_is_an_object_a_line(site: GatewaySite) -> None:
    answer = site.get(f"/api/v1/history?{SPAN}", accept="application/x-ndjson")

    found = [json.loads(line)["job_id"] for line in answer.body.splitlines()]
    assert found == ["7", "6", "5", "4", "3", "2", "1"]


def test_a_stream_shows_one_person_only_his_own(site: GatewaySite) -> None:
    answer = site.get(f"/api/v1/history?{SPAN}", somebody("bob"), accept="application/x-ndjson")

    assert {json.loads(line)["user"] for line in answer.body.splitlines()} == {"bob"}
    nothing = site.get(f"/api/v1/history?{SPAN}", somebody(), accept="application/x-ndjson")
    assert nothing.body == b""


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-ndjson"])
def test_a_name_that_nobody_can_have_is_no_silence(site: GatewaySite, accept: str) -> None:
    site.history.outage = InvalidName("not a safe Slurm account name: 'ú'")

    answer = site.get(f"/api/v1/history?{SPAN}&account=%C3%BA", accept=accept)

    assert (answer.status, answer.json["detail"]) == (400, "not a safe Slurm account name: 'ú'")


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-ndjson"])
def test_a_silent_accounting_is_no_empty_history(site: GatewaySite, accept: str) -> None:
    site.history.outage = AccountingDown(("sacct",), 1, "slurmdbd is away")

    answer = site.get(f"/api/v1/history?{SPAN}", accept=accept)

    assert answer.status == 503
    assert "slurmdbd is away" in answer.json["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-11-30&until=2026-11-20",
        "since=tomorrow",
        "limit=0",
        "user[gt]=a",
        "job_id[gt]=x",
    ],
)
def test_what_is_not_understood_is_refused(site: GatewaySite, query: str) -> None:
    assert site.get(f"/api/v1/history?{query}").status == 400


def test_a_requeued_job_counts_its_restarts(site: GatewaySite) -> None:
    first = past_run(9, submitted=BEGAN, end=BEGAN + timedelta(minutes=5))
    site.history.runs += [first, past_run(9, submitted=BEGAN + timedelta(minutes=5))]

    job = site.get(f"/api/v1/history?{SPAN}&job_id=9").json["jobs"][0]

    assert job["restarts"] == 1
    assert first.id == JobId(9)


def test_a_summary_adds_up_what_one_may_see(site: GatewaySite) -> None:
    rows = site.get(f"/api/v1/history/summary?{SPAN}&group_by=user").json["groups"]

    assert [(row["user"], row["jobs"], row["account"]) for row in rows] == [
        ("ann", 4, None),
        ("bob", 3, None),
    ]
    own = site.get(f"/api/v1/history/summary?{SPAN}", somebody("bob")).json["groups"]
    assert [row["user"] for row in own] == ["bob"]
    assert site.get(f"/api/v1/history/summary?{SPAN}", somebody()).json["groups"] == []


def test_a_summary_by_what_is_no_group_is_refused(site: GatewaySite) -> None:
    assert site.get("/api/v1/history/summary?group_by=colour").status == 400
    assert site.get("/api/v1/history/summary?group_by=").status == 400


def test_a_silent_accounting_is_no_empty_summary(site: GatewaySite) -> None:
    site.history.outage = AccountingDown(("sacct",), 1, "slurmdbd is away")

    assert site.get("/api/v1/history/summary").status == 503


def test_efficiency_is_told_where_it_is_asked_for(site: GatewaySite) -> None:
    plain = site.get(f"/api/v1/history?{SPAN}&job_id=3").json["jobs"][0]
    asked = site.get(f"/api/v1/history?{SPAN}&job_id=3&efficiency=true").json["jobs"][0]

    assert plain["efficiency"] is None
    assert asked["efficiency"]["cpu"] is None
    assert asked["efficiency"].keys() >= {"cpu", "memory", "gpu", "time"}


CLUSTERS = [route for route in ROUTES if route.path.startswith("/api/v1/clusters/{cluster}")]


@pytest.mark.parametrize("route", CLUSTERS, ids=lambda route: route.path)
def test_a_cluster_that_is_not_there_is_told_so_by_every_route(
    site: GatewaySite, route: Route
) -> None:
    path = route.path.format_map(PARAMETERS | {"cluster": "½"})
    asked = (
        b'{"marks":["a"]}' if path.endswith("lookup") else b'{"script":"#!/bin/sh","user":"ann"}'
    )
    body = asked if route.method == "POST" else b""

    answer = site.client().ask(Asked(path, route.method, body=body))

    assert (answer.status, answer.json["type"]) == (404, "urn:slurm-gateway:problem:not-there")


def test_a_summary_tells_efficiency_where_it_is_asked_for(site: GatewaySite) -> None:
    plain = site.get(f"/api/v1/history/summary?{SPAN}").json["groups"][0]
    asked = site.get(f"/api/v1/history/summary?{SPAN}&efficiency=true")

    assert plain["cpu_efficiency"] is None
    assert asked.status == 200
    assert site.get(f"/api/v1/history/summary?{SPAN}&limit=3").status == 400


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/api/v1/history?{SPAN}", {}),
        (f"/api/v1/history?{SPAN}", {"Accept": "text/csv"}),
        (f"/api/v1/history/summary?{SPAN}", {}),
        ("/history", {}),
    ],
)
def test_nobody_waits_for_an_accounting_that_hangs(path: str, headers: dict[str, str]) -> None:
    site = GatewaySite(patience_s=0.05)
    site.history.may_answer = may_answer = Event()

    async def ask() -> Answered:
        told = await site.client().one(Asked(path, headers=[*headers.items()]))
        may_answer.set()
        return told

    told = asyncio.run(ask())

    assert told.status == 503
    assert told.headers["retry-after"] == "5"
    assert "has not answered within" in told.text

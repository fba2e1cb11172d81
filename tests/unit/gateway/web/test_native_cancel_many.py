"""Many jobs are cancelled at once, and of each it is told what became of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN
from tests.fakes.past import past_run
from tests.unit.gateway.steer_site import ANN, ANYBODYS, SEES_ALL, SteerSite, refused
from waldur_slurm.gateway.doors.principals import Principal


@pytest.fixture
def site() -> SteerSite:
    return SteerSite()


def cancel_many(
    site: SteerSite, *jobs: object, principal: Principal = ANYBODYS, **also: object
) -> Any:
    body = json.dumps({"jobs": jobs, **also}).encode()
    answer = site.ask("POST", "/jobs:cancel", principal, body)
    assert answer.status == 200, answer.text
    return [(job["job_id"], job["outcome"]) for job in answer.json["jobs"]]


def test_many_are_cancelled_each_as_its_owner_by_one_scancel_for_each(site: SteerSite) -> None:
    for number in range(1, 7):
        site.put(number, user="ann" if number % 2 else "bob", comment=f"m{number}")
    site.gateway.history.runs.append(past_run(7))
    outcomes = cancel_many(
        site,
        {"job_id": "1"},
        {"job_id": "2", "mark": "m2", "submit_time": "2026-11-21T12:00:00Z"},
        {"job_id": "3", "mark": "another"},
        {"job_id": "4", "submit_time": "2026-11-21T12:00:05Z"},
        {"job_id": "5"},
        {"job_id": "5"},
        {"job_id": "7"},
        {"job_id": "8"},
    )
    assert outcomes == [
        ("1", "cancelled"),
        ("2", "cancelled"),
        ("3", "not-this-job"),
        ("4", "not-this-job"),
        ("5", "cancelled"),
        ("5", "cancelled"),
        ("7", "over"),
        ("8", "not-there"),
    ]
    assert {n: site.state(n) for n in range(1, 7)} == {
        **dict.fromkeys((1, 2, 5), "CANCELLED"),
        **dict.fromkeys((3, 4, 6), "RUNNING"),
    }
    assert sorted((act["user"], act["jobs"]) for act in site.acts()) == [
        ("ann", "1,5"),
        ("bob", "2"),
    ]


def test_what_one_may_not_do_holds_nobody_elses_up(site: SteerSite) -> None:
    site.put(1)
    site.put(2, user="bob")
    outcomes = cancel_many(site, {"job_id": "1"}, {"job_id": "2"}, principal=SEES_ALL)
    assert outcomes == [("1", "denied"), ("2", "cancelled")]
    assert cancel_many(site, {"job_id": "1"}, {"job_id": "2"}, principal=ANN) == [
        ("1", "cancelled"),
        ("2", "not-there"),
    ]


def test_a_silent_slurm_is_told_of_all_of_them_and_of_none_that_it_is_gone(
    site: SteerSite,
) -> None:
    site.put(1)
    site.gateway.cluster.go_down()
    body = b'{"jobs": [{"job_id": "1"}, {"job_id": "2"}]}'
    refused(site.ask("POST", "/jobs:cancel", ANN, body), 503, "not-now")
    away = SteerSite()
    away.put(1)
    away.queue.is_down = True
    assert cancel_many(away, {"job_id": "1"}) == [("1", "not-now")]


def test_a_thousand_cost_one_reading_of_the_queue_and_one_scancel(site: SteerSite) -> None:
    numbers = range(1, 1001)
    for number in numbers:
        site.put(number)
    calls = site.gateway.cluster.calls["read_jobs"]
    wishes = [
        {"job_id": str(number), "submit_time": "2026-11-21T12:00:00Z"} for number in range(1, 1001)
    ]
    assert {outcome for _, outcome in cancel_many(site, *wishes)} == {"cancelled"}
    assert site.gateway.cluster.calls["read_jobs"] - calls <= 2
    assert len(site.acts()) == 1
    body = json.dumps({"jobs": [*wishes, {"job_id": "1"}]}).encode()
    refused(site.ask("POST", "/jobs:cancel", ANN, body), 400, "wrong-ask")


def test_many_are_looked_at_anew_however_fresh_the_picture() -> None:
    site = SteerSite(jobs_ttl=timedelta(hours=1))
    wishes = [{"job_id": str(number), "submit_time": BEGAN.isoformat()} for number in (1, 2)]
    for number in (1, 2):
        site.put(number)
    assert site.ask("GET", "/jobs", ANN).status == 200
    site.requeue(2)
    assert cancel_many(site, *wishes) == [("1", "cancelled"), ("2", "not-this-job")]
    assert site.state(2) == "RUNNING"

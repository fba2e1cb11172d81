"""The native API's jobs: what is shown, to whom, how old, and what silence means."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.past import past_run
from tests.gateway_client import Asked
from tests.unit.gateway.site import ADMIN, EVERYTHING, GatewaySite, somebody
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import UnreadableJob
from waldur_slurm.model.names import UserName

ANN, BOB = UserName("ann"), UserName("bob")
SLURMDBD_IS_AWAY = AccountingDown(("sacct",), 1, "slurmdbd is away")


@pytest.fixture
def site() -> GatewaySite:
    made = GatewaySite()
    for number, user in enumerate([ANN, BOB, ANN, BOB, BOB], 1):
        made.cluster.put(live_job(number, user=user, name=f"job-{number}", priority=number % 3))
    return made


def ids(answer: Any) -> list[str]:
    return [job["job_id"] for job in answer.json["jobs"]]


def test_a_job_is_shown_in_words_that_do_not_depend_on_slurms_release(site: GatewaySite) -> None:
    site.cluster.begin(1)

    job = site.get("/api/v1/jobs?job_id=1").json["jobs"][0]

    assert job["state"] == {"base": "RUNNING", "flags": [], "raw": "RUNNING", "reason": ""}
    assert (job["phase"], job["terminal"], job["outcome"]) == ("running", False, None)
    assert job["times"]["submit"] == "2026-11-21T12:00:00Z"
    assert job["resources"] == {
        "cpus": 1,
        "mem_mb": 10,
        "nodes": 1,
        "gpus": 0,
        "tres": {"cpu": 1, "mem": 10, "node": 1},
    }
    assert job["exit"] is None
    assert job["cluster"] == "lab"


def test_an_ended_job_says_how_it_ended(site: GatewaySite) -> None:
    site.cluster.finish(2, "TIMEOUT", code=0)

    job = site.get("/api/v1/jobs/2").json

    assert (job["terminal"], job["outcome"], job["exit"]) == (
        True,
        "timeout",
        {"code": 0, "signal": 0},
    )


def test_an_array_is_shown_as_one_and_a_task_is_found_in_it(site: GatewaySite) -> None:
    site.cluster.put(live_job(90, id=job_id("90_[1-9%2]")))

    shown = site.get("/api/v1/jobs/90_4").json

    assert shown["array"] == {"job_id": 90, "task_id": None, "tasks_pending": "[1-9%2]"}


def test_pages_lead_through_the_whole_list(site: GatewaySite) -> None:
    found, path = [], "/api/v1/jobs?sort=priority&limit=2"
    while True:
        answer = site.get(path)
        assert answer.json["total"] == 5
        found += ids(answer)
        if answer.json["next"] is None:
            break
        path = f"/api/v1/jobs?sort=priority&limit=2&cursor={answer.json['next']}"

    assert found == ["3", "1", "4", "2", "5"]


def test_times_lead_from_page_to_page_too(site: GatewaySite) -> None:
    for number in range(1, 6):
        job = site.cluster.jobs[number]
        site.cluster.put(job._replace(submitted=BEGAN + timedelta(minutes=number)))
    first = site.get("/api/v1/jobs?sort=-submit_time&limit=3")

    second = site.get(f"/api/v1/jobs?sort=-submit_time&limit=3&cursor={first.json['next']}")

    assert ids(first) + ids(second) == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("user=bob", ["5", "4", "2"]),
        ("user=bob&user=ann", ["5", "4", "3", "2", "1"]),
        ("user=ann,bob&job_id[gte]=2&job_id[lt]=4", ["3", "2"]),
        ("name=job-%2A", ["5", "4", "3", "2", "1"]),
        ("name=job-3", ["3"]),
        ("state=running", []),
        ("priority[gt]=1", ["5", "2"]),
        ("submit_time[lt]=2026-11-21", []),
        ("sort=user&limit=2", ["1", "3"]),
    ],
)
def test_filters_sorts_and_comparisons(site: GatewaySite, query: str, found: list[str]) -> None:
    assert ids(site.get(f"/api/v1/jobs?{query}")) == found


def test_only_the_fields_that_are_asked_for_are_shown(site: GatewaySite) -> None:
    answer = site.get("/api/v1/jobs?job_id=1&fields=job_id,user")

    assert answer.json["jobs"] == [{"job_id": "1", "user": "ann"}]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sort=colour", "sort: expected one of job_id"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("fields=password", "there is no password"),
        ("job_id=abc", "not the number of a job"),
        ("colour=red", "'colour': there is no such parameter"),
        ("user[gt", "there is no such parameter"),
        ("nodes[gt]=3", "nodes cannot be compared"),
        ("submit_time[gt]=yesterday", "expected a time such as"),
        ("priority[gt]=high", "expected a whole number"),
        ("cursor=AAAA", "ask for the first page again"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_was_expected(
    site: GatewaySite, query: str, words: str
) -> None:
    answer = site.get(f"/api/v1/jobs?{query}")

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["type"] == "urn:slurm-gateway:problem:wrong-ask"
    assert words in answer.json["detail"]


# Who sees what


def test_who_may_not_see_others_jobs_sees_his_own(site: GatewaySite) -> None:
    assert ids(site.get("/api/v1/jobs", somebody("ann"))) == ["3", "1"]
    assert site.get("/api/v1/jobs", somebody("ann")).json["total"] == 2
    assert ids(site.get("/api/v1/jobs?user=bob", somebody("ann"))) == []
    assert ids(site.get("/api/v1/jobs?job_id=2", somebody("ann"))) == []
    assert ids(site.get("/api/v1/jobs", somebody())) == []


def test_somebody_elses_job_does_not_exist_for_one_who_may_not_see_it(site: GatewaySite) -> None:
    assert site.get("/api/v1/jobs/2", somebody("ann")).status == 404
    assert site.get("/api/v1/jobs/2", somebody("bob")).status == 200


def test_answers_of_two_who_see_different_things_have_nothing_in_common(site: GatewaySite) -> None:
    admin, ann = site.get("/api/v1/jobs"), site.get("/api/v1/jobs", somebody("ann"))

    assert admin.headers["etag"] != ann.headers["etag"]
    again = site.get("/api/v1/jobs", somebody("ann"), if_none_match=admin.headers["etag"])
    assert again.status == 200
    assert ids(again) == ["3", "1"]


def test_a_cursor_of_somebody_else_is_none(site: GatewaySite) -> None:
    cursor = site.get("/api/v1/jobs?limit=1").json["next"]

    answer = site.get(f"/api/v1/jobs?limit=1&cursor={cursor}", somebody("ann"))

    assert answer.status == 400


def test_without_the_scope_nothing_is_shown(site: GatewaySite) -> None:
    answer = site.get("/api/v1/jobs", somebody("ann", scopes={Scope.CLUSTER_READ}))

    assert answer.status == 403
    assert "lacks jobs:read" in answer.json["detail"]
    assert site.cluster.calls["read_jobs"] == 0


def test_all_jobs_at_once_are_for_those_who_see_all(site: GatewaySite) -> None:
    assert len(ids(site.get("/api/v1/jobs?limit=0"))) == 5
    assert site.get("/api/v1/jobs?limit=0", somebody("ann")).status == 400


# One picture


def test_fifty_who_ask_at_once_cost_one_reading(site: GatewaySite) -> None:
    answers = site.client().together([Asked("/api/v1/jobs?limit=0")] * 50)

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert site.cluster.calls["read_jobs"] == 1


def test_whoever_has_the_picture_already_is_not_sent_it_again(site: GatewaySite) -> None:
    first = site.get("/api/v1/jobs")

    again = site.get("/api/v1/jobs", if_none_match=first.headers["etag"])

    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "age" in again.headers


def test_a_large_answer_is_packed_for_those_who_unpack(site: GatewaySite) -> None:
    for number in range(100, 400):
        site.cluster.put(live_job(number))

    packed = site.get("/api/v1/jobs?limit=1000", accept_encoding="gzip")
    plain = site.get("/api/v1/jobs?limit=1000")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 10
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in plain.headers


def test_all_jobs_at_once_are_kept_packed_alone_and_are_the_same_for_who_does_not_take_it_so(
    site: GatewaySite,
) -> None:
    for number in range(1000, 3500):
        site.cluster.put(live_job(number))

    plain = site.get("/api/v1/jobs?limit=0")
    packed = site.get("/api/v1/jobs?limit=0", accept_encoding="gzip")

    assert len(plain.json["jobs"]) == 2505
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert site.site.bodies.size == len(packed.body) < len(plain.body) / 10


# Silence


def test_a_silent_slurm_is_not_an_empty_queue(site: GatewaySite) -> None:
    site.cluster.go_down()

    answer = site.get("/api/v1/jobs")

    assert answer.status == 503
    assert answer.json["type"] == "urn:slurm-gateway:problem:not-now"
    assert "Unable to contact slurm controller" in answer.json["detail"]
    assert int(answer.headers["retry-after"]) >= 1


def test_the_last_picture_is_shown_of_a_silent_slurm_marked_as_such() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1))
    site.get("/api/v1/jobs")
    site.cluster.go_down()
    site.get("/api/v1/jobs")

    answer = site.get("/api/v1/jobs")

    assert ids(answer) == ["1"]
    assert answer.headers["warning"].startswith("110")


def test_a_row_that_is_not_understood_is_counted_and_hides_nothing(site: GatewaySite) -> None:
    site.cluster.unreadable.append(UnreadableJob(("?",), "no number"))

    answer = site.get("/api/v1/jobs")

    assert answer.json["unreadable"] == 1
    assert len(ids(answer)) == 5


# One job, in the accounting


def test_a_job_that_left_the_queue_is_not_gone_while_the_accounting_is_silent() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.history.outage = SLURMDBD_IS_AWAY

    answer = site.get("/api/v1/jobs/77")

    assert answer.status == 503
    assert "the accounting does not answer" in answer.json["detail"]


def test_a_job_that_neither_knows_is_not_there() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))

    answer = site.get("/api/v1/jobs/77")

    assert answer.status == 404
    assert answer.json["type"] == "urn:slurm-gateway:problem:not-there"


def test_a_task_is_found_in_the_accounting_by_its_bare_number_too() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    now = datetime.now(UTC)
    task = past_run(id=job_id("4_7"), submitted=now, start=now, end=now)
    site.history.runs.append(replace(task, number=41))

    assert site.get("/api/v1/jobs/41").json["job_id"] == "4_7"
    assert site.get("/api/v1/jobs/4_7").json["job_id"] == "4_7"
    assert site.get("/api/v1/jobs/42").status == 404


# Waiting


def test_a_wait_ends_when_the_job_does() -> None:
    site = GatewaySite(jobs_ttl=timedelta(seconds=0.05))
    site.cluster.put(live_job(1))
    looks = []
    read = site.cluster.read_jobs

    def finish_at_the_third_look() -> Any:
        looks.append(1)
        if len(looks) == 3:
            site.cluster.finish(1)
        return read()

    site.cluster.read_jobs = finish_at_the_third_look  # type: ignore[method-assign]  # for one test

    answer = site.get("/api/v1/jobs/1?wait=30&until=terminal")

    assert answer.json["terminal"] is True
    assert len(looks) in (3, 4)  # another reading may have begun beside the answer


def test_a_wait_is_bounded(site: GatewaySite) -> None:
    assert site.get("/api/v1/jobs/1?wait=61").status == 400
    assert site.get("/api/v1/jobs/1?wait=1&until=doomsday").status == 400


def test_everything_here_was_answered_without_a_crash(site: GatewaySite) -> None:
    for path in ("nodes", "partitions", "reservations", "licenses", "qos", "statistics"):
        assert site.get(f"/api/v1/{path}").status == 200, path
        assert site.get(f"/api/v1/clusters/lab/{path}").status == 200, path
    for path in ("users", "associations", "history", "clusters", "clusters/lab", "nodes/n1", "me"):
        assert site.get(f"/api/v1/{path}").status == 200, path
    assert site.get("/api/v1/clusters/nowhere/jobs").status == 404
    assert site.get("/api/v1/nodes/n99").status == 404
    assert site.errors() == []
    assert ADMIN.scopes == EVERYTHING
    assert JobState("PENDING").phase.value == "pending"

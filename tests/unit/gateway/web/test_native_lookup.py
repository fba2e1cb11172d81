"""Many jobs by their marks: present, absent or unknown, and never a stranger's."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.past import past_run
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import UserName

SLURMDBD_IS_AWAY = AccountingDown(("sacct",), 1, "slurmdbd is away")


def look_up(site: GatewaySite, **body: object) -> Any:
    answer = site.post("/api/v1/jobs/lookup", json.dumps(body).encode())
    assert answer.status == 200, answer.text
    return answer.json


def test_a_mark_is_present_absent_or_unknown() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1, comment="op:1"))

    answer = look_up(site, marks=["op:1", "op:2"])

    assert [job["comment"] for job in answer["jobs"]] == ["op:1"]
    assert (answer["absent"], answer["unknown"]) == (["op:2"], [])


def test_no_mark_is_absent_while_the_accounting_is_silent() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.history.outage = SLURMDBD_IS_AWAY

    answer = look_up(site, marks=["op:2"])

    assert (answer["absent"], answer["unknown"]) == ([], ["op:2"])
    assert "slurmdbd is away" in answer["said"]


def test_no_mark_is_absent_while_the_accounting_hangs() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0), patience_s=0.05)
    site.history.may_answer = may_answer = Event()
    site.cluster.put(live_job(1, comment="op:1"))
    body = json.dumps({"marks": ["op:1", "op:2"]}).encode()

    async def ask() -> Answered:
        told = await site.client().one(Asked("/api/v1/jobs/lookup", "POST", body=body))
        may_answer.set()
        return told

    answer = asyncio.run(ask()).json

    assert [job["comment"] for job in answer["jobs"]] == ["op:1"]
    assert (answer["absent"], answer["unknown"]) == ([], ["op:2"])
    assert "has not answered within" in answer["said"]


def test_marks_of_somebody_elses_jobs_are_not_found() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1, user=UserName("bob"), comment="op:1"))
    body = json.dumps({"marks": ["op:1"]}).encode()

    answer = site.post("/api/v1/jobs/lookup", body, somebody("ann"))

    assert answer.json["jobs"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"marks":["a"],"prefix":"a"}',
        b'{"marks":[1]}',
        b'{"colour":1}',
        b'{"marks":["a"],"since":"lately"}',
        b"\xff",
    ],
)
def test_a_lookup_that_says_nothing_is_refused(body: bytes) -> None:
    assert GatewaySite().post("/api/v1/jobs/lookup", body).status == 400


def test_a_body_that_is_too_large_is_refused_before_it_is_held() -> None:
    answer = GatewaySite().post("/api/v1/jobs/lookup", b" " * (256 * 1024 + 1))

    assert answer.status == 413


# What the journal knows


def placed(site: GatewaySite, number: int, mark: str = "op:1", user: str = "ann") -> None:
    """Note that the admin's own key stands for this job of the queue, or of the accounting."""
    key = Key(str(ADMIN), mark)
    opened = Attempt(key, "lab", UserName(user), "", mark, BEGAN, BEGAN)
    assert site.journal.open(opened) is None
    site.journal.place(key, Placed(JobId(number), "lab", BEGAN))


def test_a_copied_mark_is_not_taken_for_the_job_and_a_vanished_one_hides_none() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    placed(site, 1)
    site.cluster.put(live_job(1, comment=""))
    site.cluster.put(live_job(2, user=UserName("bob"), comment="op:1"))

    answer = look_up(site, marks=["op:1"])

    assert [(job["job_id"], job["mark"]) for job in answer["jobs"]] == [("1", "op:1")]


def test_a_prefix_finds_no_copies_of_marks_that_were_handed_in_here() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    placed(site, 1)
    site.cluster.put(live_job(1, comment="op:1"))
    for number, mark in ((2, "op:1"), (3, "op:3"), (4, "other:1")):
        site.cluster.put(live_job(number, user=UserName("bob"), comment=mark))
    site.history.runs = [past_run(5, comment="op:1"), past_run(6, comment="op:6")]

    found = look_up(site, prefix="op:")["jobs"]

    assert {job["job_id"]: job["mark"] for job in found} == {"1": "op:1", "3": "op:3", "6": "op:6"}


def test_what_was_handed_in_and_is_not_shown_is_told_from_what_nobody_could_ask_for() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    placed(site, 1)

    answer = look_up(site, marks=["op:1", "op:2"])
    assert (answer["absent"], answer["unknown"], answer["tried"]) == (["op:2"], ["op:1"], ["op:1"])

    site.history.outage = SLURMDBD_IS_AWAY
    answer = look_up(site, marks=["op:1", "op:2"])
    assert (answer["unknown"], answer["tried"]) == (["op:1", "op:2"], [])


def test_known_jobs_are_recalled_by_their_numbers_alone() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    placed(site, 1)
    site.history.runs = [past_run(1), past_run(2, comment="op:1")]

    answer = look_up(site, marks=["op:1"])

    assert [job["job_id"] for job in answer["jobs"]] == ["1"]
    assert site.history.asked[-1].ids == {JobId(1)}


# Arrays


def test_tasks_that_slurmctld_has_forgotten_are_told_by_the_accounting() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    for part, number in (("1_[4-9%2]", 1), ("1_3", 3)):
        site.cluster.put(live_job(number, id=job_id(part), comment="op:1"))
    ended = {"comment": "op:1", "state": JobState("FAILED")}
    site.history.runs = [
        replace(
            past_run(1, comment="op:1"), id=job_id("1_[3-9]"), state=JobState("PENDING"), end=None
        ),
        replace(past_run(2, **ended), id=job_id("1_2")),
        replace(past_run(3, **ended), id=job_id("1_3")),
    ]

    answer = look_up(site, marks=["op:1"])

    assert sorted(job["job_id"] for job in answer["jobs"]) == ["1_2", "1_3", "1_[4-9%2]"]
    (third,) = (job for job in answer["jobs"] if job["job_id"] == "1_3")
    assert not third["terminal"], "slurmctld knows later than the accounting"


def test_an_array_is_unknown_while_the_accounting_is_silent() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1, id=job_id("1_3"), comment="op:1"))
    site.cluster.put(live_job(2, comment="op:2"))
    site.history.outage = SLURMDBD_IS_AWAY

    answer = look_up(site, marks=["op:1", "op:2"])

    assert [job["job_id"] for job in answer["jobs"]] == ["2"]
    assert (answer["absent"], answer["unknown"]) == ([], ["op:1"])


def test_single_jobs_that_are_listed_cost_the_accounting_nothing() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1, comment="op:1"))

    look_up(site, marks=["op:1"])

    assert site.history.asked == []

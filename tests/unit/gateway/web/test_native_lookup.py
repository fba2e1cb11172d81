"""Many jobs by their marks: present, absent or unknown, and never a stranger's."""

import asyncio
import json
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from tests.fakes.cluster import live_job
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import GatewaySite, somebody
from waldur_slurm.errors import AccountingDown
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

"""What an epilog tells: believed where it is signed and new, and never more than a look."""

import json
import time
from typing import Any

import pytest

from tests.fakes.cluster import live_job
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import GatewaySite
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.gateway.doors.principals import NOBODY
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.gateway.watch.signed import WITHIN, signature

SECRET = "s" * 32
JOB: dict[str, Any] = {"job_id": 1, "cluster": "lab"}


def with_monitor() -> GatewaySite:
    """Watch a job that the watch has seen running."""
    site = GatewaySite(hook_secret=SECRET)
    site.cluster.put(live_job(1, state="RUNNING"))
    site.monitors.add(monitor())
    site.watch.step()
    return site


def tell(
    site: GatewaySite,
    body: bytes = json.dumps(JOB).encode(),
    *,
    secret: str = SECRET,
    at: int | None = None,
    **headers: str,
) -> Answered:
    """Say it as the epilog does, as nobody in particular."""
    said = str(int(time.time()) if at is None else at)
    named = {"X-Hook-Time": said, "X-Hook-Signature": signature(secret, said, body), **headers}
    asked = Asked("/api/v1/hooks/job", "POST", [*named.items()], body)
    return site.client(NOBODY).ask(asked)


def looks(site: GatewaySite) -> int:
    site.watch.step()
    return site.cluster.calls["read_job"]


def test_what_an_epilog_tells_has_the_job_looked_at() -> None:
    site = with_monitor()
    site.cluster.finish(1, "FAILED")

    assert tell(site).status == 204
    assert looks(site) == 1
    assert site.monitors.kept["m"].stage is Stage.ENDED


def test_what_it_tells_is_not_believed_but_looked_at() -> None:
    site = with_monitor()

    assert tell(site).status == 204
    assert looks(site) == 1
    assert site.monitors.kept["m"].stage is Stage.WATCHING


def test_the_same_said_again_is_taken_and_has_nothing_looked_at() -> None:
    site = with_monitor()
    now = int(time.time())
    tell(site, at=now)
    site.cluster.finish(1)
    site.watch.step()
    before = site.cluster.calls["read_job"]
    site.monitors.add(monitor("n"))

    assert tell(site, at=now).status == 204
    assert looks(site) == before


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_said_long_ago_or_is_yet_to_come_is_refused(minutes: int) -> None:
    site = with_monitor()
    assert WITHIN.total_seconds() < 360

    assert tell(site, at=int(time.time()) + 60 * minutes).status == 401
    assert looks(site) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hook-Signature": "0" * 64},
        {"X-Hook-Signature": ""},
        {"X-Hook-Signature": "\u00e9"},
        {"X-Hook-Time": "0"},
        {"X-Hook-Time": "now"},
        {"X-Hook-Time": "9" * 400},
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, Any]) -> None:
    site = with_monitor()

    assert tell(site, **headers).status == 401
    assert tell(site, secret="t" * 32).status == 401
    assert looks(site) == 0


def test_a_changed_body_is_refused() -> None:
    site = with_monitor()
    said, body = str(int(time.time())), json.dumps(JOB).encode()
    named = {"X-Hook-Time": said, "X-Hook-Signature": signature(SECRET, said, body)}
    other = json.dumps({"job_id": 2}).encode()

    answer = site.client(NOBODY).ask(Asked("/api/v1/hooks/job", "POST", [*named.items()], other))

    assert answer.status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x", 400),
        (b'{"job_id": 0}', 400),
        (b'{"job_id": "1"}', 400),
        (b'{"job_id": 1, "cluster": "other"}', 404),
        (b" " * 5000, 413),
        (b'{"job_id": 1, "node": "n1"}', 204),
    ],
)
def test_what_is_not_understood_is_refused(body: bytes, status: int) -> None:
    assert tell(with_monitor(), body).status == status


def test_an_array_is_looked_at_where_a_task_of_it_ends() -> None:
    site = with_monitor()
    site.cluster.finish(1)

    assert tell(site, json.dumps({"job_id": 130, "array_job_id": 1}).encode()).status == 204
    assert looks(site) == 1
    assert site.monitors.kept["m"].stage is Stage.ENDED


def test_without_a_secret_no_epilog_is_listened_to() -> None:
    assert tell(GatewaySite()).status == 501

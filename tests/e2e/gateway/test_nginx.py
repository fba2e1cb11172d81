"""The gateway behind a real nginx with the blocks that are shipped: nothing is lost on the way."""

import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.nginx import BLOCKS, NGINX, Front, nginx_before
from tests.e2e.program import eventually
from tests.fixtures_slurm import IN_CI, require, skip_here
from waldur_slurm.gateway.web.native.events import HEARTBEAT_S
from waldur_slurm.gateway.web.native.job import LONGEST_WAIT_S

BOTH = ("slurm-gateway-nginx.conf", "sample-block-nginx.conf")
NAME = "gateway.example.org"

Start = Callable[..., AbstractContextManager[Front]]


@pytest.fixture
def start(new_gateway: NewGateway, tmp_path: Path) -> Start:
    """Put nginx before a gateway; what is given by name are the gateway's variables."""
    require([] if NGINX else ["nginx"], in_ci=IN_CI)
    place = tmp_path / "nginx"
    place.mkdir()

    @contextmanager
    def started(block: str = BOTH[0], **changes: str) -> Iterator[Front]:
        with new_gateway(**changes) as gateway, nginx_before(gateway, place, block) as front:
            yield front

    return started


def body_of(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[2]


def said_in(raw: bytes) -> Any:
    """The answer, but for what differs from request to request; nginx itself speaks no JSON."""
    said = json.loads(body_of(raw))
    return said | {"request_id": ""}


def me(front: Front, *headers: str, source: str = "") -> tuple[str, list[str]]:
    """Say what the asker is, and what he may do."""
    said = json.loads(body_of(front.raw("/api/v1/me", f"Host: {NAME}", *headers, source=source)))
    return said["kind"], [each["scope"] for each in said["scopes"] if each["allowed"]]


@pytest.mark.parametrize("block", BOTH)
@pytest.mark.parametrize("target", ["/history?jobid<=9", "/api/v1/jobs?jobid<=9&x=a|b^c"])
def test_a_comparison_that_is_not_encoded_reaches_the_gateway_as_it_is(
    start: Start, block: str, target: str
) -> None:
    with start(block, GATEWAY_HOSTS=NAME) as front:
        by_nginx = front.raw(target, f"Host: {NAME}")
        direct = Front(front.behind, front.behind).raw(target, f"Host: {NAME}", "Via: nginx")

    assert by_nginx.split(b" ")[1] == direct.split(b" ")[1]
    assert said_in(by_nginx) == said_in(direct)


def test_a_comparator_means_the_same_behind_nginx(
    start: Start, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    first, second = (
        lab.submit(slurm_users[0], "physics", "true", "--output=/dev/null") for _ in range(2)
    )

    def found(front: Front, query: str) -> list[int]:
        raw = front.raw(f"/history?limit=100&{query}", f"Host: {NAME}")
        return [job["id_job"] for job in json.loads(body_of(raw))["data"]]

    with start(BOTH[1], GATEWAY_HOSTS=NAME) as front:
        eventually(lambda: {first, second} <= {*found(front, "")}, "the accounting has heard")
        for sign in ("<=", "%3C%3D"):
            assert first in found(front, f"jobid{sign}{first}")
            assert second not in found(front, f"jobid{sign}{first}")
        assert found(front, f"jobid>={second}&jobid<={second}") == [second]


def test_what_becomes_of_a_job_is_heard_while_the_stream_is_open(
    start: Start, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    with start() as front, front.gateway.opened("GET", "/api/v1/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.readline() == b"retry: 3000\n"
        number = lab.submit(slurm_users[0], "physics", "true", "--hold", "--output=/dev/null")
        heard = next(line for line in stream if line.startswith(b"data:"))

    assert json.loads(heard.removeprefix(b"data:"))["job_id"] == str(number)


def test_an_answer_that_a_client_has_is_not_sent_again(start: Start) -> None:
    with start() as front:
        first = front.gateway.get("/api/v1/nodes")
        again = front.gateway.get("/api/v1/nodes", If_None_Match=first.headers["etag"])

    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert int(first.headers["age"]) >= 0


def test_an_answer_comes_packed_to_who_can_unpack_it(
    start: Start, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    for _ in range(4):
        long = ("--hold", "--output=/dev/null", f"--comment={'x' * 900}")
        lab.submit(slurm_users[0], "physics", "true", *long)
    with start(GATEWAY_JOBS_AGE="60s") as front:
        plain = front.gateway.get("/api/v1/jobs?limit=0")
        packed = front.gateway.get("/api/v1/jobs?limit=0", Accept_Encoding="gzip")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) * 2 < len(plain.body)
    assert json.loads(gzip.decompress(packed.body))["total"] == plain.json["total"] >= 4


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
def test_who_comes_through_nginx_is_nobody_whatever_he_says_of_himself(
    start: Start, proxies: str
) -> None:
    rights = {
        "GATEWAY_ANONYMOUS_SCOPES": "",
        "GATEWAY_TRUSTED_NETWORKS": "127.0.0.1 may jobs:read; 10.1.0.0/16 may jobs:read as ann",
        "GATEWAY_TRUSTED_PROXIES": proxies,
        "GATEWAY_HOSTS": NAME,
    }
    claims = ("X-Forwarded-For: 10.1.2.3", "X-Real-IP: 10.1.2.3", "Forwarded: for=10.1.2.3")
    with start(**rights) as front:
        found = [me(front), *(me(front, claim) for claim in claims), me(front, *claims)]

    assert found == [("nobody", [])] * 5


def test_a_network_is_known_through_a_proxy_that_was_named_and_through_no_other(
    start: Start,
) -> None:
    own = own_address()
    rights = {
        "GATEWAY_ANONYMOUS_SCOPES": "",
        "GATEWAY_TRUSTED_NETWORKS": f"{own} may jobs:read",
        "GATEWAY_HOSTS": NAME,
    }
    with start(**rights, GATEWAY_TRUSTED_PROXIES="127.0.0.1") as front:
        known = me(front, source=own)
        pretends = me(front, f"X-Forwarded-For: {own}")
    with start(**rights) as front:
        unknown = me(front, source=own)

    assert known == ("network", ["jobs:read"])
    assert [pretends, unknown] == [("nobody", [])] * 2


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            skip_here("this machine has no address but loopback")
        return str(probe.getsockname()[0])


def test_a_name_that_the_gateway_was_not_told_is_refused_to_clients_without_a_token(
    start: Start,
) -> None:
    with start(GATEWAY_HOSTS=NAME) as front:
        statuses = [
            front.raw("/api/v1/nodes", f"Host: {host}").split(b" ")[1]
            for host in (NAME, "evil.example")
        ]

    assert statuses == [b"200", b"403"]


@pytest.mark.parametrize("block", BOTH)
def test_nginx_waits_longer_than_the_gateway_lets_anybody_wait(block: str) -> None:
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", (BLOCKS / block).read_text())

    assert int(seconds) > max(LONGEST_WAIT_S, HEARTBEAT_S) + 30

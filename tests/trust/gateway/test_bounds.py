"""Clients who do not read, do not finish, or send too much: bounded by count, and others served."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.gateway.sockets import connect, descriptors, head, memory_mib

SLOW = 50
OTHERS = 20
"""Descriptors of the database, and of commands under way."""

MOST_MIB = 100
"""What fifty who do not read 4 MB each may add to the process."""


@pytest.fixture(scope="module")
def _many_words(lab: Cluster, slurm_users: tuple[str, ...]) -> Iterator[None]:
    """Jobs whose listing takes some four megabytes."""
    words = "\x01" * 1000  # six bytes each, as JSON
    options = ("--hold", f"--comment={words}", f"--job-name={words}", "--output=/dev/null")
    made = [str(lab.submit(slurm_users[0], "physics", "true", *options)) for _ in range(300)]
    yield
    lab.must("scancel", *made)


def is_served(gateway: Gateway) -> bool:
    return gateway.get("/api/v1/jobs?limit=1").status == 200


@pytest.mark.usefixtures("_many_words")
def test_fifty_who_do_not_read_a_large_list_hold_little_of_it(new_gateway: NewGateway) -> None:
    with new_gateway(GATEWAY_JOBS_AGE="60s") as gateway, ExitStack() as stack:
        whole = gateway.get("/api/v1/jobs?limit=0")
        assert len(whole.body) > 3_000_000
        before, open_before = memory_mib(gateway), descriptors(gateway)
        for _ in range(SLOW):
            slow = stack.enter_context(connect(gateway, receives=4096))
            slow.sendall(head("/api/v1/jobs?limit=0", "Accept-Encoding: identity"))
            assert slow.recv(16).startswith(b"HTTP/1.1 200")
        assert is_served(gateway)
        assert memory_mib(gateway) - before < MOST_MIB
        assert descriptors(gateway) - open_before <= SLOW + OTHERS


def test_a_head_that_does_not_end_is_not_waited_for(gateway: Gateway) -> None:
    with ExitStack() as stack:
        silent = stack.enter_context(connect(gateway))
        trickling = stack.enter_context(connect(gateway))
        trickling.settimeout(0.5)
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 500:
            try:
                trickling.sendall(bytes([byte]))
                assert trickling.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                pass
            break
        else:
            raise AssertionError("it was let go on")
        assert silent.recv(1) == b""
        assert is_served(gateway)


@pytest.mark.parametrize(
    "request_",
    [
        head("/api/v1/jobs?name=" + "a" * 300_000),
        head("/healthz", "X-Long: " + "a" * 300_000),
        head("/healthz", *(f"X-{number}: a" for number in range(30_000))),
    ],
    ids=["query", "header", "headers"],
)
def test_a_head_that_is_too_large_is_refused_unread(gateway: Gateway, request_: bytes) -> None:
    before = memory_mib(gateway)
    for _ in range(20):
        with connect(gateway) as sender:
            try:
                sender.sendall(request_)
                assert sender.recv(12) == b"HTTP/1.1 400"
            except ConnectionError:
                continue  # it was closed before all was sent
    assert is_served(gateway)
    assert memory_mib(gateway) - before < 30
    assert "request.crashed" not in gateway.daemon.log


def test_a_body_over_the_bound_is_refused_before_it_is_held(gateway: Gateway) -> None:
    before = memory_mib(gateway)
    body = b'{"marks":["' + b"a" * 50_000_000 + b'"]}'
    with connect(gateway) as sender:
        try:
            sender.sendall(
                b"POST /api/v1/jobs/lookup HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
            )
            sender.sendall(body[:1_000_000])
            assert sender.recv(12) == b"HTTP/1.1 413"
        except ConnectionError:
            pass
    assert is_served(gateway)
    assert memory_mib(gateway) - before < 30


def test_a_question_that_is_held_against_each_job_is_short_or_refused(gateway: Gateway) -> None:
    """A thousand patterns would keep a thread busy for seconds; a thousand names do not."""
    path = "/api/v1/jobs?limit=1"
    names = ",".join(f"n{number}" for number in range(8_000))
    patterns = ",".join(f"*{number}*" for number in range(21))
    comparisons = "&priority[gte]=1" * 61

    assert gateway.get(f"{path}&name={names}").status == 200
    for asked in (f"{path}&name={patterns}", f"/ui/queue?name={names}", f"{path}{comparisons}"):
        assert gateway.get(asked).status == 400, asked[:80]

"""Hostile clients by the hundred before a real gateway: they cost little, and others are served.

Everything is counted: memory, descriptors, threads, what was logged, how often Slurm was asked.
"""

import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from random import Random

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway, listings_asked
from tests.e2e.gateway.sockets import connect, descriptors, head, memory_mib, threads
from tests.e2e.program import eventually
from tests.trust.size import SEED, count, size

CLIENTS = 500
"""All connected at once."""
ROUNDS = size(1, 120)
STREAMS = size(200, 1000)
AT_ONCE = 100
"""Streams that begin together: no more than may wait for the store."""

JOBS_AGE_S = 60
LOOKUP = b"POST /api/v1/jobs/lookup HTTP/1.1\r\nHost: 127.0.0.1\r\n"

MOST_MIB = 80
"""What a thousand idle streams, or all hostile clients, may add to the process."""
MOST_LOGGED = 300
"""Bytes of the log for each thing that a hostile client does."""
MOST_THREADS = 60
OTHERS = 20
"""Descriptors of the database, and of commands under way."""


@pytest.fixture(autouse=True)
def _many_descriptors() -> Iterator[None]:
    """As a unit's LimitNOFILE gives them; the gateway has them from here."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def gateway(new_gateway: NewGateway) -> Iterator[Gateway]:
    with new_gateway(GATEWAY_JOBS_AGE=f"{JOBS_AGE_S}s") as started:
        yield started


def trickle(sender: socket.socket, _: Random) -> None:
    sender.sendall(b"GET /api/v1/jobs HT")


def trickle_a_body(sender: socket.socket, _: Random) -> None:
    sender.sendall(LOOKUP + b"Content-Length: 99\r\n\r\n{")


def talk_nonsense(sender: socket.socket, random: Random) -> None:
    sender.sendall(random.randbytes(300))


def ask_for_too_much(sender: socket.socket, _: Random) -> None:
    sender.sendall(head("/api/v1/jobs?name=" + "a" * 100_000))


def send_too_much(sender: socket.socket, _: Random) -> None:
    sender.sendall(LOOKUP + b"Content-Length: 9000000\r\n\r\n" + b"a" * 500_000)


def send_without_end(sender: socket.socket, _: Random) -> None:
    sender.sendall(LOOKUP + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"a" * 4096)
    for _more in range(50):
        sender.sendall(b"\r\n1000\r\n" + b"a" * 4096)


def guess_a_token(sender: socket.socket, random: Random) -> None:
    guess = f"sgw_{random.randbytes(4).hex()}_{random.randbytes(20).hex()}"
    sender.sendall(head("/api/v1/jobs", f"Authorization: Bearer {guess}"))


def fill_the_log(sender: socket.socket, random: Random) -> None:
    """Whatever is said before one is known, and however long it is."""
    words = random.choice(("User", "X-Auth-Token", "X-Request-ID", "Host", "Cookie", "Origin"))
    sender.sendall(head(f"/apps/{'%0a' * 2000}", f"{words}: {'a' * 30_000}"))


def not_read(sender: socket.socket, _: Random) -> None:
    sender.sendall(head("/api/v1/openapi.json") * 20)


def ask_in_one_breath(sender: socket.socket, _: Random) -> None:
    sender.sendall(head("/api/v1/jobs?limit=1") * 50)


def ask_otherwise_each_time(sender: socket.socket, random: Random) -> None:
    sender.sendall(head(f"/api/v1/jobs?limit=0&name={'*a' * 100}{random.random()}"))


def follow(sender: socket.socket, _: Random) -> None:
    sender.sendall(head("/api/v1/events"))


def ask_for_a_job(sender: socket.socket, random: Random) -> None:
    sender.sendall(head(f"/api/v1/jobs/{random.randrange(1, 10**9)}"))


ACTS: tuple[Callable[[socket.socket, Random], None], ...] = (
    trickle, trickle_a_body, talk_nonsense, ask_for_too_much, send_too_much, send_without_end,
    guess_a_token, fill_the_log, not_read, ask_in_one_breath, ask_otherwise_each_time, follow,
    ask_for_a_job,
)  # fmt: skip


def hostile_clients(gateway: Gateway, random: Random, stack: ExitStack) -> None:
    """Let each do something that is no good, read nothing, and stay."""
    for _ in range(CLIENTS):
        act = random.choice(ACTS)
        count(f"hostile client of the gateway: {act.__name__}")
        with suppress(OSError):  # it was let go, as it should be
            act(stack.enter_context(connect(gateway, receives=4096)), random)


def test_hostile_clients_cost_little_and_an_honest_one_is_served(
    gateway: Gateway, lab: Cluster
) -> None:
    made = gateway.program.run("token", "make", "--name=honest", "--scopes=jobs:read:all")
    honest = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}

    def served() -> int:
        return gateway.ask("GET", "/api/v1/jobs?limit=1", None, honest).status

    assert served() == 200
    memory, held, asked = memory_mib(gateway), descriptors(gateway), listings_asked(lab)
    began, logged = time.monotonic(), len(gateway.daemon.log)
    for turn in range(ROUNDS):
        with ExitStack() as stack, ThreadPoolExecutor(1) as beside:
            seeded = Random(f"{SEED} {turn}")  # noqa: S311 - it has to come again
            attack = beside.submit(hostile_clients, gateway, seeded, stack)
            statuses = [served()]
            while not attack.done():
                statuses.append(served())
                time.sleep(0.2)
            attack.result()
            assert [*statuses, served()] == [200] * (len(statuses) + 1)
            assert threads(gateway) <= MOST_THREADS
            assert memory_mib(gateway) - memory <= MOST_MIB
            assert descriptors(gateway) - held <= CLIENTS + OTHERS
        eventually(lambda: descriptors(gateway) <= held + OTHERS, "all are let go", 90)

    assert (len(gateway.daemon.log) - logged) / (CLIENTS * ROUNDS) <= MOST_LOGGED
    lives = (time.monotonic() - began) / JOBS_AGE_S
    assert listings_asked(lab) - asked <= int(lives) + 1
    assert not re.search("request.crashed|picture.crashed", gateway.daemon.log)


def test_idle_streams_are_held_in_little_memory_and_end_with_the_gateway(gateway: Gateway) -> None:
    assert gateway.get("/api/v1/jobs").status == 200
    before, held = memory_mib(gateway), descriptors(gateway)
    with ExitStack() as stack:
        for _ in range(STREAMS // AT_ONCE):
            streams = [stack.enter_context(connect(gateway)) for _ in range(AT_ONCE)]
            for stream in streams:
                stream.sendall(head("/api/v1/events"))
            for stream in streams:
                assert stream.recv(16).startswith(b"HTTP/1.1 200")
        count("idle event streams", STREAMS)
        assert gateway.get("/api/v1/jobs?limit=1").status == 200
        assert memory_mib(gateway) - before <= MOST_MIB
        assert descriptors(gateway) - held <= STREAMS + OTHERS
        assert gateway.daemon.stop(timeout=30) == 0

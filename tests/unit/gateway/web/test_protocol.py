"""One connection's bounds, over real sockets: who trickles, who does not read, who is many."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from waldur_slurm.gateway.web.protocol import Crowd, Patience, Protocol

LONG = 16 * 1024 * 1024
A_MOMENT = 0.05
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Application:
    """Reads the body, then answers with what takes more than the kernel holds."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(LONG // 65_536):
                await send({"type": "http.response.body", "body": b"a" * 65_536, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.ended.set()


async def served(
    do: Callable[[Callable[[], Awaitable[Opened]], Application], Awaitable[None]],
    patience: Patience,
    crowd: Crowd,
    certificate: Path | None = None,
) -> None:
    application = Application()
    made = partial(Protocol, crowd=crowd, patience=patience)
    config = uvicorn.Config(application, http=made, lifespan="off", log_config=None)  # type: ignore[arg-type]  # as the gateway
    config.ssl_certfile = certificate
    server = uvicorn.Server(config)
    trusting = ssl.create_default_context(cafile=certificate) if certificate else None
    named: dict[str, Any] = {"ssl": trusting, "server_hostname": "localhost"} if trusting else {}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        serving = asyncio.ensure_future(server.serve([listener]))
        await do(partial(asyncio.open_connection, *listener.getsockname(), **named), application)
        server.should_exit = True
        await serving


async def says_nothing_more(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", HEAD[:-2], BODY, BODY + b"a" * 50])
def test_who_does_not_come_to_an_end_is_let_go(sent: bytes) -> None:
    async def do(connect: Callable[[], Awaitable[Opened]], _: Application) -> None:
        reader, writer = await connect()
        writer.write(sent)
        assert await says_nothing_more(reader)
        writer.close()

    asyncio.run(served(do, Patience(A_MOMENT, A_MOMENT, 60), Crowd()))


def test_who_comes_to_an_end_is_answered_however_long_the_answer_takes() -> None:
    async def do(connect: Callable[[], Awaitable[Opened]], _: Application) -> None:
        reader, writer = await connect()
        writer.write(BODY + b"a" * 100)
        await asyncio.sleep(3 * A_MOMENT)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        got = 0
        while got < LONG:
            got += len(await reader.read(1_000_000))
        writer.close()

    asyncio.run(served(do, Patience(60, A_MOMENT, 60), Crowd()))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of its own for this machine, with its key in the same file."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    name = ("-nodes", "-days", "2", "-subj", "/CN=localhost")
    more = ("-addext", "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", str(file))
    subprocess.run([*new, *name, *more], capture_output=True, check=True)
    return file


@pytest.mark.parametrize("has_tls", [False, True])
def test_who_does_not_read_what_waits_for_him_is_let_go_and_holds_nothing(
    certificate: Path, has_tls: bool
) -> None:
    async def do(connect: Callable[[], Awaitable[Opened]], application: Application) -> None:
        reader, writer = await connect()
        writer.write(HEAD)
        assert await reader.readline()
        await application.ended.wait()  # nobody has read on: only being let go ends it
        writer.close()

    asyncio.run(served(do, Patience(60, 60, A_MOMENT), Crowd(), certificate if has_tls else None))


def test_one_address_has_half_of_all_places_and_a_proxy_has_all() -> None:
    def taken(proxies: Sequence[IPv4Network]) -> int:
        crowd = Crowd(most=10, proxies=proxies)
        return sum(crowd.enter("10.0.0.1") for _ in range(20))

    assert taken(()) == 5
    assert taken((IPv4Network("10.0.0.0/24"),)) == 10


def test_who_leaves_makes_place_for_others() -> None:
    crowd = Crowd(most=4)
    assert [crowd.enter("a") for _ in range(3)] == [True, True, False]
    crowd.leave("a")
    assert crowd.enter("b")
    assert not crowd.enter("a")
    crowd.leave("a")
    crowd.leave("a")
    assert crowd.enter("a")


def test_a_crowd_of_one_address_is_refused_and_another_one_is_served() -> None:
    crowd = Crowd(most=4)

    async def do(connect: Callable[[], Awaitable[Opened]], _: Application) -> None:
        first = [await connect() for _ in range(2)]
        refused, its_writer = await connect()
        assert await says_nothing_more(refused)
        first[0][1].write(HEAD)
        assert (await first[0][0].readline()).startswith(b"HTTP/1.1 200")
        for writer in (its_writer, *(each[1] for each in first)):
            writer.close()

    asyncio.run(served(do, Patience(), crowd))

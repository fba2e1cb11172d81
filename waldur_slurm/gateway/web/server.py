"""The listening sockets and the loop that serves them, until somebody asks it to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from waldur_slurm.errors import CannotListen
from waldur_slurm.service.notify import Notifier
from waldur_slurm.variables.places import Address

GRACE_S = 2
"""How long answers under way may take once the gateway is asked to stop."""

_QUEUE = 2048


class Served:
    """Several applications, each at an address of its own."""

    def __init__(self, applications: Mapping[Address, Starlette]) -> None:
        self._by_port = {at.port: app for at, app in applications.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, port = scope["server"]
        await self._by_port[port](scope, receive, send)


class _Server(uvicorn.Server):
    """Tells systemd when it serves; signals are the gateway's own matter."""

    def __init__(self, config: uvicorn.Config, notifier: Notifier) -> None:
        super().__init__(config)
        self._notifier = notifier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._notifier.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def listening(addresses: Sequence[Address]) -> Iterator[list[socket.socket]]:
    """Open the sockets, or raise `CannotListen` with the one that cannot be had."""
    with ExitStack() as stack:
        yield [stack.enter_context(_open(at)) for at in addresses]


def serve(
    app: Served,
    sockets: list[socket.socket],
    notifier: Notifier,
    certificate: Path | None,
    key: Path | None,
    on_stop: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT; answers under way come to their end, for a while."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    asyncio.run(_serve(_Server(config, notifier), sockets, notifier, on_stop))


async def _serve(
    server: _Server,
    sockets: list[socket.socket],
    notifier: Notifier,
    on_stop: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        notifier.stopping()
        on_stop()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    signs = asyncio.ensure_future(_live(notifier))
    try:
        await server.serve(sockets)
    finally:
        signs.cancel()


async def _live(notifier: Notifier) -> None:
    """Give signs of life from the loop itself: one that hangs gives none."""
    while True:
        notifier.alive()
        await asyncio.sleep(notifier.longest_sleep.total_seconds())


def _open(at: Address) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(_QUEUE)
        except OSError:
            opened.close()
            raise
    except OSError as error:
        raise CannotListen(
            f"GATEWAY_LISTEN: cannot listen on port {at.port} of {at.host}: {error.strerror};"
            " name a free port"
        ) from error
    return opened

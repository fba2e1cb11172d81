"""The listening sockets and the loop that serves them, until somebody asks it to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from waldur_slurm.errors import CannotListen, SettingsError
from waldur_slurm.gateway.web.protocol import Crowd, Patience, Protocol
from waldur_slurm.service.notify import Notifier
from waldur_slurm.telemetry.events import Event, Level, Sink
from waldur_slurm.variables.places import Address

GRACE_S = 2
"""How long answers under way may take once the gateway is asked to stop."""

_QUEUE = 2048
_SEND_BUFFER = 256 * 1024
"""What the kernel takes for a client that does not read; by itself it takes megabytes for each."""


class Served:
    """Several applications, each at an address of its own."""

    def __init__(self, applications: Mapping[Address, Starlette]) -> None:
        self.addresses = tuple(applications)
        self._by_port = {at.port: app for at, app in applications.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, port = scope["server"]
        await self._by_port[port](scope, receive, send)


class _Server(uvicorn.Server):
    """Tells systemd when it serves; signals are the gateway's own matter."""

    def __init__(self, config: uvicorn.Config, notifier: Notifier, tell: Sink) -> None:
        super().__init__(config)
        self._tell = tell
        self._notifier = notifier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._notifier.ready()

    def renew_certificate(self) -> None:
        """Read the certificate's files again; connections that are open keep the old one.

        Files that are no good leave the one before.
        """
        config = self.config
        try:
            if config.ssl and config.ssl_certfile:
                config.ssl.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
        except OSError as error:
            fields = {"error": str(error), "kept": "the certificate that was read before"}
            self._tell(Event(name="reload.refused", level=Level.ERROR, fields=fields))
        else:
            self._tell(Event(name="reload.done"))

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
    tell: Sink,
    crowd: Crowd,
) -> None:
    """Serve until SIGTERM or SIGINT; answers under way come to their end, for a while."""
    config = uvicorn.Config(
        app,
        http=partial(Protocol, crowd=crowd, patience=Patience()),  # type: ignore[arg-type]  # it makes one
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
    # What strangers send is nothing to warn of, and must not fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        config.load()
    except OSError as error:  # an error of TLS is one too
        raise SettingsError(
            [f"GATEWAY_TLS_CERTIFICATE: cannot use {certificate}: {error}"]
        ) from error
    tell(Event(name="gateway.listening", fields={"at": [str(at) for at in app.addresses]}))
    asyncio.run(_serve(_Server(config, notifier, tell), sockets, notifier, on_stop))


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

    def reload() -> None:
        notifier.reloading()
        server.renew_certificate()
        notifier.ready()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
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
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
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

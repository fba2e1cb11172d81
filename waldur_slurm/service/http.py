"""A small HTTP server beside the loop: a few fixed pages for those who watch the process.

It answers GET and HEAD, one request a connection, within seconds and on few threads; nothing that
is asked of it is ever written down. Whoever asks too much is cut off, and the loop never notices.
"""

import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from waldur_slurm.errors import CannotListen
from waldur_slurm.telemetry.events import Event, Level, Sink

MOST_AT_ONCE = 8
PATIENCE_S = 10.0
"""From the connection to its end, however slowly somebody asks or reads."""

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = TEXT


Pages = Mapping[str, Callable[[], Page]]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where pages are served; `variable` is what an operator changes where that cannot be."""

    host: str
    port: int
    variable: str


@contextmanager
def serving(
    at: Listening, pages: Pages, tell: Sink, patience_s: float = PATIENCE_S
) -> Iterator[int]:
    """Serve the pages while the body runs; yields the port, which the system chose where it is 0.

    Raises `CannotListen`.
    """
    server = _bound(at, pages, tell)
    server.patience_s = patience_s
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(at: Listening, pages: Pages, tell: Sink) -> "_Server":
    try:
        family, *_, address = socket.getaddrinfo(
            at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _Server(family, address, pages, tell)
    except OSError as error:
        raise CannotListen(
            f"{at.variable}: cannot listen on port {at.port} of {at.host}: {error.strerror};"
            " name a free port, another one for each service"
        ) from error


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_AT_ONCE
    patience_s = PATIENCE_S

    def __init__(self, family: int, address: Any, pages: Pages, tell: Sink) -> None:
        self.address_family = family
        self.pages = pages
        self._tell = tell
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system gives no more threads
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - never told
        """Tell of a page that failed; a client that went away is nobody's trouble."""
        if not isinstance(sys.exc_info()[1], OSError):
            told = {"traceback": traceback.format_exc()}
            self._tell(Event(name="http.crashed", level=Level.ERROR, fields=told))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "waldur-slurm"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self._end = threading.Timer(self.server.patience_s, self._cut_off)
        self._end.daemon = True
        self._end.start()

    def finish(self) -> None:
        self._end.cancel()
        super().finish()

    def _cut_off(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            known = ", ".join(self.server.pages)
            self._answer(Page(f"there is {known}\n".encode(), HTTPStatus.NOT_FOUND))
        else:
            self._answer(page())

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002 - may repeat what was asked
        explain: str | None = None,  # noqa: ARG002 - the same
    ) -> None:
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(Page(f"{status.phrase}\n".encode(), status))

    def _answer(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's
        """Write nothing: what is asked is of no interest, and may be anything."""

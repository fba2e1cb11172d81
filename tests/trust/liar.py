"""A Waldur that somebody else has taken over: the stand-in, with its answers twisted on the way.

Everything that it is asked is kept, headers and bodies, to be searched for what nobody may see.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_OF_ONE_HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_reading(self) -> bool:
        return self.method in ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    def but(self, **changes: Any) -> "Answered":
        return replace(self, **changes)


Twist = Callable[[Asked, Answered], Answered]


@dataclass
class Liar:
    """Answers as Waldur does, unless `twist` makes something else of it."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    twist: Twist = lambda _, answered: answered


@contextmanager
def lying(true_url: str) -> Iterator[Liar]:
    host = urlsplit(true_url).netloc
    liar = Liar("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, tuple(self.headers.items()), body)
            liar.asked.append(asked)
            answered = liar.twist(asked, _pass_on(host, asked))
            self.send_response_only(answered.status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answered.body)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's

        def log_message(self, *_: object) -> None:
            """What is asked is kept, not printed."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # whoever asked has seen enough
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    liar.url = f"http://127.0.0.1:{server.server_port}{urlsplit(true_url).path}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _pass_on(host: str, asked: Asked) -> Answered:
    connection = HTTPConnection(host, timeout=60)
    try:
        connection.request(asked.method, asked.path, asked.body or None, dict(asked.headers))
        answer = connection.getresponse()
        body = answer.read()
        headers = {n: v for n, v in answer.getheaders() if n.lower() not in _OF_ONE_HOP}
        dates = {"Date": answer.headers["Date"]} if "Date" in answer.headers else {}
        return Answered(answer.status, headers | dates, body)
    finally:
        connection.close()

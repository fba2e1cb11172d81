"""Looks for secrets in what came out of a program: whole, spelled otherwise, and in part."""

import gzip
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from tests.trust.size import count

SHORTEST_PART = 12
"""So much of a secret may not be found either: what is cut off does not leave half of one."""

Place = tuple[str, str]
"""Where something came out, and what."""


NO_PLACES: Mapping[str, tuple[str, ...]] = {}


def spellings(secret: str) -> set[str]:
    """Spell it as programs do; in base64 it may stand behind a name and a colon."""
    behind = (b64encode(b"x" * shift + secret.encode()).decode() for shift in range(3))
    whole = {secret, secret.upper(), secret[::-1], quote(secret, safe="")}
    return {*whole, secret[:SHORTEST_PART], *(each[4:-4] for each in behind)}


def assert_none_is_told(
    secrets: Iterable[str], places: Iterable[Place], own: Mapping[str, tuple[str, ...]] = NO_PLACES
) -> None:
    """`own` has words of the names of those places where a secret belongs."""
    spelled = {secret: spellings(secret) for secret in secrets}
    for where, text in places:
        count("searched for secrets")
        for secret, all_of_them in spelled.items():
            if any(word in where for word in own.get(secret, ())):
                continue
            for each in all_of_them:
                assert each not in text, f"{secret} in {where}: {around(each, text)}"


def around(secret: str, text: str) -> str:
    place = text.index(secret)
    return text[max(0, place - 200) : place + 200]


def files_below(directory: Path) -> Iterator[Place]:
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            yield str(path), path.read_bytes().decode("utf-8", "backslashreplace")


class Sink:
    """Takes what a program sends to Sentry."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.port = 0


@contextmanager
def sentry() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            sink.received.append(body.decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

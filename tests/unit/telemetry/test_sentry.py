"""What the real Sentry library sends: the event, scrubbed, and nothing about the host."""

import gzip
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from waldur_slurm.telemetry.events import Event, Level
from waldur_slurm.telemetry.redaction import redaction
from waldur_slurm.telemetry.sentry import Sentry

TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"


class Collector(BaseHTTPRequestHandler):
    """Takes envelopes as Sentry does."""

    received: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.received.append(body.decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base
        """Keep the test's output clean."""


@pytest.fixture
def port() -> Iterator[int]:
    Collector.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def test_errors_arrive_scrubbed_and_nothing_else_does(port: int) -> None:
    sentry = Sentry(f"http://public@127.0.0.1:{port}/1", "test", "1.0.0", redaction([TOKEN]))
    error = {"said": f"Authorization: token {TOKEN}", "account": "hpc_1"}

    sentry(Event(name="user.added", is_change=True))
    sentry(Event(name="slurm.down", level=Level.WARNING))
    sentry(Event(name="cycle.failed", level=Level.ERROR, fields=error))
    sentry.close()

    (sent,) = Collector.received
    assert '"cycle.failed"' in sent
    assert '"environment":"test"' in sent
    assert "hpc_1" in sent
    assert TOKEN not in sent
    assert sys.argv[0] not in sent

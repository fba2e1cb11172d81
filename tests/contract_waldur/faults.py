"""The faults of Waldur that tests sweep, what each may be taken for, and a trap for tokens."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from sandbox.waldur import Fault
from tests.contract_waldur.sites import QUICK, ServedSite
from waldur_slurm.agent.errors import (
    UnexpectedPayload,
    WaldurError,
    WaldurRejected,
    WaldurUnreachable,
)

NOT_NOW = (WaldurUnreachable,)
GARBLED = (WaldurUnreachable, UnexpectedPayload)
REFUSED = (WaldurRejected, WaldurUnreachable)

FAULTS: dict[str, tuple[Fault, tuple[type[WaldurError], ...]]] = {
    "500": (Fault("* **", "status", value=500), NOT_NOW),
    "503": (Fault("* **", "status", value=503), NOT_NOW),
    "403": (Fault("* **", "status", value=403), REFUSED),
    "404": (Fault("* **", "status", value=404), REFUSED),
    "delay": (Fault("* **", "delay", value=QUICK.read + 0.1), NOT_NOW),
    "drop_before": (Fault("* **", "drop_before"), NOT_NOW),
    "drop_after": (Fault("* **", "drop_after"), NOT_NOW),
    "truncate": (Fault("* **", "truncate"), GARBLED),
    "wrong_types": (Fault("* **", "wrong_types"), GARBLED),
    "redirect": (Fault("* **", "redirect"), NOT_NOW),
    "retry_after": (Fault("* **", "retry_after", value=1), NOT_NOW),
    "empty_list": (Fault("GET **", "empty_list"), GARBLED),
}


@contextmanager
def trap_for_tokens() -> Iterator[tuple[str, list[str]]]:
    """Another origin: what arrives there has been given away."""
    arrived: list[str] = []

    class Greedy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(f"{self.path} {self.headers}")
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - http.server's own names

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Greedy)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_for_what_is_late(site: ServedSite) -> None:
    """Return when the server has acted on every request, those given up by the client too."""
    deadline = time.monotonic() + 10.0
    while len(site.waldur.requests()) < len(site.exchanges):
        assert time.monotonic() < deadline
        time.sleep(0.02)

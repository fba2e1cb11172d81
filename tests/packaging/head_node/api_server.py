"""A stand-in for an API server, as far as the operator asks; a node's own Python runs it.

What is there is in its memory, by paths, and begins as the file says that it is told. The real one
is what tests/e2e/operator asks; this one is for what systemd makes of the operator's unit.
"""

import json
import ssl
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition
from typing import Any
from urllib.parse import parse_qs, urlsplit

KIND = "/slurmjobs"

Object = dict[str, Any]


class Store:
    """All objects, and each change of a SlurmJob in its order: its place there is its version."""

    def __init__(self, objects: dict[str, Object]) -> None:
        self._objects = objects
        self._changes: list[Object] = []
        self._changed = Condition()

    def get(self, path: str) -> Object | None:
        with self._changed:
            if not path.endswith(KIND):
                return self._objects.get(path)
            items = [each for name, each in self._objects.items() if f"{KIND}/" in name]
            return {"items": items, "metadata": {"resourceVersion": str(len(self._changes))}}

    def patch(self, path: str, patch: Object) -> Object | None:
        """Merge it; nothing where there is no such thing."""
        path = path.removesuffix("/status")
        with self._changed:
            if path not in self._objects:
                return None
            version = {"metadata": {"resourceVersion": str(len(self._changes) + 1)}}
            found: Object = merged(merged(self._objects[path], patch), version)
            self._objects[path] = found
            self._changes.append({"type": "MODIFIED", "object": found})
            self._changed.notify_all()
            return found

    def watch(self, since: int, seconds: float) -> Iterator[Object]:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait_for(lambda: len(self._changes) > since, left)  # noqa: B023 - called at once
                news = self._changes[since:]
            yield from news
            since += len(news)


def merged(before: Any, patch: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(before, dict):
        return patch
    whole = {**before, **{name: merged(before.get(name), each) for name, each in patch.items()}}
    return {name: each for name, each in whole.items() if each is not None}


class Asked(BaseHTTPRequestHandler):
    """Answers whoever has the token."""

    store: Store
    token: str

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        told = parse_qs(asked.query)
        if "watch" not in told:
            self._answer(self.store.get(asked.path))
        elif self._is_known():
            self.send_response(200)
            self.end_headers()
            for event in self.store.watch(
                int(told["resourceVersion"][0]), float(told["timeoutSeconds"][0])
            ):
                self.wfile.write(json.dumps(event).encode() + b"\n")

    def do_POST(self) -> None:
        self._answer(self._body())

    def do_PATCH(self) -> None:
        patch = self._body()
        self._answer(self.store.patch(self.path, patch) if self._is_known() else None)

    def log_message(self, *_: object) -> None:
        """Say nothing: the operator's journal is what is read."""

    def _is_known(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {self.token}"

    def _body(self) -> Object:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, found: Object | None) -> None:
        code = 401 if not self._is_known() else 404 if found is None else 200
        body = json.dumps(found if code == 200 else {"message": f"stand-in: {code}"}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(port: int, directory: Path) -> None:
    """Serve what `objects.json` there holds, to whom knows `token`, by what `tls.pem` proves."""
    Asked.store = Store(json.loads((directory / "objects.json").read_text()))
    Asked.token = (directory / "token").read_text().strip()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.pem")
    server = ThreadingHTTPServer(("127.0.0.1", port), Asked)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

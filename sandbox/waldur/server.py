"""The server: a request is recorded, met by its fault, acted on in one transaction and answered."""

import json
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.waldur.answers import (
    NOTHING,
    SERVER_ERROR_PAGE,
    Answer,
    Problem,
    invalid,
    no_such_page,
    refused,
)
from sandbox.waldur.dialects import Dialect
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.faults import Fault, answer_instead, due_fault, halved, with_wrong_types
from sandbox.waldur.permissions import Caller, caller_of
from sandbox.waldur.routes import Views, match, routes_of
from sandbox.waldur.store import Store

PREFIX = "/api/"
LOOPBACK = "127.0.0.1"
DROPPED = 0
FAILURES = "failures.log"


class WaldurServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: Store, port: int, listen: str) -> None:
        self.store = store
        self.dialect: Dialect = store.dialect
        self.routes: dict[str, Views] = dict(routes_of(self.dialect))
        super().__init__((listen, port), Conversation)

    def keep_failure(self, text: str) -> None:
        with (self.store.path.parent / FAILURES).open("a") as failures:
            failures.write(text)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class Conversation(BaseHTTPRequestHandler):
    server: WaldurServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def do_GET(self) -> None:
        self._converse()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as above

    def log_message(self, *_args: object) -> None:
        """Requests are kept in the state, not printed."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header tells the time by Waldur's clock."""
        return super().date_time_string(timestamp or self.server.store.now().timestamp())

    def _converse(self) -> None:
        address = urlsplit(self.path)
        path = address.path.removeprefix(PREFIX)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        store = self.server.store
        with store.transaction():
            fault = due_fault(store, self.command, path)
            row = _record(store, self.command, path, address.query, self.headers)
        if fault is not None and fault.kind == "delay":
            time.sleep(float(fault.value or 1))
        if fault is not None and fault.kind == "drop_before":
            self.close_connection = True
            return
        answer, label = self._answered(fault, address.path, address.query, body)
        dropped = fault is not None and fault.kind == "drop_after"
        with store.transaction():
            status = DROPPED if dropped else answer.status
            store.run("UPDATE requests SET status = ?, role = ? WHERE id = ?", status, label, row)
        if dropped:
            self.close_connection = True
            return
        self._send(answer, cut=fault is not None and fault.kind == "truncate")

    def _answered(
        self, fault: Fault | None, path: str, query: str, body: bytes
    ) -> tuple[Answer, str]:
        label = "anonymous"
        instead = None if fault is None else answer_instead(fault)
        try:
            with self.server.store.transaction():
                found = self._found(path)
                caller = caller_of(self.server.store, self.headers.get("Authorization"))
                label = caller.label
                if instead is not None:
                    return instead, label
                view, uuid = found
                answer = view(self._exchange(caller, uuid, query, body))
        except Problem as problem:
            return instead or problem.answer, label
        except Exception:  # noqa: BLE001 - a fault of the stand-in's own: kept, and seen by its tests
            self.server.keep_failure(f"{self.command} {self.path}\n{traceback.format_exc()}")
            return Answer(500, page=SERVER_ERROR_PAGE), label
        if fault is not None and fault.kind == "wrong_types":
            answer = with_wrong_types(answer)
        if fault is not None and fault.kind == "half_list":
            answer = halved(answer)
        return answer, label

    def _found(self, path: str) -> Any:
        found = match(self.server.routes, self.command, path.removeprefix(PREFIX))
        if found is None or not path.startswith(PREFIX):
            raise no_such_page()
        return found

    def _exchange(self, caller: Caller, uuid: str, query: str, body: bytes) -> Exchange:
        host = self.headers.get("Host") or f"{LOOPBACK}:{self.server.server_port}"
        return Exchange(
            store=self.server.store,
            dialect=self.server.dialect,
            caller=caller,
            method=self.command,
            uuid=uuid,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            body=_decoded(body),
            origin=f"http://{host}",
            path=urlsplit(self.path).path,
            user_agent=self.headers.get("User-Agent", ""),
        )

    def _send(self, answer: Answer, *, cut: bool) -> None:
        payload, kind = _encoded(answer)
        self.send_response(answer.status, _phrase(answer.status))
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Vary", "Accept, Cookie")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload[: len(payload) // 2] if cut else payload)
        if cut:
            self.close_connection = True


def serve(store: Store, port: int, seconds: float | None, listen: str = LOOPBACK) -> WaldurServer:
    """Listening when it returns; stops by itself when its time is over."""
    server = WaldurServer(store, port, listen)
    if seconds is not None:
        timer = threading.Timer(seconds, server.shutdown)
        timer.daemon = True
        timer.start()
    return server


def _record(store: Store, method: str, path: str, query: str, headers: Any) -> int:
    store.run(
        "INSERT INTO requests (method, path, query, status, role, user_agent)"
        " VALUES (?, ?, ?, ?, 'anonymous', ?)",
        method,
        path,
        query,
        DROPPED,
        headers.get("User-Agent", ""),
    )
    found = store.find("SELECT last_insert_rowid() AS id")
    return int((found or {"id": 0})["id"])


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise refused(400, {"detail": f"JSON parse error - {error}"}) from None
    _demand_storable(decoded)
    return decoded


def _demand_storable(value: Any) -> None:
    """Letters that no database keeps are refused, wherever they are."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for one in value:
            _demand_storable(one)
    elif isinstance(value, str):
        if "\0" in value:
            raise invalid(non_field_errors="Null characters are not allowed.")
        for letter in value:
            if "\ud800" <= letter <= "\udfff":
                raise invalid(
                    non_field_errors=f"Surrogate characters are not allowed: U+{ord(letter):X}."
                )


def _encoded(answer: Answer) -> tuple[bytes, str]:
    if answer.page is not None:
        return answer.page.encode(), "text/html; charset=utf-8"
    if answer.data is NOTHING:
        return b"", ""
    return json.dumps(answer.data, separators=(",", ":")).encode(), "application/json"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

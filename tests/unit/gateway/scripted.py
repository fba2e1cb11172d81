"""A gateway that answers as a test tells it, one answer after the other, over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from waldur_slurm.gateway.client import Gateway

PLACED = {
    "job_id": "7",
    "submit_time": "2026-11-30T12:00:00Z",
    "cluster": "lab",
    "work_dir": "/home/ann",
    "stdout": None,
    "stderr": None,
}


@dataclass
class Told:
    """What is answered to one request; without a status the connection is cut."""

    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    claims: int | None = None
    """How long the body is said to be."""


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """Answers as it is told, one after the other."""

    answers: list[Told]
    heard: list[Heard] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    url: str = ""

    def client(self, patience: timedelta = timedelta(minutes=2)) -> Gateway:
        return Gateway(self.url, "sgw_secret", patience=patience, sleep=self.slept.append)


def problem(kind: str, status: int, **more: Any) -> Told:
    headers = {"Retry-After": str(more.pop("after"))} if "after" in more else {}
    said = {"type": f"urn:slurm-gateway:problem:{kind}", "detail": "why", **more}
    return Told(status, json.dumps(said).encode(), headers)


def placed(status: int = 201) -> Told:
    return Told(status, json.dumps(PLACED).encode())


@contextmanager
def scripted(*answers: Told) -> Iterator[Scripted]:
    script = Scripted([*answers])

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            heard = Heard(self.command, self.path, dict(self.headers), self.rfile.read(size))
            script.heard.append(heard)
            told = script.answers.pop(0)
            self.close_connection = True
            if told.status is None:
                return
            self.send_response(told.status)
            length = len(told.body) if told.claims is None else told.claims
            for name, value in {**told.headers, "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_DELETE = handle_one  # noqa: N815 - as http.server has them

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def job(state: str, **more: Any) -> dict[str, Any]:
    """A job as the API says it."""
    base = {"job_id": "7", "array": None, "het": None, "name": "job", "user": "ann", "uid": 1000}
    place = {"account": "physics", "partition": "main", "qos": "normal", "nodes": ""}
    terminal = state not in ("PENDING", "RUNNING")
    told = {
        "state": {"base": state, "flags": [], "raw": state, "reason": ""},
        "phase": "finished" if terminal else state.lower(),
        "terminal": terminal,
        "outcome": "success" if terminal else None,
        "exit": {"code": 0, "signal": 0} if terminal else None,
        "priority": 1,
        "restarts": 0,
        "resources": {"cpus": 1, "mem_mb": 10, "nodes": 1, "gpus": 0, "tres": {}},
        "times": {
            "submit": "2026-11-30T12:00:00Z",
            "eligible": None,
            "start": None,
            "end": None,
            "limit_s": 3600,
            "elapsed_s": 60,
            "wait_s": 1,
        },
    }
    rest = dict.fromkeys(("stdout", "stderr", "command", "dependency", "mark"))
    return {
        **base,
        **place,
        **told,
        **rest,
        "work_dir": "/",
        "comment": "",
        "cluster": "lab",
        **more,
    }


def said(**body: Any) -> Told:
    return Told(200, json.dumps(body).encode())


def page(*numbers: int, following: str | None = None) -> Told:
    jobs = [job("RUNNING", job_id=str(number)) for number in numbers]
    span = {"since": "2026-11-23T12:00:00Z", "until": "2026-11-30T12:00:00Z"}
    head = {"cluster": "lab", "as_of": "2026-11-30T12:00:00Z", "total": 3, "unreadable": 0}
    return said(**head, **span, next=following, jobs=jobs)

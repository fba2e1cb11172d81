"""The client asks again what may be asked again, and nothing else, however the answer was lost."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from waldur_slurm.gateway.client import CHUNK, Gateway, NotThisFile
from waldur_slurm.gateway.errors import GatewayError, NotNow, OutcomeUnknown, TooFast

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


def _submit(client: Gateway) -> str:
    with client:
        return client.submit("#!/bin/sh\n", key="k1", options={"mem": "10"}).job_id


def test_a_submit_whose_answer_was_lost_is_asked_again_with_its_key() -> None:
    lost = problem("outcome-unknown", 504, after=3)
    with scripted(Told(None), lost, problem("busy", 409, after=1), placed(200)) as script:
        assert _submit(script.client()) == "7"
    assert [heard.headers["Idempotency-Key"] for heard in script.heard] == ["k1"] * 4
    assert len({heard.body for heard in script.heard}) == 1
    assert script.slept == [1.0, 3.0, 6.0]


def test_a_refusal_is_final() -> None:
    with (
        scripted(problem("refused", 422, refusal="over-a-limit", limit="QOSMax")) as script,
        pytest.raises(GatewayError) as refused,
    ):
        _submit(script.client())
    assert (refused.value.kind, getattr(refused.value, "limit", "")) == ("refused", "QOSMax")
    assert len(script.heard) == 1


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (problem("not-now", 503, after=30), NotNow),
        (problem("too-fast", 429, after=30), TooFast),
        (Told(503, b"<html>upstream</html>", {"Retry-After": "30"}), NotNow),
        (Told(504, b"<html>upstream</html>", {"Retry-After": "30"}), OutcomeUnknown),
    ],
)
def test_patience_ends(told: Told, raised: type[GatewayError]) -> None:
    with scripted(told) as script, pytest.raises(raised):
        _submit(script.client(patience=timedelta(seconds=10)))
    assert not script.slept


def test_a_gateway_that_is_away_took_nothing() -> None:
    with pytest.raises(NotNow):
        _submit(Gateway("http://127.0.0.1:1", patience=timedelta(0)))


def test_an_answer_of_something_else_is_no_answer() -> None:
    with scripted(Told(404, b"<html>nginx</html>")) as script, pytest.raises(GatewayError) as told:
        _submit(script.client())
    assert "404" in str(told.value)


def test_nobody_is_led_elsewhere_with_the_token() -> None:
    with scripted(Told(200)) as other, scripted(Told(307, b"", {"Location": other.url})) as script:
        with pytest.raises(GatewayError):
            _submit(script.client())
        assert not other.heard


def test_a_requeue_is_asked_once() -> None:
    with scripted(problem("not-now", 503)) as script, pytest.raises(NotNow):
        script.client().steer("requeue", "7")
    assert len(script.heard) == 1


WHOLE = b"0" * CHUNK + b"1234"
CUT = Told(200, WHOLE[:-2], {"ETag": '"a"'}, claims=len(WHOLE))


def test_a_file_that_was_cut_off_is_gone_on_with() -> None:
    with scripted(CUT, Told(206, b"1234", {"ETag": '"a"'})) as script:
        into = io.BytesIO()
        with script.client() as client:
            assert client.take("7", "out file", into) == len(WHOLE)
    assert into.getvalue() == WHOLE
    assert script.heard[1].headers["Range"] == f"bytes={CHUNK}-"
    assert script.heard[1].headers["If-Range"] == '"a"'
    assert script.heard[0].path == "/api/v1/jobs/7/files/out%20file"


def test_a_file_that_changed_meanwhile_is_not_two_files_in_one() -> None:
    with scripted(CUT, Told(200, b"x", {"ETag": '"b"'})) as script, pytest.raises(NotThisFile):
        script.client().take("7", "out", io.BytesIO())


def test_a_file_of_which_nothing_more_comes_is_given_up() -> None:
    nothing = Told(206, b"", {"ETag": '"a"'}, claims=4)
    with scripted(CUT, nothing) as script, pytest.raises(NotNow):
        script.client().take("7", "out", io.BytesIO())


def test_output_is_followed_to_its_end() -> None:
    def piece(data: bytes, following: int, is_last: str) -> Told:
        headers = {"X-Next-Offset": str(following), "X-Complete": is_last}
        return Told(200, data, headers)

    pieces = piece(b"a", 1, "false"), piece(b"", 1, "false"), piece(b"b", 2, "true")
    with scripted(*pieces) as script, script.client() as client:
        assert [*client.follow("7_1")] == [b"a", b"b"]
    assert "offset=1" in script.heard[1].path


@pytest.mark.parametrize("name", ["7/../../me", "7?x", "7#x", "½"])
def test_no_name_of_a_job_leaves_its_place_in_the_address(name: str) -> None:
    with scripted(problem("wrong-ask", 400)) as script, pytest.raises(GatewayError):
        script.client().job(name)
    assert script.heard[0].path.startswith("/api/v1/jobs/7%") or "%C2%BD" in script.heard[0].path
    assert script.heard[0].path.count("/") == 4


def test_a_cluster_is_a_part_of_the_address() -> None:
    with scripted(placed()) as script, Gateway(script.url, "", cluster="a b") as client:
        client.submit("#!/bin/sh\n", key="k")
    assert script.heard[0].path == "/api/v1/clusters/a%20b/jobs"
    assert "Authorization" not in script.heard[0].headers
    assert datetime.fromisoformat(PLACED["submit_time"] or "").tzinfo == UTC

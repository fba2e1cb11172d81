"""What a command in a container says arrives whole, in whatever pieces the engine sends it.

A busy machine delivers the engine's headers and the command's output in one piece; that cannot be
provoked at will, so here an engine of our own does it.
"""

import json
import socketserver
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.docker import DockerTransport

HEADERS = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def frame(stream: int, text: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


class Engine(BaseHTTPRequestHandler):
    """Just enough of the engine's interface to run one command."""

    protocol_version = "HTTP/1.1"
    pieces: Sequence[bytes] = ()

    def do_GET(self) -> None:
        asked_version = self.path == "/version"
        self._answer({"ApiVersion": "1.41"} if asked_version else {"ExitCode": 0})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/start"):
            for piece in self.pieces:
                self.wfile.write(piece)
                self.wfile.flush()
            self.close_connection = True
        else:
            self._answer({"Id": "e1"}, 201)

    def _answer(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *words: object) -> None:
        """Keep quiet."""


def run(directory: Path, pieces: Sequence[bytes]) -> Completed:
    path = directory / "engine.sock"
    served = type("Served", (Engine,), {"pieces": pieces})
    with socketserver.ThreadingUnixStreamServer(str(path), served) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        transport = DockerTransport("slurmctld", base_url=f"unix://{path}")
        try:
            return transport.run(("sacctmgr", "show", "assoc"))
        finally:
            transport.close()
            engine.shutdown()


def cuts() -> Iterator[tuple[str, list[bytes]]]:
    said = HEADERS + frame(1, b"lab|root|\n") + frame(2, b"warning\n") + frame(1, b"lab|a|\n")
    yield "all in one piece", [said]
    yield "headers apart", [HEADERS, said[len(HEADERS) :]]
    yield "a frame's head torn", [said[: len(HEADERS) + 5], said[len(HEADERS) + 5 :]]
    yield "a frame's body torn", [said[: len(HEADERS) + 12], said[len(HEADERS) + 12 :]]
    yield "byte by byte", [HEADERS, *(bytes([byte]) for byte in said[len(HEADERS) :])]


@pytest.mark.parametrize(("pieces"), [pytest.param(cut, id=name) for name, cut in cuts()])
def test_output_arrives_whole_however_it_is_cut(tmp_path: Path, pieces: list[bytes]) -> None:
    assert run(tmp_path, pieces) == Completed(0, "lab|root|\nlab|a|\n", "warning\n")


def test_more_than_any_buffer_holds_arrives_whole(tmp_path: Path) -> None:
    lines = b"".join(b"lab|account-%d|\n" % number for number in range(20_000))

    completed = run(tmp_path, [HEADERS + frame(1, lines)])

    assert completed.out == lines.decode()

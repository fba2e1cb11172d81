"""A server for one test, which says on the wire exactly what the test wrote, byte by byte."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

Respond = Callable[[bytes, socket.socket], None]


class Scripted:
    """Answers each request with the next of its responses, the last one for ever."""

    def __init__(self, responds: list[Respond]) -> None:
        self._responds = responds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/api/"

    @property
    def lines(self) -> list[str]:
        return [request.split(b"\r\n", 1)[0].decode() for request in self.requests]

    def close(self) -> None:
        with suppress(OSError):  # wakes the accepting thread
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _whole_request(connection)
            self.requests.append(request)
            respond = self._responds.pop(0) if len(self._responds) > 1 else self._responds[0]
            respond(request, connection)


@contextmanager
def scripted(*responds: Respond) -> Iterator[Scripted]:
    server = Scripted(list(responds))
    try:
        yield server
    finally:
        server.close()


def says(
    body: bytes | str, status: str = "200 OK", *, length: int | None = None, **headers: object
) -> Respond:
    """A whole answer; header names with `_` for `-`."""
    content = body.encode() if isinstance(body, str) else body
    shown = {
        "Content-Type": "application/json",
        "Content-Length": len(content) if length is None else length,
        "Connection": "close",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in shown.items())

    def respond(_: bytes, connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + content)

    return respond


def _whole_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return request
        request += received
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        received = connection.recv(65536)
        if not received:
            break
        body += received
        request += received
    return request

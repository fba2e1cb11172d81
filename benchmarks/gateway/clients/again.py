"""`python3 -m benchmarks.gateway.clients.again PORT TOKEN PATH COUNT [--unchanged]`: asks the same.

Again and again, over a few connections that stay, as portals do; `--unchanged` shows the ETag that
came with the first answer. It does as little as it can: it shares the processors with what is
measured.
"""

import json
import re
import socket
import sys
import time

CONNECTIONS = 8
_LENGTH = re.compile(rb"^content-length: (\d+)\r$", re.IGNORECASE | re.MULTILINE)
_ETAG = re.compile(rb"^etag: (\S+)\r$", re.IGNORECASE | re.MULTILINE)


def main() -> None:
    port, token, path, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    opened = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(CONNECTIONS)]
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}"]
    first = _ask_all(opened[:1], _request(lines))[0]
    found = _ETAG.search(first)
    if found is None:
        raise AssertionError(f"no ETag in {first!r}")
    shown = [f"If-None-Match: {found[1].decode()}"] if "--unchanged" in sys.argv else []
    request = _request(lines + shown)
    statuses: set[int] = set()
    began = time.monotonic()
    for _ in range(count // CONNECTIONS):
        statuses |= {int(head.split()[1]) for head in _ask_all(opened, request)}
    seconds = (time.monotonic() - began) / (count // CONNECTIONS * CONNECTIONS)
    sys.stdout.write(json.dumps({"seconds": seconds, "statuses": sorted(statuses)}))


def _request(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def _ask_all(opened: list[socket.socket], request: bytes) -> list[bytes]:
    """Ask over each, then hear each out; return the heads of the answers."""
    for connection in opened:
        connection.sendall(request)
    return [_head_of(connection) for connection in opened]


def _head_of(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += _some(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    left = (int(length[1]) if length and b" 304 " not in head[:16] else 0) - len(body)
    while left > 0:
        left -= len(_some(connection))
    return head + b"\r\n"


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 20)
    if not part:
        raise AssertionError("the gateway has hung up")
    return part


if __name__ == "__main__":
    main()

"""`python3 -m benchmarks.gateway.clients.idle_streams PORT COUNT`: follows events, that many times.

It says how many were opened, and holds them until its stdin ends.
"""

import resource
import selectors
import socket
import sys

HEAD = b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
A_TIME = 50
"""So many are opened together: more at once would be a crowd at the door, and no idle streams."""


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held: list[socket.socket] = []
    while len(held) < count:
        more = [_opened(port) for _ in range(min(A_TIME, count - len(held)))]
        held += [each for each in more if each.recv(16).startswith(b"HTTP/1.1 200")]
    sys.stdout.write(f"{len(held)}\n")
    sys.stdout.flush()
    _read_all(held)


def _opened(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), 60)
    opened.sendall(HEAD)
    return opened


def _read_all(held: list[socket.socket]) -> None:
    """Read until the gateway has hung up on every one, or nobody wants to know any more."""
    with selectors.DefaultSelector() as ready:
        ready.register(sys.stdin, selectors.EVENT_READ)
        for each in held:
            each.setblocking(False)
            ready.register(each, selectors.EVENT_READ)
        left = len(held)
        while left:
            for key, _ in ready.select():
                if key.fileobj is sys.stdin:
                    return
                if not _goes_on(key.fileobj):  # type: ignore[arg-type]  # only stdin is no socket
                    ready.unregister(key.fileobj)
                    left -= 1


def _goes_on(stream: socket.socket) -> bool:
    try:
        return bool(stream.recv(1 << 16))
    except OSError:
        return False


if __name__ == "__main__":
    main()

"""Clients that are no good, down at the socket; and what a gateway holds because of them."""

import re
import socket
from pathlib import Path

from tests.e2e.gateway.gateway import Gateway


def memory_mib(gateway: Gateway) -> int:
    status = Path(f"/proc/{gateway.daemon.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


def descriptors(gateway: Gateway) -> int:
    return len(list(Path(f"/proc/{gateway.daemon.process.pid}/fd").iterdir()))


def connect(gateway: Gateway, *, receives: int = 0) -> socket.socket:
    opened = socket.socket()
    if receives:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    opened.settimeout(60)
    opened.connect(("127.0.0.1", gateway.port))
    return opened


def head(path: str, *more: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *more, "", ""]).encode()


def threads(gateway: Gateway) -> int:
    return len(list(Path(f"/proc/{gateway.daemon.process.pid}/task").iterdir()))

"""Where slurmrestd listens: a host and a port, or a socket in one of two spellings. Pure."""

import re
from dataclasses import dataclass

EXPECTED = "http://HOST:PORT, unix:/path/of/socket or http+unix:///default?socket=/path/of/socket"


@dataclass(frozen=True, slots=True)
class Address:
    """A socket, or else a host and a port."""

    socket: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"unix:{self.socket}" if self.socket else f"http://{self.host}:{self.port}"


def address(text: str) -> Address:
    """Read one; the words of the error follow "expected"."""
    found = _HTTP.fullmatch(text)
    if found and 0 < int(found["port"]) < 2**16:
        return Address(host=found["host"].strip("[]"), port=int(found["port"]))
    found = _SOCKET.fullmatch(text)
    if found:
        return Address(socket=found["path"])
    raise ValueError(EXPECTED)


_HTTP = re.compile(
    r"http://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})/?", re.A
)
_SOCKET = re.compile(
    r"(?:unix:|http\+unix://[A-Za-z0-9./-]*\?socket=)(?P<path>/[^\x00-\x1f?&%]{1,106})", re.A
)

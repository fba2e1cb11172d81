"""Where slurmrestd listens: a host and a port, or a socket in one of two spellings. Pure."""

import re
from dataclasses import dataclass

EXPECTED = (
    "http://HOST:PORT, https://HOST:PORT, unix:/path/of/socket or"
    " http+unix:///default?socket=/path/of/socket"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A socket, or else a host and a port."""

    socket: str = ""
    host: str = ""
    port: int = 0
    is_tls: bool = False

    def __str__(self) -> str:
        if self.socket:
            return f"unix:{self.socket}"
        return f"{'https' if self.is_tls else 'http'}://{self.host}:{self.port}"


def address(text: str) -> Address:
    """Read one; the words of the error follow "expected"."""
    found = _HTTP.fullmatch(text)
    if found:
        is_tls = bool(found["tls"])
        port = int(found["port"] or (443 if is_tls else 80))
        if 0 < port < 2**16:
            return Address(host=found["host"].strip("[]"), port=port, is_tls=is_tls)
    found = _SOCKET.fullmatch(text)
    if found:
        return Address(socket=found["path"])
    raise ValueError(EXPECTED)


_HTTP = re.compile(
    r"http(?P<tls>s?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]+\])(?::(?P<port>\d{1,5}))?/?",
    re.A,
)
_SOCKET = re.compile(
    r"(?:unix:|http\+unix://[A-Za-z0-9./-]*\?socket=)(?P<path>/[^\x00-\x1f?&%]{1,106})", re.A
)

"""Letters as JSON to a program's address, signed, and never into the inside net.

The name is looked up once: the very address that was judged is connected to. Redirects are not
followed, and what the program answers beside its status is not read.
"""

import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Network, IPv6Network
from threading import Timer
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from waldur_slurm.gateway.doors.networks import Address, Network, address, is_within
from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome
from waldur_slurm.gateway.post.senders.event import body_of
from waldur_slurm.gateway.post.senders.waiting import asked_for_s

TIMEOUT_S = 10.0
LONGEST_S = 30.0
"""Of the whole exchange, however slowly each piece comes."""

_UNICAST: Sequence[Network] = (IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3"))
"""What else IPv6 has is a site's own, or an IPv4 address in another form, as for a NAT64."""
_ONLY_SEEMS_PUBLIC = (IPv6Network("2002::/16"),)
"""An IPv4 address in an IPv6 one too: where it leads nobody judges."""
_AGAIN = frozenset({408, 425, 429})

Resolve = Callable[[str, int], Sequence[str]]


class Target(NamedTuple):
    """An address that was judged, and the name and path to say there."""

    host: str
    port: int
    is_tls: bool
    at: Address
    path: str


def resolve(host: str, port: int) -> Sequence[str]:
    """Return all addresses of a name; raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class Webhook:
    """`allowed` are networks of the site's own that may be told; only there is TLS not needed."""

    def __init__(
        self,
        secret: str,
        allowed: Sequence[Network] = (),
        *,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = time.time,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._secret = secret.encode()
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._clock = clock
        self._context = context
        self._timeout_s = timeout_s
        self._longest_s = longest_s

    def send(self, letter: Letter) -> Outcome:
        try:
            target = self._judged(letter.parameters.get("url", ""))
        except ValueError as error:
            return Never(str(error))
        except OSError as error:
            return Later(f"its name is not found: {error}")
        try:
            return self._post(target, body_of(letter), letter.message_id)
        except (OSError, HTTPException) as error:
            return Later(f"{target.host}:{target.port}: {str(error) or type(error).__name__}")

    def _judged(self, url: str) -> Target:
        """Raises `ValueError` for what is never told, `OSError` where a name is not found."""
        parts = _parts(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        found = [where for text in self._resolve(host, port) if (where := address(text))]
        for where in found:
            if is_within(where, self._allowed) or (is_tls and _is_public(where)):
                path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
                return Target(host, port, is_tls, where, path)
        if any(map(_is_public, found)):
            raise ValueError(f"{host} is told by https alone")
        raise ValueError(
            f"{host} is not in the public net, nor in GATEWAY_WEBHOOK_NETWORKS, which allows others"
        )

    def _post(self, target: Target, body: bytes, message_id: str) -> Outcome:
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "X-Message-ID": message_id,
            "X-Timestamp": stamp,
            "X-Signature-256": signature(self._secret, stamp, body),
        }
        with self._connected(target) as connection:
            connection.request("POST", target.path, body, headers)
            answer = connection.getresponse()
            wait_s = asked_for_s(answer.headers.get("Retry-After", ""))
        if 200 <= answer.status < 300:
            return Delivered()
        why = f"{target.host} answers {answer.status}"
        if answer.status >= 500 or answer.status in _AGAIN:
            return Later(why, wait_s)
        return Never(why)

    @contextmanager
    def _connected(self, target: Target) -> Iterator[HTTPConnection]:
        """Connect to the address that was judged, and cut whatever takes too long."""
        context = self._context or ssl.create_default_context()
        plain = socket.create_connection((str(target.at), target.port), self._timeout_s)
        line: socket.socket = plain
        connection: HTTPConnection
        if target.is_tls:
            line = context.wrap_socket(
                plain, server_hostname=target.host, do_handshake_on_connect=False
            )
            connection = HTTPSConnection(target.host, target.port, context=context)
        else:
            connection = HTTPConnection(target.host, target.port)
        cut = Timer(self._longest_s, _cut, [line])
        cut.daemon = True
        cut.start()
        try:
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection.sock = line
            yield connection
        finally:
            cut.cancel()
            line.close()


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """Sign the moment with the words, so that whoever checks it can refuse an old letter."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not url.isascii() or not url.isprintable() or "@" in url or " " in url:
        raise ValueError(f"{url[:80]!a} is no address such as https://portal.example.org/jobs")
    return parts


def _is_public(where: Address) -> bool:
    is_unicast = is_within(where, _UNICAST) and not where.is_multicast
    return where.is_global and is_unicast and not is_within(where, _ONLY_SEEMS_PUBLIC)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)

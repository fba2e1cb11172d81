"""Asks the kernel for one connection by its two ends: as quick however many sockets there are.

It is what `ss` asks (sock_diag(7)). The kernel finds the nearest there is, so what it answers is
compared with what was asked. Of no answer nothing follows: there is still the table of them all.
"""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

Host = IPv4Address | IPv6Address
End = tuple[Host, int]

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20
_IS_REQUEST = 1
_ANY_COOKIE = 2**32 - 1
_ANY_STATE = 2**32 - 1
_ESTABLISHED = 1
_MOST_ANSWER = 8192
_PATIENCE_S = 1.0

_HEAD = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBBI")
_ENDS = struct.Struct("!HH16s16s")
_WHICH = struct.Struct("=III")
_TOLD = struct.Struct("=BBBB")
_AFTER_ENDS = struct.Struct("=IIIIIIII")


class Held(NamedTuple):
    """The socket at one end: whose it is, whether it is connected, and held by a process."""

    uid: int
    is_connected: bool
    is_held: bool


def find_socket(local: End, remote: End) -> Held | None:
    """Return the socket whose own end is `local`; None where the kernel does not name it."""
    ends = (_plain(local), _plain(remote))
    is_4 = all(isinstance(host, IPv4Address) for host, _ in ends)
    family = socket.AF_INET if is_4 else socket.AF_INET6
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(_PATIENCE_S)
            kernel.sendto(_request(family, *ends), (0, 0))
            answer, (sender, _) = kernel.recvfrom(_MOST_ANSWER)
    except OSError:
        return None
    return read_answer(answer, *ends) if sender == 0 else None


def read_answer(answer: bytes, local: End, remote: End) -> Held | None:
    """Read what the kernel says; None for what is about nothing, or about another socket."""
    try:
        _, kind, *_ = _HEAD.unpack_from(answer)
        family, state, *_ = _TOLD.unpack_from(answer, _HEAD.size)
        at = _HEAD.size + _TOLD.size
        own_port, other_port, own, other = _ENDS.unpack_from(answer, at)
        *_, uid, inode = _AFTER_ENDS.unpack_from(answer, at + _ENDS.size)
    except struct.error:
        return None
    size = 4 if family == socket.AF_INET else 16
    told = [(ip_address(own[:size]), own_port), (ip_address(other[:size]), other_port)]
    if kind != _BY_FAMILY or [_plain(end) for end in told] != [_plain(local), _plain(remote)]:
        return None
    return Held(uid, is_connected=state == _ESTABLISHED, is_held=inode != 0)


def _request(family: int, local: End, remote: End) -> bytes:
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE)
    own, other = (_bytes_of(host, family) for host, _ in (local, remote))
    ends = _ENDS.pack(local[1], remote[1], own, other)
    body = asked + ends + _WHICH.pack(0, _ANY_COOKIE, _ANY_COOKIE)
    return _HEAD.pack(_HEAD.size + len(body), _BY_FAMILY, _IS_REQUEST, 1, 0) + body


def _bytes_of(host: Host, family: int) -> bytes:
    """Each address has the room of the longer kind."""
    if family == socket.AF_INET6 and isinstance(host, IPv4Address):
        host = IPv6Address(f"::ffff:{host}")
    return host.packed


def _plain(end: End) -> End:
    """An IPv6 socket that speaks IPv4 has an address of either kind."""
    host, port = end
    return ((isinstance(host, IPv6Address) and host.ipv4_mapped) or host, port)

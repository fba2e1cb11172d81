"""Whose the other end of a connection on this machine is, as the kernel's table of sockets says.

Only a socket that is connected, to us, and still held by a process counts: one that is left over
from a process that has ended shows uid 0.
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from waldur_slurm.gateway.doors.shown import Place
from waldur_slurm.gateway.doors.sock_diag import End, find_socket

_NET = Path("/proc/net")
_CONNECTED = "01"
_LOOKS = 2
"""The table is read in pieces: a row may slip through between two of them."""

OVERFLOW_UID = 65534
"""Stands for all whom this namespace has no number for, and is nobody."""


def find_uid(peer: Place, listener: Place, net: Path = _NET) -> int | None:
    """Return the uid of whoever connected from `peer`; None where the kernel does not say.

    It is asked for this one connection, and where it names none, for the table of them all.
    """
    try:
        ends = [(ip_address(end.host.partition("%")[0]), end.port) for end in (peer, listener)]
    except ValueError:
        return None
    held = find_socket(*ends) if net == _NET else None
    if held and held.is_connected and held.is_held:
        return None if held.uid == OVERFLOW_UID else held.uid
    wanted = tuple(_spellings(ends))
    for _ in range(_LOOKS):
        for table, spelled in wanted:
            found = _uid_in(net / table, spelled)
            if found is not None:
                return None if found == OVERFLOW_UID else found
    return None


def _spellings(ends: Sequence[End]) -> Iterator[tuple[str, str]]:
    """Spell both ends as the tables have them; an IPv6 socket may speak IPv4."""
    plain = [(_unmapped(host), port) for host, port in ends]
    if all(isinstance(host, IPv4Address) for host, _ in plain):
        yield "tcp", " ".join(_spelled(host, port) for host, port in plain)
    mapped = [(_mapped(host), port) for host, port in plain]
    yield "tcp6", " ".join(_spelled(host, port) for host, port in mapped)


def _unmapped(host: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return (isinstance(host, IPv6Address) and host.ipv4_mapped) or host


def _mapped(host: IPv4Address | IPv6Address) -> IPv6Address:
    return host if isinstance(host, IPv6Address) else IPv6Address(f"::ffff:{host}")


def _spelled(host: IPv4Address | IPv6Address, port: int) -> str:
    """Each four bytes are a number in the machine's own order."""
    order = "<" if sys.byteorder == "little" else ">"
    count = len(host.packed) // 4
    words = struct.unpack(f"{order}{count}I", host.packed)
    return f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"


def _uid_in(table: Path, ends: str) -> int | None:
    """Find the row `sl: local remote state ... uid timeout inode`."""
    needle = f" {ends} {_CONNECTED} "
    try:
        with table.open(encoding="ascii") as file:
            row = next((line for line in file if needle in line), "").split()
    except OSError:
        return None
    if len(row) < 10 or row[9] == "0":
        return None
    return int(row[7])

"""Claim a block of TCP ports that no other sandbox on this machine can claim as well.

A claim is an abstract unix socket: the kernel gives a name to one holder only, drops it when the
last holder dies, and scopes it to a network namespace exactly as it does ports.
"""

import errno
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sandbox.slurm.errors import SandboxError

BLOCK = 64
FIRST, LAST = 20480, 32704  # below the ports that the kernel gives to outgoing connections


@dataclass(frozen=True)
class PortBlock:
    """The block's first port, and the socket whose life is the claim's."""

    first: int
    claim: socket.socket


def claim_ports(needed: int, prefer: int | None = None) -> PortBlock:
    """Return a claimed block whose first `needed` ports nobody listens on."""
    if needed > BLOCK:
        raise ValueError(f"a block has {BLOCK} ports, not {needed}")
    for first in _candidates(prefer):
        claim = _claim(first)
        if claim is None:
            continue
        if _all_free(range(first, first + needed)):
            return PortBlock(first, claim)
        claim.close()
    raise SandboxError(f"no {needed} free ports in a row between {FIRST} and {LAST}")


def _candidates(prefer: int | None) -> Iterator[int]:
    if prefer is not None:
        yield prefer
    blocks = list(range(FIRST, LAST, BLOCK))
    random.shuffle(blocks)
    yield from blocks


def _claim(first: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0wsat-ports-{first}")
    except OSError as error:
        claim.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return claim


def _all_free(ports: Sequence[int]) -> bool:
    with ExitStack() as stack:
        for port in ports:
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True

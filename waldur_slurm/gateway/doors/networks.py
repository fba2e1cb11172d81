"""From which address a request comes, and what that address is allowed. Pure.

A header says where a request comes from only if a proxy that the site named wrote it, and then the
last address that is no proxy counts: whatever stands before it was written by the client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from waldur_slurm.gateway.doors.principals import FOR_NOBODY, RunAs
from waldur_slurm.gateway.doors.scopes import Scope

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedNetwork:
    """What whoever asks from there may do without a token."""

    network: Network
    scopes: frozenset[Scope]
    run_as: RunAs = FOR_NOBODY

    def __str__(self) -> str:
        actors = f" as {self.run_as}" if str(self.run_as) else ""
        return f"{self.network} may {' '.join(sorted(self.scopes))}{actors}"


@lru_cache(maxsize=1024)
def address(text: str) -> Address | None:
    """Read one; an IPv4 address in an IPv6 one's clothes is an IPv4 address."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_within(where: Address, networks: Sequence[Network]) -> bool:
    return any(where in network for network in networks)


def narrowest(where: Address, networks: Sequence[TrustedNetwork]) -> TrustedNetwork | None:
    """Find the one that says most exactly whom it means."""
    fitting = [each for each in networks if where in each.network]
    return max(fitting, key=lambda each: each.network.prefixlen, default=None)


def forwarded_from(headers: Sequence[str], proxies: Sequence[Network]) -> Address | None:
    """Find the client in `X-Forwarded-For`; None where a proxy wrote no address."""
    for text in reversed([part.strip() for header in headers for part in header.split(",")]):
        found = address(text)
        if found is None or not is_within(found, proxies):
            return found
    return None


def neighbourhood(where: Address | None) -> str:
    """Name whom one pace holds for: one who has an IPv6 address has a whole /64 of them."""
    if where is None:
        return "somewhere"
    if isinstance(where, IPv6Address):
        return f"{IPv6Address(int(where) >> 64 << 64)}/64"
    return str(where)

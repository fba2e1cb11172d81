"""Who asks without showing anything: known by where he asks from, and never more than that. Pure.

On this machine everybody has the same address, and a proxy gives its own to all whom it serves. So
a client of this machine is the Unix user whose connection it is; behind a proxy nobody is.

A browser shows nothing either, yet it asks whatever any page wants: so no other site's page, and no
name of this machine that the site did not give it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.networks import (
    Address,
    Network,
    TrustedNetwork,
    address,
    forwarded_from,
    is_within,
    narrowest,
)
from waldur_slurm.gateway.doors.principals import Kind, Principal
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.doors.shown import Connection, Owner, Place, Shown
from waldur_slurm.gateway.errors import Denied

HERE: Sequence[Network] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

FindOwner = Callable[[Connection], Owner]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the site allows to those who show nothing. By default that is nothing."""

    anybody: frozenset[Scope] = frozenset()
    networks: Sequence[TrustedNetwork] = ()
    proxies: Sequence[Network] = ()
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    min_uid: int = 1000
    """A proxy on this machine is a service: whoever may run jobs is none."""


class Strangers:
    """`find_owner` blocks: it is only ever called by an errand."""

    def __init__(self, allowed: Allowed, find_owner: FindOwner) -> None:
        self._allowed = allowed
        self._find_owner = find_owner
        self._nobody = Principal(Kind.NOBODY, "", widened(allowed.anybody))

    def recognise(self, shown: Shown) -> Principal | Errand:
        """Raises `Denied` for what a browser asks in somebody else's name."""
        self.refuse_deputies(shown)
        if shown.is_of_any_page:
            return self._nobody
        if shown.is_forwarded:
            return self._behind_proxy(shown)
        where = self._peer(shown)
        if where is None:
            return self._nobody
        if self._is_here(shown, where):
            return self._of_this_machine(shown.connection, where)
        return self._from(where)

    def client(self, shown: Shown) -> Address | None:
        """Whose pace a request counts for, as far as is known."""
        peer = self._peer(shown)
        if shown.is_forwarded and self._is_by_proxy(shown, peer) is True:
            return forwarded_from(shown.forwarded_for, self._allowed.proxies) or peer
        return peer

    def _behind_proxy(self, shown: Shown) -> Principal | Errand:
        is_by_proxy = self._is_by_proxy(shown, self._peer(shown))
        if isinstance(is_by_proxy, Errand):
            return is_by_proxy
        where = forwarded_from(shown.forwarded_for, self._allowed.proxies) if is_by_proxy else None
        if where is None or is_within(where, HERE):
            return self._nobody
        return self._from(where)

    def _is_by_proxy(self, shown: Shown, peer: Address | None) -> bool | Errand:
        """Anybody on this machine can write a header, and has a proxy's address here."""
        if peer is None or not is_within(peer, self._allowed.proxies):
            return False
        if not self._is_here(shown, peer):
            return True
        owner = shown.connection.owner
        if owner is None:
            return self._look(shown.connection)
        return 0 <= owner.uid < self._allowed.min_uid

    def _of_this_machine(self, connection: Connection, where: Address) -> Principal | Errand:
        trusted = narrowest(where, self._allowed.networks)
        scopes = self._nobody.scopes | widened(trusted.scopes if trusted else ())
        if not scopes:
            return self._nobody
        if connection.owner is None:
            return self._look(connection)
        user = connection.owner.user
        if user is None:
            return self._nobody
        return Principal(Kind.PEER, user, scopes, user=user)

    def _from(self, where: Address) -> Principal:
        trusted = narrowest(where, self._allowed.networks)
        if trusted is None:
            return self._nobody
        scopes = self._nobody.scopes | widened(trusted.scopes)
        return Principal(Kind.NETWORK, str(trusted.network), scopes, run_as=trusted.run_as)

    def refuse_deputies(self, shown: Shown) -> None:
        """Refuse what another site's page lets a browser ask; raises `Denied`."""
        own = {f"{scheme}://{shown.host.lower()}" for scheme in ("http", "https")}
        for origin in shown.origin:
            if origin not in self._allowed.origins | own:
                raise Denied("a page of another site asks; without a token that is not answered")
        host = host_of(shown.host)
        is_ours = host in self._allowed.hosts or _is_own(host, shown.connection.listener)
        if host and not is_ours:  # a browser always sends one
            raise Denied(
                f"this gateway is not called {host[:80]!a}; where it is, GATEWAY_HOSTS has"
                " to name it"
            )

    def _look(self, connection: Connection) -> Errand:
        def run() -> None:
            connection.owner = self._find_owner(connection)

        return Errand(Asks.SYSTEM, connection, run)

    @staticmethod
    def _peer(shown: Shown) -> Address | None:
        peer = shown.connection.peer
        return address(peer.host) if peer else None

    @staticmethod
    def _is_here(shown: Shown, peer: Address) -> bool:
        """Whether the connection never left this machine."""
        listener = shown.connection.listener
        return is_within(peer, HERE) or (listener is not None and peer == address(listener.host))


def host_of(header: str) -> str:
    """Return the name in a `Host` header, without the port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


def _is_own(host: str, listener: Place | None) -> bool:
    """Whether it is the address itself that was connected to: no name of another site is that."""
    own = address(listener.host) if listener else None
    if own is None:
        return False
    return address(host) == own or (host == "localhost" and is_within(own, HERE))

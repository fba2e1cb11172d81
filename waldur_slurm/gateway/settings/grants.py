"""Readers of who may do what: sentences such as `10.1.0.0/16 may jobs:submit as ann`. Pure.

Several are separated by `;`. What may be done, and as whom, is separated by commas or blanks. The
words of an error follow "expected".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Generic, TypeVar

from waldur_slurm.gateway.doors.claims import Role
from waldur_slurm.gateway.doors.networks import Network, TrustedNetwork
from waldur_slurm.gateway.doors.principals import FOR_NOBODY, RunAs, run_as
from waldur_slurm.gateway.doors.scopes import Scope, scope

T = TypeVar("T")

_SENTENCE = re.compile(r"(?P<who>.+?)\s+may\s+(?P<what>.+?)(?:\s+as\s+(?P<whom>.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sentences(Generic[T]):
    """Some of them, spelled as they were read."""

    each: tuple[T, ...] = ()

    def __iter__(self) -> Iterator[T]:
        return iter(self.each)

    def __str__(self) -> str:
        return "; ".join(map(str, self.each))


def sentences(
    make: Callable[[str, frozenset[Scope], RunAs], T],
) -> Callable[[str], Sentences[T]]:
    def read(text: str) -> Sentences[T]:
        parts = [part.strip() for part in text.split(";")]
        return Sentences(tuple(_sentence(part, make) for part in parts if part))

    return read


def _sentence(text: str, make: Callable[[str, frozenset[Scope], RunAs], T]) -> T:
    match = _SENTENCE.fullmatch(text)
    if match is None:
        raise ValueError("sentences such as `WHO may SCOPES as USERS`, separated by ;")
    words = filter(None, re.split(r"[,\s]+", match["what"]))
    return make(match["who"], frozenset(map(scope, words)), run_as(match["whom"] or ""))


def trusted_network(who: str, scopes: frozenset[Scope], actors: RunAs) -> TrustedNetwork:
    found = network(who)
    if found.network_address.is_loopback and actors != FOR_NOBODY:
        raise ValueError(
            "no `as` for loopback: a client of this machine acts as its own Unix user only"
        )
    return TrustedNetwork(found, scopes, actors)


def role(who: str, scopes: frozenset[Scope], actors: RunAs) -> Role:
    return Role(who, scopes, actors)


def network(text: str) -> Network:
    """Read `10.1.0.0/16` or a single address; a network of everybody is none."""
    try:
        found = ip_network(text)
    except ValueError:
        raise ValueError("networks such as 10.1.0.0/16, or single addresses") from None
    if found.prefixlen == 0:
        raise ValueError("a network that is not everybody; GATEWAY_ANONYMOUS_SCOPES is for those")
    return found


def host(text: str) -> str:
    """Read a name as a `Host` header has it."""
    if re.fullmatch(r"[A-Za-z0-9_.:-]{1,253}", text, re.ASCII):
        return text.lower()
    raise ValueError("names such as gateway.example.org, without a port")


def origin(text: str) -> str:
    """Read an origin as a browser sends it."""
    if re.fullmatch(r"https?://[a-z0-9_.:\[\]-]{1,253}", text, re.ASCII):
        return text
    raise ValueError("origins such as https://portal.example.org, in small letters, without a path")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern whose first group is a user's name."""

    compiled: re.Pattern[str]

    def __str__(self) -> str:
        return self.compiled.pattern


def pattern(text: str) -> Pattern:
    try:
        found = re.compile(text)
    except re.error:
        found = None
    if found is None or found.groups < 1:
        raise ValueError(r"a pattern with one group, such as ([a-z0-9]+)@example\.org")
    return Pattern(found)


def issuer(text: str) -> str:
    """Read an issuer exactly as its tokens name it: a slash at its end counts."""
    is_local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]", text)
    if re.fullmatch(r"https?://[\x21-\x7e]+", text) and (text.startswith("https://") or is_local):
        return text
    raise ValueError("an https address such as https://login.example.org/realms/hpc")

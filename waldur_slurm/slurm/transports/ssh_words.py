"""What ssh says when it does not get through, as a sentence that says what to do. Pure.

Only ssh's own words are judged here, never a command's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from waldur_slurm.errors import NotLetIn, TransportError

_MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Route:
    """Whom ssh talks to, and by what both know each other, as people call it."""

    host: str
    port: int
    user: str
    host_keys: str
    """The known_hosts file; empty where the host's key itself was given."""
    key: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"

    @property
    def known_as(self) -> str:
        """What this host's lines in a known_hosts file begin with."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


def refusal(words: str, route: Route) -> TransportError:
    """Return what it means that ssh did not get through: for this key alone, or for all."""
    for pattern, sentence in _KNOWN:
        if found := pattern.search(words):
            kind = NotLetIn if sentence in _OF_KEY else TransportError
            return kind(sentence(route, found))
    return TransportError(f"ssh to {route} failed: {_short(words)}")


def explained(words: str, route: Route) -> str:
    """Say why ssh did not get through and how that is mended."""
    return str(refusal(words, route))


def _unknown_host(route: Route, found: re.Match[str]) -> str:
    kind = found[1].lower()
    public = f"/etc/ssh/ssh_host_{kind}_key.pub"
    if not route.host_keys:
        return (
            f"{route.host} has no key of the kind that was given for it; it shows a {found[1]} "
            f"key: give what stands in {public} there"
        )
    return (
        f"{route.host} is unknown, and no key is accepted unseen: add the line "
        f"'{route.known_as} KEY' to {route.host_keys}, where KEY is what stands in {public} there"
    )


def _other_key(route: Route, words: re.Match[str]) -> str:
    place = re.search(r"Offending \S+ key in (\S+:\d+)", words.string)
    line = place[1].rpartition(":")[2] if place else "?"
    expected = f"line {line} of {route.host_keys}" if route.host_keys else "the key given for it"
    return (
        f"{route.host} shows another key than {expected}. If its keys were really renewed, "
        "replace that one by the new key, taken from the host itself; if not, somebody stands "
        "between"
    )


def _revoked(route: Route, _: re.Match[str]) -> str:
    return f"the key of {route.host} is marked as revoked in {route.host_keys or 'what was given'}"


def _key_too_open(route: Route, _: re.Match[str]) -> str:
    return f"others can read {route.key}, so ssh does not use it: chmod 600"


def _unreadable_key(route: Route, found: re.Match[str]) -> str:
    return (
        f"{route.key} cannot be used ({found[1].strip()}): it must be a private key without a "
        "passphrase"
    )


def _denied(route: Route, _: re.Match[str]) -> str:
    return (
        f"{route.host} does not let {route.user} in by {route.key}: add the public key to "
        "authorized_keys there, or give a certificate that is valid for this user now (a key with "
        "a passphrase is not used)"
    )


def _no_more_sessions(route: Route, _: re.Match[str]) -> str:
    return (
        f"{route.host} takes no more commands over one connection: raise MaxSessions in its "
        "sshd_config, or ask for fewer at once"
    )


_KNOWN: tuple[tuple[re.Pattern[str], Callable[[Route, re.Match[str]], str]], ...] = (
    (re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED"), _other_key),
    (re.compile(r"REVOKED HOST KEY"), _revoked),
    (re.compile(r"No (\S+) host key is known for"), _unknown_host),
    (re.compile(r"UNPROTECTED PRIVATE KEY FILE"), _key_too_open),
    (re.compile(r"Load key .*?: ((?!Permission denied).+)"), _unreadable_key),
    (re.compile(r"Permission denied \("), _denied),
    (re.compile(r"[Ss]ession open refused|[Ss]ession request failed"), _no_more_sessions),
)

_OF_KEY = (_key_too_open, _unreadable_key, _denied)


def _short(words: str) -> str:
    return words.strip()[:_MOST_WORDS] or "it said nothing"

"""Tokens: how one looks, what is kept of it, and what a store of them does.

A token is shown once, to whoever makes it. What is kept is its HMAC under a secret of the server:
whoever reads the store alone can neither use a token nor test a guess.
"""

import hmac
import re
import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple, Protocol

from waldur_slurm.gateway.doors.principals import Kind, OneJob, Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope, widened

OWN = re.compile(r"sgw_([a-z2-9]{8})_[A-Za-z0-9_-]{43}", re.ASCII)
_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Token:
    """`ends`: from then on it is refused; whoever revokes it moves that to now."""

    id: str
    digest: bytes = field(repr=False)
    name: str
    scopes: frozenset[Scope]
    run_as: RunAs
    made: datetime
    ends: datetime | None = None
    last_used: datetime | None = None
    app: str = ""
    """The id of the app that it opens; it opens nothing else."""
    job: OneJob | None = None
    """The one that it is for, where it is for one alone."""
    is_revoked: bool = False
    """Over for good, whatever any clock says."""

    def is_over(self, now: datetime) -> bool:
        return self.is_revoked or (self.ends is not None and self.ends <= now)

    @property
    def principal(self) -> Principal:
        """Who shows it; two tokens with one name are two principals."""
        return Principal(
            kind=Kind.TOKEN,
            name=f"{self.name}({self.id})" if self.name else self.id,
            scopes=widened(self.scopes),
            run_as=self.run_as,
            expires=self.ends,
            app=self.app,
            job=self.job,
        )


class Changed(NamedTuple):
    """Tokens that changed, and the number of the last change."""

    generation: int
    tokens: tuple[Token, ...]


class Tokens(Protocol):
    """Where tokens are kept; each may raise `StateError`. Another process may change them."""

    def since(self, generation: int) -> Changed:
        """Return those that were made or ended after a change; all of them after number 0."""
        ...

    def add(self, token: Token) -> None:
        """Keep a new one."""
        ...

    def end(self, token_id: str, at: datetime) -> bool:
        """Let it end then, if it does not end sooner; whether there is such a token."""
        ...

    def revoke(self, token_id: str, at: datetime) -> bool:
        """Let it end for good, which is now; whether there is such a token."""
        ...

    def forget(self, before: datetime, jobs_before: datetime) -> tuple[str, ...]:
        """Let those go that ended before, those for one job `jobs_before`; return their ids.

        The last one changed may stay.
        """
        ...

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Note by id when tokens were last shown; this is no change."""
        ...


class Minted(NamedTuple):
    """A new token's text, for its owner's eyes, and what is kept."""

    text: str
    token: Token


def mint(
    secret: bytes,
    *,
    name: str,
    scopes: frozenset[Scope],
    run_as: RunAs,
    made: datetime,
    ends: datetime | None,
    job: OneJob | None = None,
    app: str = "",
) -> Minted:
    token_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
    text = f"sgw_{token_id}_{secrets.token_urlsafe(32)}"
    kept = digest(secret, text)
    return Minted(text, Token(token_id, kept, name, scopes, run_as, made, ends, job=job, app=app))


def digest(secret: bytes, text: str) -> bytes:
    return hmac.new(secret, text.encode("utf-8", "surrogateescape"), sha256).digest()


def id_of(text: str, its_digest: bytes) -> str:
    """Return the id that a token of ours carries, or make one for a token from elsewhere."""
    own = OWN.fullmatch(text)
    return own[1] if own else b32encode(its_digest).decode().lower()[:8]

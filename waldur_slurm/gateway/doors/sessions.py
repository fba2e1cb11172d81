"""Sessions of browsers: a cookie that stands for a token, or for what an issuer said of a person.

A session gives no right of its own. Each time it is shown, its token is looked at again, or the
roles of its person: so whoever revokes a token ends all sessions that began with it.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.tokens import digest
from waldur_slurm.gateway.errors import GatewayError, NotNow

MOST_KEPT = 10_000
"""The one that ends first goes first."""

Claims = Mapping[str, object]
"""What an issuer says of somebody, in the words of its token."""


@dataclass(frozen=True, slots=True)
class Session:
    """Begun by a token, of which it has the id, or by claims of an issuer."""

    digest: bytes = field(repr=False)
    made: datetime
    ends: datetime
    token_id: str = ""
    claims: Claims | None = None


class Sessions(Protocol):
    """Where sessions are kept; each may raise `StateError`."""

    def all(self) -> tuple[Session, ...]: ...

    def add(self, session: Session) -> None: ...

    def drop(self, digests: tuple[bytes, ...]) -> None: ...


class Holders(Protocol):
    """Says whose a token is, by its id; None where it is over."""

    def holder(self, token_id: str, asked_at: float) -> Principal | Errand | None: ...


PersonOf = Callable[[Claims, datetime], Principal]
"""Says who it is by what the issuer said, until then; raises a `GatewayError`."""


@dataclass(frozen=True, slots=True)
class _Held:
    secret: bytes
    by_digest: Mapping[bytes, Session]


class SessionRing:
    """All sessions in memory. `now` is the time of day; what says that it blocks does so."""

    def __init__(
        self,
        sessions: Sessions,
        read_secret: Callable[[], bytes],
        holders: Holders,
        person_of: PersonOf | None,
        now: Callable[[], datetime],
        life: timedelta,
    ) -> None:
        self._sessions = sessions
        self._read_secret = read_secret
        self._holders = holders
        self._person_of = person_of
        self._now = now
        self.life = life
        self._lock = Lock()
        self._held: _Held | None = None
        self._reading = Errand(Asks.STORE, "sessions", self._learn)

    def recognise(self, text: str, asked_at: float) -> Principal | Errand | None:
        """Say whose session it is; None where there is none, or it is over."""
        held = self._held
        if held is None:
            return self._reading
        session = held.by_digest.get(digest(held.secret, text))
        if session is None or session.ends <= self._now():
            return None
        if session.claims is None:
            return self._holders.holder(session.token_id, asked_at)
        return self._person(session.claims, session.ends)

    def has(self, text: str) -> bool:
        """Whether there is such a session, whoever may still be recognised by it."""
        held = self._held
        return held is not None and digest(held.secret, text) in held.by_digest

    def begin(self, *, token_id: str = "", claims: Claims | None = None) -> str:
        """Begin one and return its text, which is shown to nobody but the browser; blocks."""
        held, now = self._read(), self._now()
        text = secrets.token_urlsafe(32)
        session = Session(digest(held.secret, text), now, now + self.life, token_id, claims)
        self._sessions.add(session)
        with self._lock:
            kept = {**(self._held or held).by_digest, session.digest: session}
            over = _over(kept, now)
            for each in over:
                del kept[each]
            self._held = _Held(held.secret, kept)
        if over:
            self._sessions.drop(over)
        return text

    def end(self, text: str) -> None:
        """End it, for good once this returns; blocks."""
        held = self._read()
        shown = digest(held.secret, text)
        self._sessions.drop((shown,))
        with self._lock:
            current = self._held or held
            kept = {key: each for key, each in current.by_digest.items() if key != shown}
            self._held = _Held(held.secret, kept)

    def form_token(self, text: str) -> str:
        """Make what a form of this session carries.

        Each one differs, so that nothing is guessed from how well a page is packed.
        """
        salt = secrets.token_urlsafe(12)
        return f"{salt}.{self._form_mark(text, salt)}"

    def is_form_token(self, text: str, shown: str) -> bool:
        salt, _, mark = shown.partition(".")
        return hmac.compare_digest(mark.encode(), self._form_mark(text, salt).encode())

    def _form_mark(self, text: str, salt: str) -> str:
        held = self._held
        if held is None:
            raise NotNow("sessions are not read yet")
        return digest(held.secret, f"form {salt} {text}").hex()

    def _person(self, claims: Claims, ends: datetime) -> Principal | None:
        """Whoever has no role any more has no session."""
        if self._person_of is None:
            return None
        try:
            return self._person_of(claims, ends)
        except GatewayError:
            return None

    def _learn(self) -> None:
        self._read()

    def _read(self) -> _Held:
        """Raises `NotNow`: whose session may have been ended is let in by nothing but the store."""
        with self._lock:
            if self._held is None:
                try:
                    found = {each.digest: each for each in self._sessions.all()}
                    self._held = _Held(self._read_secret(), found)
                except StateError as error:
                    words = "sessions cannot be read now; the gateway's log says why"
                    raise NotNow(words, 5.0) from error
            return self._held


def _over(kept: Mapping[bytes, Session], now: datetime) -> tuple[bytes, ...]:
    """Find those that have ended, and those that are too many."""
    over = [key for key, session in kept.items() if session.ends <= now]
    left = sorted((session.ends, key) for key, session in kept.items() if session.ends > now)
    return (*over, *(key for _, key in left[: max(len(left) - MOST_KEPT, 0)]))

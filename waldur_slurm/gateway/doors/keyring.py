"""Every token in memory, never older than half a second: a request waits for a reading only then.

So a token that another process revokes is refused within a second, and however many show tokens
that are known, the store is read twice a second at most. One that is not known is refused by a
reading that began after it was shown: a new token is known at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.tokens import Changed, Token, Tokens, digest, id_of
from waldur_slurm.gateway.errors import NotNow, NotSignedIn
from waldur_slurm.telemetry.events import Event, Level, Sink

FRESH_S = 0.5
USES_EVERY = timedelta(minutes=1)
FORGOTTEN_EVERY = timedelta(days=1)

KEPT_AFTER_ITS_END = timedelta(days=90)
"""How long `token list` still shows a token that has expired or was revoked; then it is let go."""

KEPT_AFTER_ITS_JOB = timedelta(days=7)
"""A token for one job: programs make many of them."""

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Held:
    """One reading: what there was, and when it began."""

    secret: bytes
    began: float
    generation: int
    by_id: Mapping[str, Token]
    principals: Mapping[str, Principal]

    def after(self, began: float, changed: Changed) -> "_Held":
        if not changed.tokens:
            return replace(self, began=began)
        tokens = {token.id: token for token in changed.tokens}
        principals = {token.id: token.principal for token in changed.tokens}
        return _Held(
            self.secret,
            began,
            changed.generation,
            {**self.by_id, **tokens},
            {**self.principals, **principals},
        )


class Keyring:
    """`clock` is monotonic, `now` the time of day."""

    def __init__(
        self,
        tokens: Tokens,
        read_secret: Callable[[], bytes],
        tell: Sink,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._tokens = tokens
        self._read_secret = read_secret
        self._tell = tell
        self._clock = clock
        self._now = now
        self._held: _Held | None = None
        self._is_silent = False
        self._uses: dict[str, datetime] = {}
        self._uses_noted = now()
        self._forgot: datetime | None = None
        self._reading = Errand(Asks.STORE, "tokens", self._read)

    def recognise(self, text: str, asked_at: float) -> Principal | Errand:
        """Say whose token it is; raises `NotSignedIn`. Only a fresh reading may answer."""
        held = self._held
        if held is None or held.began < min(asked_at, self._clock() - FRESH_S):
            return self._reading
        shown = digest(held.secret, text)
        token_id = id_of(text, shown)
        token = held.by_id.get(token_id)
        if token is None or not compare_digest(token.digest, shown):
            if held.began < asked_at:
                return self._reading
            raise NotSignedIn("this token is not known here")
        now = self._now()
        if token.is_over(now):
            raise NotSignedIn(f"the token {token.id} has expired or was revoked; use a new one")
        self._uses[token_id] = now
        return held.principals[token_id]

    def holder(self, token_id: str, asked_at: float) -> Principal | Errand | None:
        """Say whose the token of this id is, as fresh as if it were shown; None: it is over."""
        held, now = self._held, self._now()
        if held is None or held.began < min(asked_at, self._clock() - FRESH_S):
            return self._reading
        token = held.by_id.get(token_id)
        if token is None or token.is_over(now):
            return None
        self._uses[token_id] = now
        return held.principals[token_id]

    def id_of(self, text: str) -> str:
        """Return the id of a token that was recognised."""
        held = self._held
        return id_of(text, digest(held.secret, text)) if held else ""

    def note_uses(self) -> None:
        """Write down when tokens were last shown; one that cannot be written is kept for later."""
        uses, self._uses = self._uses, {}
        self._uses_noted = self._now()
        if not uses:
            return
        try:
            self._tokens.note_uses(dict(uses))
        except StateError as error:
            self._uses = {**uses, **self._uses}
            fields = {"error": str(error)}
            self._tell(Event(name="tokens.uses_unwritten", level=Level.WARNING, fields=fields))

    def _read(self) -> None:
        """Raises `NotNow`: who may not have been revoked is let in by nothing but the store."""
        began, held = self._clock(), self._held
        try:
            held = held or _Held(self._read_secret(), began, 0, {}, {})
            changed = self._tokens.since(held.generation)
        except StateError as error:
            self._note_silence(str(error))
            raise NotNow("tokens cannot be read now; the gateway's log says why", 5.0) from error
        self._note_silence("")
        self._held = held.after(began, changed)
        if self._now() - self._uses_noted >= USES_EVERY:
            self.note_uses()
        if self._forgot is None or self._now() - self._forgot >= FORGOTTEN_EVERY:
            self._forget()

    def _forget(self) -> None:
        """Once a day; where it cannot be done it waits for the next day."""
        self._forgot = self._now()
        try:
            forgotten = self._tokens.forget(
                self._forgot - KEPT_AFTER_ITS_END, self._forgot - KEPT_AFTER_ITS_JOB
            )
        except StateError as error:
            fields = {"error": str(error)}
            self._tell(Event(name="tokens.unforgotten", level=Level.WARNING, fields=fields))
        else:
            if forgotten:
                some = ",".join(forgotten[:MOST_NAMED])
                self._tell(
                    Event(name="tokens.forgotten", fields={"count": len(forgotten), "ids": some})
                )

    def _note_silence(self, why: str) -> None:
        """Tell once that the store does not answer, and once that it does again."""
        was_silent, self._is_silent = self._is_silent, bool(why)
        if why and not was_silent:
            self._tell(Event(name="tokens.unread", level=Level.WARNING, fields={"error": why}))
        elif was_silent and not why:
            self._tell(Event(name="tokens.read"))

"""Says who asks, from what a request shows, and holds him to his pace.

Nothing here waits: what has to be found out first is an errand for whoever may block.
"""

from collections.abc import Callable
from typing import Protocol

from waldur_slurm.gateway.doors.credentials import Credential, credential_of
from waldur_slurm.gateway.doors.errands import Errand
from waldur_slurm.gateway.doors.networks import neighbourhood
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import Kind, Principal
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.doors.strangers import Strangers
from waldur_slurm.gateway.errors import GatewayError, NotSignedIn


class Recognises(Protocol):
    """Knows one kind of token; raises `NotSignedIn` where it is no good."""

    def recognise(self, text: str, asked_at: float) -> Principal | Errand: ...


class RecognisesSessions(Protocol):
    """Knows sessions; None where one is not, or no longer, good."""

    def recognise(self, text: str, asked_at: float) -> Principal | Errand | None: ...


class Doors:
    def __init__(
        self,
        strangers: Strangers,
        tokens: Recognises,
        issuer: Recognises | None,
        pacing: Pacing,
        clock: Callable[[], float],
        sessions: RecognisesSessions | None = None,
    ) -> None:
        self._strangers = strangers
        self._tokens = tokens
        self._issuer = issuer
        self._pacing = pacing
        self._clock = clock
        self._sessions = sessions

    def admit(self, shown: Shown) -> Principal | Errand:
        """Say who it is; raises `NotSignedIn`, `Denied`, `WrongAsk`, `TooFast` or `NotNow`.

        Whoever is not known keeps the pace of his address; so does one who guesses.
        """
        try:
            found = self._recognise(shown)
        except GatewayError:
            self._let(self._address(shown), shown)
            raise
        if isinstance(found, Principal):
            is_of_an_address = found.kind in (Kind.NOBODY, Kind.NETWORK)
            self._let(self._address(shown) if is_of_an_address else str(found), shown)
        return found

    def _let(self, who: str, shown: Shown) -> None:
        if not shown.is_again:
            self._pacing.let(who, self._clock())

    def _recognise(self, shown: Shown) -> Principal | Errand:
        credential = credential_of(shown)
        if credential:
            return self._known(credential, shown)
        return self._of_a_session(shown) or self._strangers.recognise(shown)

    def _of_a_session(self, shown: Shown) -> Principal | Errand | None:
        """A browser shows its cookie whatever page makes it ask; one that is over is nothing."""
        if not shown.session or self._sessions is None:
            return None
        self._strangers.refuse_deputies(shown)
        return self._sessions.recognise(shown.session, shown.at)

    def _known(self, credential: Credential, shown: Shown) -> Principal | Errand:
        if not credential.is_jwt:
            return self._tokens.recognise(credential.text, shown.at)
        if self._issuer is None:
            raise NotSignedIn("tokens of an issuer are not taken here")
        return self._issuer.recognise(credential.text, shown.at)

    def _address(self, shown: Shown) -> str:
        return f"from {neighbourhood(self._strangers.client(shown))}"

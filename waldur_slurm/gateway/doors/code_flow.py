"""How a person signs in at his issuer: the code flow of OpenID Connect, with PKCE.

What a sign-in needs to be ended is kept by the browser that began it, sealed, for some minutes: so
nobody else's answer ends it, and strangers who begin many cost no memory. All of it blocks.
"""

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlencode

from waldur_slurm.gateway.doors.claims import Expected, kept_claims, person
from waldur_slurm.gateway.doors.oidc import Fetch, Issuer, places
from waldur_slurm.gateway.doors.tokens import digest
from waldur_slurm.gateway.errors import NotNow, NotSignedIn

LASTS_S = 600
_KEPT_S = 3600.0
_SILENT_S = 10.0
"""How long an issuer that did not answer is left alone."""

SendForm = Callable[[str, Mapping[str, str], tuple[str, str] | None], bytes]


@dataclass(frozen=True, slots=True)
class Client:
    """What the gateway is to the issuer. Without a secret it is a public client."""

    id: str
    secret: str
    redirect: str
    scopes: str = "openid profile"


class Begun(NamedTuple):
    """Where the browser goes, and what it keeps until it is back."""

    address: str
    sealed: str


class Ended(NamedTuple):
    """Who signed in, and the page that he was on his way to."""

    claims: Mapping[str, object]
    back: str


class CodeFlow:
    def __init__(
        self,
        issuer: Issuer,
        expected: Expected,
        client: Client,
        fetch: Fetch,
        send_form: SendForm,
        read_secret: Callable[[], bytes],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._expected = replace(expected, audience=client.id)
        self._client = client
        self._fetch = fetch
        self._send_form = send_form
        self._read_secret = read_secret
        self._now = now
        self._places: tuple[str, ...] = ()
        self._asked = 0.0

    def begin(self, back: str) -> Begun:
        """Raises `NotNow` where the issuer does not answer."""
        sign_in, _ = self._found()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect,
            "scope": self._client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        kept = [int(self._now()) + LASTS_S, state, nonce, verifier, back]
        joint = "&" if "?" in sign_in else "?"
        return Begun(f"{sign_in}{joint}{urlencode(asked)}", self._seal(kept))

    def end(self, sealed: str, state: str, code: str) -> Ended:
        """Raises `NotSignedIn`, `Denied` for one without a role, or `NotNow`."""
        until, own_state, nonce, verifier, back = self._opened(sealed)
        if until < self._now() or not hmac.compare_digest(own_state.encode(), state.encode()):
            raise NotSignedIn("this sign-in was not begun here, or took too long; begin again")
        claims = self._issuer.proven(self._redeemed(code, verifier))
        if claims.get("nonce") != nonce:
            raise NotSignedIn("the issuer answers another sign-in; begin again")
        if claims.get("azp", self._client.id) != self._client.id:
            raise NotSignedIn("the token was made for another client")
        person(claims, self._expected, self._now())
        return Ended(kept_claims(claims, self._expected), back)

    def _redeemed(self, code: str, verifier: str) -> str:
        _, redeem = self._found()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect,
            "client_id": self._client.id,
            "code_verifier": verifier,
        }
        sign_in = (self._client.id, self._client.secret) if self._client.secret else None
        try:
            said = json.loads(self._send_form(redeem, form, sign_in))
        except (OSError, ValueError) as error:
            raise NotSignedIn(f"the issuer did not take the sign-in: {error}") from error
        token = said.get("id_token") if isinstance(said, dict) else None
        if not isinstance(token, str):
            raise NotSignedIn("the issuer gave no id_token")
        return token

    def _found(self) -> tuple[str, ...]:
        since = self._now() - self._asked
        if since > (_KEPT_S if self._places else _SILENT_S):
            self._asked = self._now()
            try:
                self._places = places(
                    self._expected.issuer, self._fetch, "authorization_endpoint", "token_endpoint"
                )
            except (OSError, ValueError) as error:
                if not self._places:
                    raise NotNow(f"the issuer does not answer: {error}", _SILENT_S) from error
        if not self._places:
            raise NotNow("the issuer does not answer", _SILENT_S)
        return self._places

    def _seal(self, kept: list[object]) -> str:
        body = urlsafe_b64encode(json.dumps(kept).encode()).decode()
        return f"{body}.{self._mark(body)}"

    def _opened(self, sealed: str) -> tuple[int, str, str, str, str]:
        body, _, mark = sealed.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark(body).encode()):
            raise NotSignedIn("this browser has begun no sign-in; begin again")
        until, state, nonce, verifier, back = json.loads(urlsafe_b64decode(body))
        return until, state, nonce, verifier, back

    def _mark(self, body: str) -> str:
        return digest(self._read_secret(), f"sign-in {body}").hex()


def challenge(verifier: str) -> str:
    """Return what is shown of a secret that is told later (RFC 7636)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")

"""Letters by Gmail's own interface, as a user who allowed it or as a service that may be him.

The file of credentials is Google's: `authorized_user`, or `service_account` with the right to send
as the sender (domain-wide delegation). A token of access is fetched for a letter when it is needed.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome, Unwelcome
from waldur_slurm.gateway.post.senders.message import MaySendAs, message_of, nobody
from waldur_slurm.gateway.post.senders.waiting import asked_for_s

API = "https://gmail.googleapis.com/gmail/v1/users/me/messages/send"
TOKENS = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/gmail.send"
TIMEOUT_S = 10.0
LASTS_S = 3600
_EARLY_S = 60
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_WRONG_LETTER = 400
"""Gmail's status for a message that it would never take; all else is the site's to mend."""


class _Unusable(Exception):
    """No token of access can be had now; the words say why."""


class Gmail:
    def __init__(
        self,
        credentials: Path,
        sender: str,
        *,
        may_send_as: MaySendAs = nobody,
        api: str = API,
        tokens: str = TOKENS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._sender = sender
        self._may_send_as = may_send_as
        self._api = api
        self._tokens = tokens
        self._clock = clock
        self._lock = Lock()
        self._access = ("", 0.0)

    def send(self, letter: Letter) -> Outcome:
        try:
            message = message_of(letter, self._sender, self._may_send_as)
        except ValueError as error:
            return Never(str(error))
        raw = urlsafe_b64encode(message.as_bytes()).decode("ascii")
        try:
            headers = {"Authorization": f"Bearer {self._token()}"}
            answer = _posted(self._api, headers=headers, json={"raw": raw})
        except _Unusable as error:
            return Later(str(error))
        except requests.RequestException as error:
            return Later(f"Google does not answer: {error}")
        return self._outcome(answer)

    def greet(self) -> str:
        """Fetch a token of access, with which a letter would be sent."""
        try:
            self._token()
        except _Unusable as error:
            raise Unwelcome(str(error)) from error
        except requests.RequestException as error:
            raise Unwelcome(f"Google does not answer: {error}") from error
        return f"Google lets us send as {self._sender}"

    def _outcome(self, answer: requests.Response) -> Outcome:
        if answer.status_code == 200:
            return Delivered()
        if answer.status_code == 401:
            self._access = ("", 0.0)
        why = f"Gmail answers {answer.status_code}: {_error_in(answer)}"
        if answer.status_code == _WRONG_LETTER:
            return Never(why)
        return Later(why, asked_for_s(answer.headers.get("Retry-After", "")))

    def _token(self) -> str:
        with self._lock:
            token, ends = self._access
            if self._clock() < ends:
                return token
            answer = _posted(self._tokens, data=self._asking())
            try:
                said: Any = msgspec.json.decode(answer.content)
                token, lasts_s = str(said["access_token"]), float(said.get("expires_in", LASTS_S))
            except (msgspec.DecodeError, KeyError, TypeError, ValueError):
                why = f"Google gives no token: {answer.status_code} {_error_in(answer)}"
                raise _Unusable(why) from None
            self._access = (token, self._clock() + lasts_s - _EARLY_S)
            return token

    def _asking(self) -> dict[str, str]:
        """What the file lets us ask for a token with; it is read anew, for it may be renewed."""
        try:
            known: Any = msgspec.json.decode(self._credentials.read_bytes())
            if known["type"] == "authorized_user":
                names = ("client_id", "client_secret", "refresh_token")
                return {"grant_type": "refresh_token", **{name: known[name] for name in names}}
            if known["type"] == "service_account":
                return {"grant_type": _JWT_GRANT, "assertion": self._signed(known)}
        except OSError as error:
            raise _Unusable(f"{self._credentials} cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, JoseError):
            pass
        raise _Unusable(
            f"{self._credentials} is no file of Google's credentials that can send mail"
        )

    def _signed(self, known: Mapping[str, str]) -> str:
        now = int(self._clock())
        claims = {
            "iss": known["client_email"],
            "sub": self._sender,
            "scope": SCOPE,
            "aud": TOKENS,
            "iat": now,
            "exp": now + LASTS_S,
        }
        return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(known["private_key"]))


def _posted(url: str, **what: Any) -> requests.Response:
    return requests.post(url, timeout=TIMEOUT_S, allow_redirects=False, **what)


def _error_in(answer: requests.Response) -> str:
    """Return the words of Google's own error, which hold none of what was sent."""
    try:
        error: Any = msgspec.json.decode(answer.content)["error"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "it does not say why"
    return str(error.get("message", "") if isinstance(error, dict) else error)[:300]

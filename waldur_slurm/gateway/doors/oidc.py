"""Verifies tokens of OpenID Connect with the issuer's keys, which it fetches seldom.

Which algorithms are taken is fixed here: none that needs no key, none whose key both sides share.
The key is looked for by its name among those that the issuer published; a name that is not there
has them fetched once a minute at most, whatever anybody sends.
"""

import json
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

from waldur_slurm.gateway.doors.claims import Expected, person
from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import NotNow, NotSignedIn
from waldur_slurm.telemetry.events import Event, Level, Sink

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519",
)  # fmt: skip
AGAIN_S = 60.0
KEPT_S = 3600.0
"""After so long the keys are fetched again, so that one which was withdrawn is not believed on."""

BELIEVED_S = 60.0
_MOST_BELIEVED = 4096

Key = RSAKey | ECKey | OKPKey
Fetch = Callable[[str], bytes]
"""Gets an address, or raises `OSError` or `ValueError` with why not."""


class _Algorithms(JWSRegistry):
    """The library's own algorithms, of which only ours are found; headers may say more."""

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        """Find it; without a warning of the library about how EdDSA is called nowadays."""
        if name not in ALGORITHMS:
            raise ValueError("not taken")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class _Believed:
    """A token that was verified a moment ago."""

    principal: Principal
    until: float


@dataclass(frozen=True, slots=True)
class _Keys:
    by_name: Mapping[str, Key]
    fetched: float


class Issuer:
    """`clock` is monotonic, `now` in seconds since 1970; `fetch` blocks."""

    def __init__(
        self,
        expected: Expected,
        fetch: Fetch,
        tell: Sink,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._expected = expected
        self._fetch = fetch
        self._tell = tell
        self._clock = clock
        self._now = now
        self._keys: _Keys | None = None
        self._tried: float | None = None
        self._silence = ""
        self._believed: OrderedDict[bytes, _Believed] = OrderedDict()
        self._fetching = Errand(Asks.ISSUER, "keys", self._renew)

    def recognise(self, text: str, asked_at: float) -> Principal | Errand:  # noqa: ARG002 - a token is no older for waiting
        """Say whom the token is of; raises `NotSignedIn`, `Denied` or `NotNow`."""
        mark = sha256(text.encode()).digest()
        believed = self._believed.get(mark)
        if believed and self._clock() < believed.until:
            return believed.principal
        name = _key_name(text)
        key = self._key(name)
        if isinstance(key, Errand):
            return key
        principal = person(_claims(text, key), self._expected, self._now())
        self._believe(mark, principal)
        return principal

    def proven(self, text: str) -> Mapping[str, Any]:
        """Return what a token says whose signature is the issuer's; blocks, and checks no more."""
        name = _key_name(text)
        key = self._key(name)
        if isinstance(key, Errand):
            key.run()
            key = self._key(name)
        if isinstance(key, Errand):
            raise NotNow("the issuer's keys are being fetched", AGAIN_S)
        return _claims(text, key)

    def _believe(self, mark: bytes, principal: Principal) -> None:
        """Believe it for a while without computing again, and never longer than it says."""
        left = principal.expires.timestamp() - self._now() if principal.expires else 0.0
        self._believed[mark] = _Believed(principal, self._clock() + min(BELIEVED_S, left))
        self._believed.move_to_end(mark)
        if len(self._believed) > _MOST_BELIEVED:
            self._believed.popitem(last=False)

    def _key(self, name: str) -> Key | Errand:
        keys = self._keys
        key = keys.by_name.get(name) if keys else None
        is_due = keys is None or key is None or self._clock() - keys.fetched > KEPT_S
        if is_due and self._may_try():
            return self._fetching
        if key:
            return key
        if keys is None or self._silence:
            raise NotNow(f"the issuer of tokens does not answer: {self._silence}", AGAIN_S)
        raise NotSignedIn("the token is signed with a key that the issuer does not publish")

    def _may_try(self) -> bool:
        return self._tried is None or self._clock() - self._tried >= AGAIN_S

    def _renew(self) -> None:
        """Fetch the keys. The old ones stay where that fails; what went wrong is told once."""
        self._tried = began = self._clock()
        try:
            self._keys = _Keys(published(self._expected.issuer, self._fetch), began)
        except (OSError, ValueError) as error:
            is_first, self._silence = not self._silence, str(error) or type(error).__name__
            if is_first:
                fields = {"issuer": self._expected.issuer, "error": self._silence}
                self._tell(Event(name="issuer.silent", level=Level.WARNING, fields=fields))
        else:
            was_silent, self._silence = bool(self._silence), ""
            self._believed = OrderedDict()
            if was_silent:
                fields = {"issuer": self._expected.issuer}
                self._tell(Event(name="issuer.answers", fields=fields))


def places(issuer: str, fetch: Fetch, *names: str) -> tuple[str, ...]:
    """Read addresses in the issuer's discovery document, which has to speak for this issuer."""
    described = _object(fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    if described.get("issuer") != issuer:
        raise ValueError("its description is of another issuer")
    found = []
    for name in names:
        place = described.get(name)
        if not isinstance(place, str) or not _is_as_safe(place, issuer):
            raise ValueError(f"its description names no https address as {name}")
        found.append(place)
    return tuple(found)


def published(issuer: str, fetch: Fetch) -> dict[str, Key]:
    """Find the issuer's keys."""
    (place,) = places(issuer, fetch, "jwks_uri")
    keys = _object(fetch(place)).get("keys")
    if not isinstance(keys, list):
        raise ValueError("it publishes no keys")  # noqa: TRY004 - of what it says
    return _readable(keys)


def _is_as_safe(place: str, issuer: str) -> bool:
    return place.startswith("https://") or (
        issuer.startswith("http://") and place.startswith("http://")
    )


def _readable(keys: Sequence[object]) -> dict[str, Key]:
    """Keep those that verify signatures; what is not understood is left out, not guessed."""
    found: dict[str, Key] = {}
    for each in keys:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        name, make = each.get("kid"), _MADE_BY.get(str(each.get("kty")))
        if not isinstance(name, str) or make is None or _is_weak(each):
            continue
        try:
            found[name] = make.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


_MADE_BY: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}


def _is_weak(key: Mapping[str, Any]) -> bool:
    """Whether its RSA modulus is shorter than 2,048 bits."""
    return key.get("kty") == "RSA" and len(str(key.get("n")).rstrip("=")) < 2048 // 6


def _key_name(text: str) -> str:
    """Read the header, of which nothing is proven yet; refuse what is never taken."""
    try:
        head = text.partition(".")[0]
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise NotSignedIn("that is no token")
    if header.get("alg") not in ALGORITHMS:
        raise NotSignedIn(
            f"the token is not signed in a way that is taken: {', '.join(ALGORITHMS)}"
        )
    if "crit" in header or "b64" in header:
        raise NotSignedIn("the token needs something that is not known here")
    name = header.get("kid")
    if not isinstance(name, str):
        raise NotSignedIn("the token does not name its key")
    return name


def _claims(text: str, key: Key) -> Mapping[str, Any]:
    try:
        proven = deserialize_compact(text, key, registry=_Algorithms())
        return _object(proven.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotSignedIn("the token's signature is not the issuer's") from None


def _object(body: bytes | None) -> dict[str, Any]:
    found = json.loads(body or b"")
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - of what it says
    return found

"""An issuer of tokens: keys that it publishes, and tokens that it, or somebody else, signs."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256, sha512
from typing import Any

from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

URL = "https://login.example.org/realms/hpc"
AUDIENCE = "slurm-gateway"

Key = RSAKey | ECKey | OKPKey
_MADE_FOR = {"RS": "RSA", "PS": "RSA", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def made(kind: str, number: int = 0) -> Key:
    """Make a key once: RSA keys take long. `number` tells several of a kind apart."""
    return _made(kind, number)


@cache
def _made(kind: str, number: int) -> Key:
    name: KeyParameters = {"kid": f"{kind}-{number}"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, name)
    if kind == "Ed25519":
        return OKPKey.generate_key("Ed25519", name)
    return ECKey.generate_key(kind, name)


def key_for(algorithm: str, number: int = 0) -> Key:
    kind = _MADE_FOR.get(algorithm, _MADE_FOR.get(algorithm[:2], "Ed25519"))
    return made(kind, number)


@dataclass
class FakeIssuer:
    """`fetched` counts by address; `broken` is why it does not answer."""

    url: str = URL
    keys: list[Key] = field(default_factory=list)
    more_keys: list[Any] = field(default_factory=list)
    described: dict[str, Any] = field(default_factory=dict)
    broken: str = ""
    fetched: Counter[str] = field(default_factory=Counter)

    def fetch(self, url: str) -> bytes:
        self.fetched[url] += 1
        if self.broken:
            raise OSError(self.broken)
        if url == f"{self.url}/.well-known/openid-configuration":
            described = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            return json.dumps({**described, **self.described}).encode()
        if url == f"{self.url}/keys":
            public = [key.as_dict(private=False) for key in self.keys]
            return json.dumps({"keys": [*public, *self.more_keys]}).encode()
        raise AssertionError(url)


def signed(claims: dict[str, Any], key: Key, algorithm: str, **header: Any) -> str:
    """Sign as somebody would who holds this key; `header` adds to, or replaces, what is said."""
    return _whole(claims, {"alg": algorithm, "kid": key.kid, **header}, _signer(key, algorithm))


def signed_by_secret(claims: dict[str, Any], secret: bytes, kid: str, algorithm: str) -> str:
    """Sign with a secret that both sides would share."""
    hashes = {"HS256": sha256, "HS512": sha512}

    def sign(message: bytes) -> bytes:
        return hmac.new(secret, message, hashes[algorithm]).digest()

    return _whole(claims, {"alg": algorithm, "kid": kid}, sign)


def encoded(part: object) -> str:
    return _text(json.dumps(part).encode())


def _signer(key: Key, algorithm: str) -> Callable[[bytes], bytes]:
    def sign(message: bytes) -> bytes:
        return JWSRegistry.algorithms[algorithm].sign(message, key)

    return sign


def _whole(claims: dict[str, Any], header: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    said = {name: value for name, value in header.items() if value is not None}
    message = f"{encoded(said)}.{encoded(claims)}"
    return f"{message}.{_text(sign(message.encode()))}"


def _text(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")

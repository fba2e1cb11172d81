"""An issuer where people sign in: it takes a code once, from whoever knows how it was begun."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.issuer import URL, FakeIssuer, key_for, signed

CLIENT, SECRET, REDIRECT = "dashboard", "s3cret", "https://gateway.example/ui/oidc/callback"


@dataclass
class FakeSignIn:
    """`said` are claims beside the usual ones; `form` is what the token was last asked with."""

    issuer: FakeIssuer = field(default_factory=lambda: FakeIssuer(keys=[key_for("ES256")]))
    said: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.issuer.described |= {
            "authorization_endpoint": f"{URL}/auth",
            "token_endpoint": f"{URL}/token",
        }

    def consent(self, address: str, code: str = "c0de") -> str:
        """Sign Ann in, who was led to this address; return the `state` that she brings back."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{URL}/auth"
        asked = dict(parse_qsl(parts.query))
        assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT, REDIRECT)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        self.codes[code] = asked
        return asked["state"]

    def send_form(
        self, url: str, form: Mapping[str, str], sign_in: tuple[str, str] | None
    ) -> bytes:
        self.form = form
        asked = self.codes.pop(form["code"], None)
        shown = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode()
        if (
            url != f"{URL}/token"
            or sign_in != (CLIENT, SECRET)
            or asked is None
            or form["redirect_uri"] != REDIRECT
            or asked["code_challenge"] != shown.rstrip("=")
        ):
            raise ValueError(f"{url} answers 400")
        claims = {
            "iss": URL,
            "aud": CLIENT,
            "exp": self.now + 300,
            "nonce": asked["nonce"],
            "preferred_username": "ann",
            "groups": ["hpc"],
            "email": "ann@example.org",
        }
        token = signed({**claims, **self.said}, key_for("ES256"), "ES256")
        return json.dumps({"id_token": token, "access_token": "of no use here"}).encode()

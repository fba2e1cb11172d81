"""Letters by Gmail's interface, at stand-ins for it and for what gives tokens."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import HttpSink, serving
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later, Never
from waldur_slurm.gateway.post.senders.gmail import Gmail

FROM = "slurm@hpc.example.org"
USER = {
    "type": "authorized_user",
    "client_id": "id",
    "client_secret": "of-the-client",
    "refresh_token": "1//fresh",
}
NOW = 1_796_029_200


class Google:
    """Both of its servers, and a clock of ours."""

    def __init__(self, api: HttpSink, tokens: HttpSink, path: Path) -> None:
        self.api, self.tokens, self.path = api, tokens, path
        self.now = NOW
        tokens.body = b'{"access_token": "ya29.token", "expires_in": 3599}'
        self.gmail = Gmail(
            path,
            FROM,
            api=f"http://127.0.0.1:{api.port}/send",
            tokens=f"http://127.0.0.1:{tokens.port}/token",
            clock=lambda: self.now,
        )

    def knows(self, credentials: Any) -> None:
        self.path.write_text(json.dumps(credentials), encoding="utf-8")


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    with serving() as api, serving() as tokens:
        made = Google(api, tokens, tmp_path / "credentials.json")
        made.knows(USER)
        yield made


def note(**parameters: str) -> Letter:
    return letter(method=Method.GMAIL, parameters={"recipient": "ann@example.org", **parameters})


def test_a_letter_is_a_message_of_the_user_who_allowed_it(google: Google) -> None:
    assert google.gmail.send(note(body="{name} is done")) == Delivered()

    (asked,), (sent,) = google.tokens.heard, google.api.heard
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["id"],
        "client_secret": ["of-the-client"],
        "refresh_token": ["1//fresh"],
    }
    assert sent.headers["authorization"] == "Bearer ya29.token"
    message = message_from_bytes(urlsafe_b64decode(json.loads(sent.body)["raw"]))
    assert (message["From"], message["To"]) == (FROM, "ann@example.org")
    assert message["Message-ID"] == "<one@hpc.example.org>"
    assert str(message.get_payload()).startswith("fit is done")


def test_a_token_serves_for_as_long_as_it_lasts(google: Google) -> None:
    for passed_s in (0, 3500, 3600):
        google.now = NOW + passed_s
        google.gmail.send(note())

    assert (len(google.tokens.heard), len(google.api.heard)) == (2, 3)


def test_a_service_signs_that_it_sends_as_the_sender(google: Google) -> None:
    key = RSAKey.generate_key(2048)
    pem = key.as_pem(private=True).decode()
    google.knows(
        {"type": "service_account", "client_email": "post@x.iam.example.org", "private_key": pem}
    )

    assert google.gmail.send(note()) == Delivered()

    form = parse_qs(google.tokens.heard[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(form["assertion"][0], key, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["sub"]) == ("post@x.iam.example.org", FROM)
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 3600)
    assert claims["scope"] == "https://www.googleapis.com/auth/gmail.send"


@pytest.mark.parametrize(
    "credentials",
    [{}, [], {"type": "other"}, {"type": "authorized_user"}, "x",
     {"type": "service_account", "client_email": "a@b", "private_key": "no key"}],
)  # fmt: skip
def test_a_file_that_is_none_of_googles_keeps_the_letter(google: Google, credentials: Any) -> None:
    google.knows(credentials)

    outcome = google.gmail.send(note())

    assert isinstance(outcome, Later)
    assert "no file of Google's credentials" in outcome.why
    assert google.tokens.heard == []


def test_a_token_that_is_refused_says_why_and_tells_no_secret(google: Google) -> None:
    google.tokens.status, google.tokens.body = 400, b'{"error": "invalid_grant"}'

    outcome = google.gmail.send(note())

    assert outcome == Later("Google gives no token: 400 invalid_grant")
    assert google.api.heard == []


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Never), (401, Later), (403, Later), (429, Later), (500, Later)]
)
def test_gmails_status_decides_whether_it_is_tried_again(
    google: Google, status: int, kind: type
) -> None:
    google.api.status, google.api.body = status, b'{"error": {"message": "words of Gmail"}}'

    outcome = google.gmail.send(note())

    assert isinstance(outcome, kind)
    assert getattr(outcome, "why", "") == f"Gmail answers {status}: words of Gmail"


def test_a_token_that_gmail_does_not_take_any_more_is_fetched_anew(google: Google) -> None:
    google.api.status = 401
    google.gmail.send(note())
    google.api.status = 200

    assert google.gmail.send(note()) == Delivered()
    assert len(google.tokens.heard) == 2


def test_a_line_break_in_a_header_is_refused_for_good(google: Google) -> None:
    assert isinstance(google.gmail.send(note(subject="x\r\nBcc: eve@example.org")), Never)
    assert google.tokens.heard == []

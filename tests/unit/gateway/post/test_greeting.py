"""Whether a way out would take letters, asked without sending one."""

import json
from pathlib import Path

import pytest

from tests.unit.gateway.post.sinks import relaying, serving
from waldur_slurm.gateway.post.port import Unwelcome
from waldur_slurm.gateway.post.senders.gmail import Gmail
from waldur_slurm.gateway.post.senders.slack import Slack
from waldur_slurm.gateway.post.senders.smtp import Login, Security, Smtp

FROM = "slurm@hpc.example.org"


def test_a_relay_greets_and_is_handed_nothing() -> None:
    with relaying() as relay:
        said = Smtp("localhost", relay.port, Security.NONE, FROM, timeout_s=5).greet()

    assert said == f"localhost:{relay.port} greets us"
    assert relay.taken == []


def test_a_relay_that_does_not_know_us_or_is_away_says_so() -> None:
    login = Login("slurm", "wrong")
    with relaying() as relay:
        smtp = Smtp("localhost", relay.port, Security.NONE, FROM, login, timeout_s=5)
        with pytest.raises(Unwelcome, match=f"localhost:{relay.port}"):
            smtp.greet()
    with pytest.raises(Unwelcome, match="refused"):
        Smtp("localhost", relay.port, Security.NONE, FROM, timeout_s=5).greet()


def test_slack_is_asked_whose_token_it_is_and_nothing_is_posted() -> None:
    with serving() as posts, serving() as tests:
        slack = Slack(
            "xoxb-token",
            api=f"http://127.0.0.1:{posts.port}/api/chat.postMessage",
            test_api=f"http://127.0.0.1:{tests.port}/api/auth.test",
        )
        tests.body = b'{"ok": true}'
        assert slack.greet() == "Slack knows the bot"
        tests.body = b'{"ok": false, "error": "invalid_auth"}'
        with pytest.raises(Unwelcome, match="invalid_auth"):
            slack.greet()

    assert posts.heard == []
    assert tests.heard[0].headers["authorization"] == "Bearer xoxb-token"


def test_google_gives_a_token_and_is_sent_nothing(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    with serving() as api, serving() as tokens:
        gmail = Gmail(
            credentials,
            FROM,
            api=f"http://127.0.0.1:{api.port}/send",
            tokens=f"http://127.0.0.1:{tokens.port}/token",
        )
        with pytest.raises(Unwelcome, match="cannot be read"):
            gmail.greet()
        known = {"type": "authorized_user", "client_id": "i", "client_secret": "s"}
        credentials.write_text(json.dumps({**known, "refresh_token": "r"}))
        tokens.body = b'{"access_token": "ya29.token"}'
        assert gmail.greet() == f"Google lets us send as {FROM}"

    assert api.heard == []

"""Letters into channels of Slack."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import requests

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome, Unwelcome
from waldur_slurm.gateway.post.senders.waiting import asked_for_s
from waldur_slurm.gateway.post.words import text

API = "https://slack.com/api/chat.postMessage"
TEST_API = "https://slack.com/api/auth.test"
TIMEOUT_S = 10.0

_FOR_GOOD = frozenset(
    {
        "channel_not_found",
        "invalid_arguments",
        "is_archived",
        "message_limit_exceeded",
        "msg_too_long",
        "no_text",
        "not_in_channel",
        "restricted_action",
    }
)
"""What this very letter is refused for; whatever else is wrong can be mended within the day."""


class Slack:
    def __init__(
        self, token: str, channel: str = "", *, api: str = API, test_api: str = TEST_API
    ) -> None:
        self._token = token
        self._test_api = test_api
        self._channel = channel
        self._api = api

    def greet(self) -> str:
        """Ask Slack whose token it is."""
        try:
            answer = requests.post(
                self._test_api,
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unwelcome(f"Slack does not answer: {error}") from error
        outcome = _outcome(answer.status_code, answer.headers, answer.content)
        if not isinstance(outcome, Delivered):
            raise Unwelcome(outcome.why)
        return "Slack knows the bot"

    def send(self, letter: Letter) -> Outcome:
        channel = letter.parameters.get("channel") or self._channel
        if not channel:
            return Never("it names no channel, and SLACK_CHANNEL is not set")
        try:
            answer = requests.post(
                self._api,
                json={"channel": channel, "text": text(_escaped(letter), has_facts=True)},
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return Later(f"Slack does not answer: {error}")
        return _outcome(answer.status_code, answer.headers, answer.content)


def _outcome(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Slack says 200 to whatever it understood, and in the answer whether it did it."""
    wait_s = asked_for_s(headers.get("Retry-After", ""))
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        said = None
    if not isinstance(said, dict) or (status != 200 and "error" not in said):
        return Later(f"Slack answers {status}", wait_s)
    if status == 200 and said.get("ok") is True:
        return Delivered()
    error = str(said.get("error", ""))[:200]
    why = f"Slack refuses it: {error or 'it does not say why'}"
    return Never(why) if error in _FOR_GOOD else Later(why, wait_s)


def _escaped(letter: Letter) -> Letter:
    """No name of a job calls a whole channel, or is a link; the user's own words may be."""
    facts = letter.facts
    if facts is None:
        return letter
    return replace(letter, facts=replace(facts, name=_plain(facts.name), nodes=_plain(facts.nodes)))


def _plain(found: str) -> str:
    return found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""Letters into channels of Slack, at a stand-in for its API."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.gateway.post.letters import FACTS, letter
from tests.unit.gateway.post.sinks import HttpSink, serving
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later, Never
from waldur_slurm.gateway.post.senders.slack import Slack


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with serving() as found:
        found.body = b'{"ok": true}'
        yield found


def slack(sink: HttpSink, channel: str = "") -> Slack:
    return Slack("xoxb-token", channel, api=f"http://127.0.0.1:{sink.port}/api/chat.postMessage")


def note(**parameters: Any) -> Letter:
    return letter(method=Method.SLACK, parameters=parameters)


def test_a_letter_is_posted_into_the_channel_it_names_else_into_the_sites(sink: HttpSink) -> None:
    assert slack(sink, "#hpc").send(note(channel="#ann", msg="<!here> {name}")) == Delivered()
    assert slack(sink, "#hpc").send(note()) == Delivered()

    own, other = (json.loads(heard.body) for heard in sink.heard)
    assert own["channel"] == "#ann"
    assert own["text"].startswith("<!here> fit\n\nJob:         4711 (fit)\n")
    assert other["channel"] == "#hpc"
    assert sink.heard[0].headers["authorization"] == "Bearer xoxb-token"


def test_a_jobs_name_calls_nobody(sink: HttpSink) -> None:
    hostile = replace(note(channel="#ann"), facts=replace(FACTS, name="<!channel> & <http://x|y>"))

    slack(sink).send(hostile)

    text = json.loads(sink.heard[0].body)["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; &amp; &lt;http://x|y&gt;" in text


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"ok": false, "error": "channel_not_found"}', Never),
        (200, b'{"ok": false, "error": "invalid_auth"}', Later),
        (200, b'{"ok": false}', Later),
        (200, b"[]", Later),
        (200, b"<html>", Later),
        (302, b'{"ok": true}', Later),
        (429, b'{"ok": false, "error": "ratelimited"}', Later),
        (503, b"", Later),
    ],
)
def test_slacks_answer_decides_whether_it_is_tried_again(
    sink: HttpSink, status: int, body: bytes, kind: type
) -> None:
    sink.status, sink.body, sink.headers = status, body, {"Retry-After": "30"}

    outcome = slack(sink).send(note(channel="#ann"))

    assert isinstance(outcome, kind)
    if isinstance(outcome, Later):
        assert outcome.after_s == 30
    assert "xoxb" not in getattr(outcome, "why", "")


def test_without_a_channel_nothing_is_sent(sink: HttpSink) -> None:
    assert isinstance(slack(sink).send(note()), Never)
    assert sink.heard == []


@pytest.mark.fault("a place that letters go to is gone")
def test_a_slack_that_is_not_there_is_asked_again() -> None:
    with serving() as gone:
        pass

    assert isinstance(slack(gone, "#hpc").send(note()), Later)

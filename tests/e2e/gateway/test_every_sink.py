"""One real job, watched by one monitor, told of to every sink that a test can have for real."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.rabbitmq import PASSWORD, USER, Broker
from tests.contract.post.brokers import Real
from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.sandbox.processes import eventually
from tests.unit.gateway.post.sinks import HttpSink, Relay, relaying, serving

SOON_S = 60.0
SECRET = "what-letters-are-signed-with"


@dataclass
class Told:
    """A gateway, and everybody whom it may tell."""

    gateway: ActingGateway
    token: str
    relay: Relay
    hook: HttpSink
    target: HttpSink
    queues: Real
    queue: str

    @property
    def methods(self) -> dict[str, dict[str, str]]:
        return {
            "email": {
                "recipient": "ann@example.org", "sender": "lab@example.org", "body": "{state}!"
            },
            "rabbithq": {"queue": self.queue, "body": "{job_id} {state} {user}"},
            "webhook": {"url": f"http://127.0.0.1:{self.hook.port}/jobs"},
            "apprise": {"target": "ops"},
            "test": {},
        }  # fmt: skip

    def watch(self, job: str, **changes: dict[str, str]) -> Any:
        body = {"job_id": job, "methods": {**self.methods, **changes}}
        return self.gateway.send(self.token, "POST", "/api/v1/monitors", body)


@pytest.fixture
def told(acting_site: ActingSite, rabbitmq: Broker) -> Iterator[Told]:
    with _telling(acting_site, rabbitmq) as found:
        yield found


@contextmanager
def _telling(site: ActingSite, rabbitmq: Broker) -> Iterator[Told]:
    queue = f"portal.{site.place.parent.name}"
    with ExitStack() as stack:
        relay = stack.enter_context(relaying())
        hook, target = (stack.enter_context(serving()) for _ in range(2))
        gateway = stack.enter_context(
            site.running(
                MONITOR_POLLING_INTERVAL="1s",
                SMTP_SERVER="127.0.0.1",
                SMTP_PORT=str(relay.port),
                GATEWAY_SMTP_SECURITY="none",
                GATEWAY_SMTP_FROM="slurm@hpc.example.org",
                RABBITMQ_HOST="127.0.0.1",
                RABBITMQ_PORT=str(rabbitmq.port),
                RABBITMQ_USERNAME=USER,
                RABBITMQ_PASSWORD=PASSWORD,
                GATEWAY_WEBHOOK_SECRET=SECRET,
                GATEWAY_WEBHOOK_NETWORKS="127.0.0.0/8",
                GATEWAY_APPRISE_TARGETS=f"ops=json://127.0.0.1:{target.port}/ops",
                GATEWAY_LETTERS_ALLOWED=(
                    "* may recipient:*@example.org target:ops;"
                    f" token:portal* may queue:{queue} sender:lab@example.org"
                ),
            )
        )
        token = site.token(scopes=f"{SCOPES},monitor:read,monitor:write")
        yield Told(gateway, token, relay, hook, target, Real(rabbitmq), queue)


def test_each_way_is_told_once_and_of_the_same(told: Told) -> None:
    made = told.gateway.submit(told.token, script="#!/bin/sh\nsleep 3\nexit 3\n")
    job = made.json["job_id"]
    watched = told.watch(job)
    assert watched.status == 201, watched.body

    letters = f"/api/v1/monitors/{watched.json['id']}/notifications"

    def are_delivered() -> bool:
        found = told.gateway.send(told.token, "GET", letters).json["letters"]
        return [each["stage"] for each in found] == ["delivered"] * 5

    assert eventually(are_delivered, SOON_S), told.gateway.send(told.token, "GET", letters).body

    (mail,) = told.relay.taken
    (message,) = told.queues.take(told.queue)
    (hooked,), (target,) = told.hook.heard, told.target.heard
    event = json.loads(hooked.body)
    assert mail["From"] == "lab@example.org"
    assert mail.get_content().startswith("FAILED!")
    assert f"Job:         {job} " in mail.get_content()
    assert message.body.decode() == f"{job} FAILED wsat-ann"
    assert (message.headers["job_id"], message.headers["state"]) == (job, "FAILED")
    assert event["job"]["exit_code"] == "3:0"
    assert f"Slurm job {job}" in json.loads(target.body)["title"]
    ids = {mail["Message-ID"][1:].partition("@")[0], message.message_id, event["message_id"]}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rabbithq": {"queue": "payroll"}}, "the queue 'payroll' is not allowed to token:portal"),
        ({"email": {"recipient": "ann@else.example"}}, "the recipient 'ann@else.example'"),
        ({"email": {"recipient": "a@example.org\nBcc: b@example.org"}}, "no e-mail address"),
        ({"apprise": {"target": "json://127.0.0.1:1"}}, "the target 'json://127.0.0.1:1'"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_where_it_is_asked_for(
    told: Told, changes: dict[str, dict[str, str]], says: str
) -> None:
    made = told.gateway.submit(told.token)

    refused = told.watch(made.json["job_id"], **changes)

    assert refused.status == 403, refused.body
    assert says in refused.json["detail"]
    listed = told.gateway.send(told.token, "GET", "/api/v1/monitors")
    assert listed.json["monitors"] == []

"""Builds what sends letters, as the settings say. Nothing here decides anything."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from waldur_slurm.gateway.post.allowed import may_send_as
from waldur_slurm.gateway.post.cycle import Postman
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.port import Letters, Sender
from waldur_slurm.gateway.post.senders.gmail import Gmail
from waldur_slurm.gateway.post.senders.log import Log
from waldur_slurm.gateway.post.senders.slack import Slack
from waldur_slurm.gateway.post.senders.smtp import Login, Smtp
from waldur_slurm.gateway.post.senders.webhook import Webhook
from waldur_slurm.gateway.settings.letters import LetterSettings
from waldur_slurm.telemetry.events import Sink

NEEDS = {
    Method.EMAIL: "SMTP_SERVER",
    Method.GMAIL: "GMAIL_CREDENTIALS_PATH",
    Method.SLACK: "SLACK_BOT_TOKEN",
    Method.WEBHOOK: "GATEWAY_WEBHOOK_SECRET",
}
"""What has to be set for a way to be there."""


def gate_of(told: LetterSettings) -> Gate:
    return Gate(replace(told.allowed, channel=told.slack_channel))


def postman_of(told: LetterSettings, letters: Letters, gate: Gate, tell: Sink) -> Postman:
    senders = dict(_senders(told, gate, tell))
    return Postman(letters, senders, tell, stopped=gate.stopped)


def _senders(told: LetterSettings, gate: Gate, tell: Sink) -> Iterator[tuple[Method, Sender]]:
    yield Method.TEST, Log(tell)
    is_sender = partial(may_send_as, gate.rules)
    if told.smtp_server and told.smtp_from:
        yield (
            Method.EMAIL,
            Smtp(
                told.smtp_server,
                told.smtp_port,
                told.smtp_security,
                told.smtp_from,
                _login(told),
                may_send_as=is_sender,
            ),
        )
    if told.gmail_credentials and told.smtp_from:
        yield Method.GMAIL, Gmail(told.gmail_credentials, told.smtp_from, may_send_as=is_sender)
    if told.slack_token:
        yield Method.SLACK, Slack(told.slack_token.reveal(), told.slack_channel)
    if told.webhook_secret:
        yield Method.WEBHOOK, Webhook(told.webhook_secret.reveal(), told.webhook_networks)


def _login(told: LetterSettings) -> Login | None:
    if told.smtp_username and told.smtp_password:
        return Login(told.smtp_username, told.smtp_password.reveal())
    return None

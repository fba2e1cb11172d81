"""Builds what sends letters, as the settings say. Nothing here decides anything.

Ways that need an extra, or whose libraries are large, are imported where they are set.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.post.allowed import may_send_as
from waldur_slurm.gateway.post.cycle import Postman
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.measuring import Measuring
from waldur_slurm.gateway.post.port import Letters, Sender
from waldur_slurm.gateway.post.senders.log import Log
from waldur_slurm.gateway.post.senders.smtp import Login, Smtp
from waldur_slurm.gateway.post.senders.webhook import Webhook
from waldur_slurm.gateway.settings.letters import LetterSettings, targets
from waldur_slurm.slurm.past.port import History
from waldur_slurm.telemetry.events import Sink
from waldur_slurm.telemetry.redaction import Redaction

AT_ONCE = 1000
"""So many of the newest letters are looked through for jobs to ask for together."""

NEEDS = {
    Method.EMAIL: "SMTP_SERVER",
    Method.GMAIL: "GMAIL_CREDENTIALS_PATH",
    Method.SLACK: "SLACK_BOT_TOKEN",
    Method.RABBITMQ: "RABBITMQ_HOST",
    Method.APPRISE: "GATEWAY_APPRISE_TARGETS",
    Method.WEBHOOK: "GATEWAY_WEBHOOK_SECRET",
}
"""What has to be set for a way to be there."""


def gate_of(told: LetterSettings) -> Gate:
    return Gate(replace(told.allowed, channel=told.slack_channel))


def postman_of(
    told: LetterSettings,
    letters: Letters,
    gate: Gate,
    histories: Callable[[], Mapping[str, History]],
    tell: Sink,
    redact: Redaction,
) -> Postman:
    """`histories` are those of the clusters, by their names."""
    senders = dict(_senders(told, gate, tell))
    measuring = Measuring(histories, lambda: letters.latest(AT_ONCE))
    return Postman(
        letters,
        senders,
        tell,
        stopped=gate.stopped,
        measured=measuring.measured,
        redact=redact,
    )


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
        from waldur_slurm.gateway.post.senders.gmail import Gmail

        yield Method.GMAIL, Gmail(told.gmail_credentials, told.smtp_from, may_send_as=is_sender)
    if told.slack_token:
        from waldur_slurm.gateway.post.senders.slack import Slack

        yield Method.SLACK, Slack(told.slack_token.reveal(), told.slack_channel)
    if told.rabbitmq_host:
        yield Method.RABBITMQ, _rabbitmq(told, told.rabbitmq_host)
    if told.apprise_targets:
        yield Method.APPRISE, _apprise(targets(told.apprise_targets.reveal()))
    if told.webhook_secret:
        yield Method.WEBHOOK, Webhook(told.webhook_secret.reveal(), told.webhook_networks)


def _login(told: LetterSettings) -> Login | None:
    if told.smtp_username and told.smtp_password:
        return Login(told.smtp_username, told.smtp_password.reveal())
    return None


def _rabbitmq(told: LetterSettings, host: str) -> Sender:
    try:
        from waldur_slurm.gateway.post.senders.rabbitmq import Broker, RabbitMq
    except ImportError:
        raise _missing("RABBITMQ_HOST", "rabbitmq") from None
    password = told.rabbitmq_password.reveal() if told.rabbitmq_password else "guest"
    return RabbitMq(
        Broker(
            host,
            told.rabbitmq_port,
            told.rabbitmq_username,
            password,
            told.rabbitmq_path,
            ssl.create_default_context() if told.rabbitmq_tls else None,
        )
    )


def _apprise(named: Mapping[str, Sequence[str]]) -> Sender:
    try:
        from waldur_slurm.gateway.post.senders.apprise import ByApprise
    except ImportError:
        raise _missing("GATEWAY_APPRISE_TARGETS", "apprise") from None
    try:
        return ByApprise(named)
    except ValueError as error:
        raise SettingsError([f"GATEWAY_APPRISE_TARGETS: {error}"]) from None


def _missing(name: str, extra: str) -> SettingsError:
    install = f"pip install 'waldur-slurm-agent[gateway,{extra}]'"
    return SettingsError([f"{name} is set, and what it needs is not installed; {install}"])

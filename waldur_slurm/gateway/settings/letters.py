"""How letters are sent: names that the original knows are its own."""

import re
from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.gateway.doors.networks import Network
from waldur_slurm.gateway.post.allowed import Rules, parse_rules
from waldur_slurm.gateway.post.senders.message import mail_address
from waldur_slurm.gateway.post.senders.smtp import Security
from waldur_slurm.gateway.settings.grants import host, network
from waldur_slurm.gateway.settings.readers import several
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import flag, one_of, token, whole
from waldur_slurm.variables.variable import Secret, variable

_TARGET = re.compile(r"([A-Za-z0-9_.-]{1,64})=([a-z0-9]+://\S+)", re.ASCII)
EVERYBODY = "* may recipient:* target:* hourly:500"
"""Who may ask for letters may hand in jobs as well, and those can write to anybody."""


def sender(text: str) -> str:
    try:
        return mail_address(text)
    except ValueError:
        raise ValueError("one bare e-mail address such as slurm@hpc.example.org") from None


def targets(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for item in text.split():
        match = _TARGET.fullmatch(item)
        if match is None:
            raise ValueError("targets such as ops=mmosts://chat.example.org/TOKEN")
        found[match[1]] = (*found.get(match[1], ()), match[2])
    return found


def secret_targets(text: str) -> Secret:
    targets(text)
    return Secret(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSettings:
    """Typed and checked."""

    smtp_server: str | None = variable(
        "SMTP_SERVER", host, "the relay that takes mail", unset_means="no mail is sent"
    )
    smtp_port: int = variable("SMTP_PORT", whole(1, 65_535), "its port", "587")
    smtp_username: str | None = variable(
        "SMTP_USERNAME", str, "who the gateway is there", unset_means="it does not sign in"
    )
    smtp_password: Secret | None = variable(
        "SMTP_PASSWORD", Secret, "the password that goes with it", is_secret=True
    )
    smtp_security: Security = variable(
        "GATEWAY_SMTP_SECURITY",
        one_of(Security),
        "`starttls`, `tls` from the first byte (often port 465), or `none` where nobody can listen;"
        " the relay's certificate is checked by the system's authorities, or by `SSL_CERT_FILE`",
        "starttls",
    )
    smtp_from: str | None = variable(
        "GATEWAY_SMTP_FROM", sender, "the address that mail comes from, whoever it is about"
    )
    gmail_credentials: Path | None = variable(
        "GMAIL_CREDENTIALS_PATH",
        path,
        "Google's file of credentials, of a user or of a service that may send as"
        " `GATEWAY_SMTP_FROM`",
        unset_means="Gmail's interface is not used",
    )
    slack_token: Secret | None = variable(
        "SLACK_BOT_TOKEN",
        token,
        "a bot's token with `chat:write`",
        is_secret=True,
        unset_means="Slack is told nothing",
    )
    slack_channel: str = variable(
        "SLACK_CHANNEL", str, "the channel for letters that name none", ""
    )
    rabbitmq_host: str | None = variable(
        "RABBITMQ_HOST",
        host,
        "the broker that keeps letters to programs; needs the extra `[rabbitmq]`",
        unset_means="no queue gets anything",
    )
    rabbitmq_port: int = variable("RABBITMQ_PORT", whole(1, 65_535), "its port", "5672")
    rabbitmq_username: str = variable("RABBITMQ_USERNAME", str, "who the gateway is there", "guest")
    rabbitmq_password: Secret | None = variable(
        "RABBITMQ_PASSWORD",
        Secret,
        "the password that goes with it",
        is_secret=True,
        unset_means="`guest`",
    )
    rabbitmq_path: str = variable("RABBITMQ_PATH", str, "the virtual host", "/")
    rabbitmq_tls: bool = variable(
        "GATEWAY_RABBITMQ_TLS",
        flag,
        "whether it is spoken to by TLS, often at port 5671; otherwise whoever listens on the way"
        " reads letters and the password",
        "false",
    )
    apprise_targets: Secret | None = variable(
        "GATEWAY_APPRISE_TARGETS",
        secret_targets,
        "places that letters may go to by Apprise, `NAME=URL` separated by blanks, as in"
        " `ops=mmosts://chat.example.org/TOKEN`; several URLs of one name are told each. Letters"
        " name the name; needs the extra `[apprise]`",
        is_secret=True,
        unset_means="there are none",
    )
    webhook_secret: Secret | None = variable(
        "GATEWAY_WEBHOOK_SECRET",
        token,
        "what letters to programs are signed with, HMAC-SHA256 in `X-Signature-256`",
        is_secret=True,
        unset_means="no program is told anything",
    )
    webhook_networks: tuple[Network, ...] = variable(
        "GATEWAY_WEBHOOK_NETWORKS",
        several(network),
        "networks that are not public and may be told all the same, also without TLS",
        "",
    )

    allowed: Rules = variable(
        "GATEWAY_LETTERS_ALLOWED",
        parse_rules,
        "who may have letters sent where, in sentences such as `token:portal* may"
        " recipient:*@example.org sender:portal@example.org channel:#hpc queue:jobs"
        " exchange:events/* target:ops hourly:2000`; who it is is what the audit calls him, `*` is"
        " everybody, and sentences add up. Channels (but `SLACK_CHANNEL`), queues, exchanges and"
        " senders that are not named are nobody's",
        EVERYBODY,
    )

    @property
    def are_sent(self) -> bool:
        return any(
            (
                self.smtp_server,
                self.gmail_credentials,
                self.slack_token,
                self.rabbitmq_host,
                self.apprise_targets,
                self.webhook_secret,
            )
        )

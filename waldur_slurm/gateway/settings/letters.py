"""How letters are sent: names that the original knows are its own."""

from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.gateway.doors.networks import Network
from waldur_slurm.gateway.post.allowed import Rules, parse_rules
from waldur_slurm.gateway.post.senders.message import mail_address
from waldur_slurm.gateway.post.senders.smtp import Security
from waldur_slurm.gateway.settings.grants import host, network
from waldur_slurm.gateway.settings.readers import several
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import one_of, token, whole
from waldur_slurm.variables.variable import Secret, variable

EVERYBODY = "* may recipient:* target:* hourly:500"
"""Who may ask for letters may hand in jobs as well, and those can write to anybody."""


def sender(text: str) -> str:
    try:
        return mail_address(text)
    except ValueError:
        raise ValueError("one bare e-mail address such as slurm@hpc.example.org") from None


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
            (self.smtp_server, self.gmail_credentials, self.slack_token, self.webhook_secret)
        )

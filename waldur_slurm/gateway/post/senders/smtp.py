"""Letters by e-mail. The same letter is the same message, `Message-ID` included, however often."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome
from waldur_slurm.gateway.post.words import subject, text

TIMEOUT_S = 20.0

_SEVEN_BIT = SMTP.clone(cte_type="7bit")

_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""One bare address; whatever could begin another one, or another header, is none."""


class Security(StrEnum):
    """How what is sent is kept from others on the way."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str


class Smtp:
    """One relay; a letter has a connection of its own."""

    def __init__(
        self,
        host: str,
        port: int,
        security: Security,
        sender: str,
        login: Login | None = None,
        *,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._host = host
        self._port = port
        self._security = security
        self._sender = sender
        self._login = login
        self._context = context
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Outcome:
        try:
            message = message_of(letter, self._sender)
        except ValueError as error:
            return Never(str(error))
        try:
            with self._connected() as relay:
                relay.sendmail(self._sender, [message["To"]], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return _refused(f"{message['To']} is refused", code, words)
        except smtplib.SMTPDataError as error:
            return _refused("the message is refused", error.smtp_code, error.smtp_error)
        except smtplib.SMTPResponseException as error:
            return Later(_told(f"{self._host} refuses us", error.smtp_code, error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            return Later(f"{self._host}:{self._port}: {error}")
        return Delivered()

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Once a message is taken, nothing that goes wrong afterwards takes it back."""
        relay = self._connect()
        try:
            if self._security is Security.STARTTLS:
                relay.starttls(context=self._context or ssl.create_default_context())
            if self._login:
                relay.login(self._login.user, self._login.password)
            yield relay
            with suppress(OSError, smtplib.SMTPException):
                relay.quit()
        finally:
            relay.close()

    def _connect(self) -> smtplib.SMTP:
        if self._security is Security.TLS:
            context = self._context or ssl.create_default_context()
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._timeout_s, context=context
            )
        return smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """Write the message; raises `ValueError` for what would be more than one header or address."""
    message = EmailMessage(policy=_SEVEN_BIT)
    message["From"] = mail_address(sender)
    message["To"] = mail_address(letter.parameters.get("recipient", ""))
    if letter.parameters.get("sender"):
        message["Reply-To"] = mail_address(letter.parameters["sender"])
    message["Subject"] = _one_line(subject(letter))
    message["Date"] = format_datetime(letter.made)
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text(letter, has_facts=True), charset="utf-8")
    return message


def mail_address(found: str) -> str:
    if len(found) <= 254 and found.isascii() and _ADDRESS.fullmatch(found):
        return found
    raise ValueError(f"{found[:80]!a} is no e-mail address, such as ann@example.org")


def _one_line(found: str) -> str:
    if found.isprintable():
        return found
    raise ValueError(f"the subject is not one line of text: {found[:80]!a}")


def _refused(what: str, code: int, words: bytes | str) -> Outcome:
    why = _told(what, code, words)
    return Never(why) if code >= 500 else Later(why)


def _told(what: str, code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{what}: {code} {said[:500]}"

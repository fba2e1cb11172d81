"""Letters by e-mail, at the site's own relay."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome, Unwelcome
from waldur_slurm.gateway.post.senders.message import MaySendAs, message_of, nobody

TIMEOUT_S = 20.0


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
        may_send_as: MaySendAs = nobody,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._host = host
        self._port = port
        self._security = security
        self._sender = sender
        self._login = login
        self._may_send_as = may_send_as
        self._context = context
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Outcome:
        try:
            message = message_of(letter, self._sender, self._may_send_as)
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

    def greet(self) -> str:
        """Come as far as a letter would begin."""
        where = f"{self._host}:{self._port}"
        try:
            with self._connected() as relay:
                relay.noop()
        except smtplib.SMTPResponseException as error:
            why = _told(f"{where} refuses us", error.smtp_code, error.smtp_error)
            raise Unwelcome(why) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unwelcome(f"{where}: {error}") from error
        return f"{where} greets us" + (f", and knows {self._login.user}" if self._login else "")

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


def _refused(what: str, code: int, words: bytes | str) -> Outcome:
    why = _told(what, code, words)
    return Never(why) if code >= 500 else Later(why)


def _told(what: str, code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{what}: {code} {said[:500]}"

"""Letters into queues of RabbitMQ: kept on the broker's disk, or not taken.

pika is an extra: the composition root imports this module where a broker is named, and nobody else
knows pika. A letter has a connection of its own.
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pika  # type: ignore[import-untyped]
from pika.adapters.utils.connection_workflow import (  # type: ignore[import-untyped]
    AMQPConnectorException,
)
from pika.exceptions import (  # type: ignore[import-untyped]
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome, Unwelcome
from waldur_slurm.gateway.post.senders.event import body_of
from waldur_slurm.gateway.post.words import text

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it tells, a letter's last words tell

TIMEOUT_S = 15.0
_LONGEST_NAME = 255
_ON_DISK = 2
_NOT_FOUND, _NOT_ALLOWED = 404, 403


@dataclass(frozen=True, slots=True)
class Broker:
    """`path` is the virtual host; with a `context` everything goes by TLS."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    path: str = "/"
    context: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a letter goes: the exchange without a name leads to the queue that `key` names."""

    queue: str
    exchange: str
    key: str


class RabbitMq:
    def __init__(self, broker: Broker, *, timeout_s: float = TIMEOUT_S) -> None:
        self._broker = broker
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Outcome:
        try:
            address = _address_of(letter)
        except ValueError as error:
            return Never(str(error))
        try:
            with self._connected() as connection:
                if address.queue:
                    _ensure_queue(connection, address.queue)
                _publish(connection, address, letter)
        except UnroutableError:
            return Later(_no_way(address))
        except NackError:
            return Later(f"{self._broker} did not take it; a queue may be full")
        except ChannelClosedByBroker as error:
            why = f"{self._broker} refuses it: {error.reply_code} {error.reply_text[:500]}"
            return Never(why) if error.reply_code == _NOT_ALLOWED else Later(why)
        except (AMQPError, AMQPConnectorException, OSError) as error:
            return Later(f"{self._broker}: {_words(error)}")
        return Delivered()

    def greet(self) -> str:
        """Connect, sign in, and go again."""
        try:
            with self._connected():
                return f"{self._broker} knows {self._broker.user}"
        except (AMQPError, AMQPConnectorException, OSError) as error:
            raise Unwelcome(f"{self._broker}: {_words(error)}") from error

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Heartbeats end what stands still; what was confirmed is not taken back by the end."""
        broker, patience = self._broker, self._timeout_s
        options = pika.SSLOptions(broker.context, broker.host) if broker.context else None
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                host=broker.host,
                port=broker.port,
                virtual_host=broker.path,
                credentials=pika.PlainCredentials(broker.user, broker.password),
                ssl_options=options,
                heartbeat=max(1, int(patience)),
                socket_timeout=patience,
                stack_timeout=patience,
                blocked_connection_timeout=patience,
            )
        )
        try:
            yield connection
        finally:
            with suppress(AMQPError, OSError):
                connection.close()


def _address_of(letter: Letter) -> Address:
    told = letter.parameters
    queue, exchange = told.get("queue", ""), told.get("exchange", "")
    key = told.get("routing_key", "") or ("" if exchange else queue)
    for name, value in (("queue", queue), ("exchange", exchange), ("routing_key", key)):
        if len(value.encode()) > _LONGEST_NAME:
            raise ValueError(f"its {name} is longer than {_LONGEST_NAME} bytes")
    if not key and not exchange:
        raise ValueError("it names neither a queue nor a routing_key")
    return Address(queue, exchange, key)


def _ensure_queue(connection: Any, queue: str) -> None:
    """Take a queue as it is; make one that outlives the broker where there is none.

    The broker closes the channel on which it was asked for one that is not there.
    """
    try:
        connection.channel().queue_declare(queue, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        connection.channel().queue_declare(queue, durable=True)


def _publish(connection: Any, address: Address, letter: Letter) -> None:
    """Return when the broker has it in a queue; raises where it leads to none."""
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(
        address.exchange,
        address.key,
        body_of(letter) if _is_event(letter) else text(letter, has_facts=False).encode(),
        _properties(letter),
        mandatory=True,
    )


def _properties(letter: Letter) -> Any:
    facts = letter.facts
    headers: dict[str, Any] = {"event": str(letter.event)}
    if facts is not None:
        known = {"job_id": facts.job_id, "state": facts.state, "cluster": facts.cluster}
        headers |= known | ({"uuid": facts.uuid} if facts.uuid else {})
    return pika.BasicProperties(
        content_type="application/json" if _is_event(letter) else "text/plain",
        content_encoding="utf-8",
        delivery_mode=_ON_DISK,
        message_id=letter.message_id,
        timestamp=int(letter.made.timestamp()),
        app_id="slurm-gateway",
        headers=headers,
    )


def _is_event(letter: Letter) -> bool:
    return letter.parameters.get("format") == "json"


def _no_way(address: Address) -> str:
    """Whoever reads a queue may bring it along, and be away: it may lead there within the day."""
    if address.exchange:
        return f"the exchange {address.exchange!a} leads {address.key!a} into no queue"
    return f"there is no queue {address.key!a}, which the routing_key names"


def _words(error: Exception) -> str:
    """Say what happened; what pika raises is often empty, or holds another error."""
    match error:
        case ProbableAuthenticationError():
            return "the user, or the password, is refused"
        case ProbableAccessDeniedError():
            return "the user may not use this RABBITMQ_PATH"
        case ConnectionClosedByBroker():
            return f"{error.reply_code} {error.reply_text[:500]}"
        case AMQPConnectionError(args=(Exception() as below, *_)):
            return _words(below)
        case _:
            pass
    return str(getattr(error, "exception", "") or error)[:500] or type(error).__name__

"""One set of hands on a broker, real or fake: what a test prepares, and what it finds there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pika  # type: ignore[import-untyped]  # it has none
from pika.exceptions import ChannelClosedByBroker  # type: ignore[import-untyped]  # it has none

from sandbox.rabbitmq import PASSWORD, USER
from sandbox.rabbitmq import Broker as Running
from tests.fakes.queues import FakeQueues, Message
from waldur_slurm.gateway.post.port import Sender
from waldur_slurm.gateway.post.senders.rabbitmq import Broker, RabbitMq


class Queues(Protocol):
    @property
    def sender(self) -> Sender: ...

    def make_queue(self, name: str, *, most: int | None = None) -> None:
        """Make one that is not durable; a full one refuses."""
        ...

    def lead(self, exchange: str, key: str, queue: str) -> None: ...

    def take(self, name: str) -> Sequence[Message]: ...

    def was_made_durable(self, name: str) -> bool: ...


@dataclass
class InMemory:
    sender: FakeQueues = field(default_factory=FakeQueues)

    def make_queue(self, name: str, *, most: int | None = None) -> None:
        self.sender.queues[name] = []
        if most is not None:
            self.sender.most[name] = most

    def lead(self, exchange: str, key: str, queue: str) -> None:
        self.sender.exchanges.setdefault(exchange, {})[key] = queue

    def take(self, name: str) -> Sequence[Message]:
        found = [*self.sender.queues[name]]
        self.sender.queues[name].clear()
        return found

    def was_made_durable(self, name: str) -> bool:
        return name in self.sender.made_durable


class Real:
    def __init__(self, running: Running) -> None:
        self._port = running.port
        self.sender = RabbitMq(Broker("127.0.0.1", running.port, USER, PASSWORD), timeout_s=10)

    def make_queue(self, name: str, *, most: int | None = None) -> None:
        full = {} if most is None else {"x-max-length": most, "x-overflow": "reject-publish"}
        with self._channel() as channel:
            channel.queue_declare(name, arguments=full)

    def lead(self, exchange: str, key: str, queue: str) -> None:
        with self._channel() as channel:
            channel.exchange_declare(exchange, "direct")
            channel.queue_bind(queue, exchange, key)

    def take(self, name: str) -> Sequence[Message]:
        with self._channel() as channel:
            return [*iter(lambda: _message(*channel.basic_get(name, auto_ack=True)), None)]

    def was_made_durable(self, name: str) -> bool:
        """A queue that is declared in another way than it is closes the channel."""
        with self._channel() as channel:
            try:
                channel.queue_declare(name, durable=True)
            except ChannelClosedByBroker:
                return False
            return True

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        login = pika.PlainCredentials(USER, PASSWORD)
        where = pika.ConnectionParameters("127.0.0.1", self._port, credentials=login)
        connection = pika.BlockingConnection(where)
        try:
            yield connection.channel()
        finally:
            connection.close()


def _message(method: Any, properties: Any, body: bytes) -> Message | None:
    if method is None:
        return None
    return Message(
        body,
        properties.content_type,
        properties.message_id,
        properties.timestamp,
        properties.delivery_mode == 2,
        properties.headers,
    )

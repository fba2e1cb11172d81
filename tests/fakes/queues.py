"""A broker in memory, held to the real one's promises by `tests/contract/post/test_queues.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.rabbitmq import SEALED
from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome
from waldur_slurm.gateway.post.senders.event import body_of
from waldur_slurm.gateway.post.words import text


class Message(NamedTuple):
    body: bytes
    content_type: str
    message_id: str
    timestamp: int
    is_on_disk: bool
    headers: Mapping[str, object]


@dataclass
class FakeQueues:
    """Queues by their names, and what each exchange leads into them."""

    queues: dict[str, list[Message]] = field(default_factory=dict)
    exchanges: dict[str, dict[str, str]] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    made_durable: set[str] = field(default_factory=set)
    is_gone: bool = False

    def send(self, letter: Letter) -> Outcome:
        told = letter.parameters
        queue, exchange = told.get("queue", ""), told.get("exchange", "")
        key = told.get("routing_key", "") or ("" if exchange else queue)
        if any(len(each.encode()) > 255 for each in (queue, exchange, key)):
            return Never("longer than 255 bytes")
        if not key and not exchange:
            return Never("it names neither a queue nor a routing_key")
        if self.is_gone:
            return Later("refused")
        if queue and queue not in self.queues:
            self.queues[queue] = []
            self.made_durable.add(queue)
        return self._publish(exchange, key, letter)

    def _publish(self, exchange: str, key: str, letter: Letter) -> Outcome:
        if exchange == SEALED:
            return Never("403 ACCESS_REFUSED")
        if exchange and exchange not in self.exchanges:
            return Later("404 NOT_FOUND: no exchange")
        name = self.exchanges[exchange].get(key) if exchange else key
        if name not in self.queues:
            return Later("into no queue" if exchange else "there is no queue")
        if len(self.queues[name]) >= self.most.get(name, 1000):
            return Later("did not take it; a queue may be full")
        self.queues[name].append(_message(letter))
        return Delivered()


def _message(letter: Letter) -> Message:
    is_event = letter.parameters.get("format") == "json"
    headers: dict[str, object] = {"event": str(letter.event)}
    if letter.facts:
        facts = letter.facts
        headers |= {"job_id": facts.job_id, "state": facts.state, "cluster": facts.cluster}
        headers |= {"uuid": facts.uuid} if facts.uuid else {}
    return Message(
        body_of(letter) if is_event else text(letter, has_facts=False).encode(),
        "application/json" if is_event else "text/plain",
        letter.message_id,
        int(letter.made.timestamp()),
        is_on_disk=True,
        headers=headers,
    )

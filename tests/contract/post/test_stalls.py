"""A line to the broker that stands still in the middle holds no letter for long, and loses none."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from uuid import uuid4

from sandbox.rabbitmq import PASSWORD, USER
from sandbox.rabbitmq import Broker as Running
from tests.contract.post.brokers import Real
from tests.unit.gateway.post.letters import letter
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later
from waldur_slurm.gateway.post.senders.rabbitmq import Broker, RabbitMq

BODY = "the line stands still behind this"


@contextmanager
def stalling(port: int) -> Iterator[int]:
    """Carry what is said to that port and back, until the body was said; then carry nothing."""
    is_over = Event()

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(65_536)) and not is_over.is_set():
                if BODY.encode() in data:
                    is_over.set()
                sink.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            client = listener.accept()[0]
            broker = socket.create_connection(("127.0.0.1", port))
            with client, broker:
                back = Thread(target=carry, args=[broker, client], daemon=True)
                back.start()
                carry(client, broker)
                is_gone.wait(60)

        is_gone = Event()
        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        is_gone.set()
        thread.join(10)


def told(queue: str) -> Letter:
    return letter(method=Method.RABBITMQ, parameters={"queue": queue, "body": BODY})


def test_a_letter_whose_confirmation_does_not_come_is_sent_again_by_its_name(
    rabbitmq: Running,
) -> None:
    queue = f"stalled.{uuid4()}"
    with stalling(rabbitmq.port) as port:
        outcome = RabbitMq(Broker("127.0.0.1", port, USER, PASSWORD), timeout_s=2).send(told(queue))
    again = Real(rabbitmq).sender.send(told(queue))

    assert isinstance(outcome, Later)
    assert again == Delivered()
    taken = Real(rabbitmq).take(queue)
    assert {message.message_id for message in taken} == {"one"}
    assert 1 <= len(taken) <= 2

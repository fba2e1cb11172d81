"""Letters into queues: kept by the broker, or said not to be; the real one and the fake alike."""

import json
import socket
import ssl
from dataclasses import replace
from uuid import uuid4

import pytest

from sandbox.rabbitmq import PASSWORD, SEALED, USER
from sandbox.rabbitmq import Broker as Running
from tests.contract.post.brokers import InMemory, Queues, Real
from tests.unit.gateway.post.letters import FACTS, NOW, letter
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Unwelcome
from waldur_slurm.gateway.post.senders.rabbitmq import Broker, RabbitMq


@pytest.fixture(params=["fake", "rabbitmq"])
def queues(request: pytest.FixtureRequest) -> Queues:
    return InMemory() if request.param == "fake" else Real(request.getfixturevalue("rabbitmq"))


@pytest.fixture
def name() -> str:
    return f"jobs.{uuid4()}"


def told(**parameters: str) -> Letter:
    return letter(method=Method.RABBITMQ, parameters=parameters)


def test_a_letter_lies_in_its_queue_as_it_was_written(queues: Queues, name: str) -> None:
    body = 'Grüße,\n\t{user}! {"state": "{state}"} \x00 {other}'
    facts = replace(FACTS, uuid="123e4567-e89b-12d3-a456-426614174000")

    assert queues.sender.send(replace(told(queue=name, body=body), facts=facts)) == Delivered()

    (message,) = queues.take(name)
    assert message.body.decode() == 'Grüße,\n\tann! {"state": "COMPLETED"} \x00 {other}'
    assert (message.content_type, message.message_id) == ("text/plain", "one")
    assert message.timestamp == int(NOW.timestamp())
    assert message.is_on_disk
    assert message.headers == {
        "job_id": "4711",
        "uuid": "123e4567-e89b-12d3-a456-426614174000",
        "state": "COMPLETED",
        "event": "terminal",
        "cluster": "lab",
    }


def test_a_queue_that_is_not_there_is_made_to_last(queues: Queues, name: str) -> None:
    assert queues.sender.send(told(queue=name)) == Delivered()

    assert queues.was_made_durable(name)
    (message,) = queues.take(name)
    assert message.body.decode().startswith("Slurm job 4711 (fit) of ann ended: COMPLETED")


def test_a_queue_that_is_there_is_taken_as_it_is(queues: Queues, name: str) -> None:
    queues.make_queue(name)

    assert queues.sender.send(told(queue=name)) == Delivered()

    assert not queues.was_made_durable(name)
    assert len(queues.take(name)) == 1


def test_a_program_gets_the_event_as_an_object(queues: Queues, name: str) -> None:
    assert queues.sender.send(told(queue=name, format="json", body="hi")) == Delivered()

    (message,) = queues.take(name)
    event = json.loads(message.body)
    assert message.content_type == "application/json"
    assert (event["message_id"], event["event"], event["text"]) == ("one", "terminal", "hi")
    assert event["job"]["job_id"] == "4711"
    assert event["job"]["efficiency"]["cpu"] == 0.42


def test_an_exchange_leads_a_letter_into_the_queue_that_it_knows(queues: Queues, name: str) -> None:
    queues.make_queue(name)
    queues.lead(f"x.{name}", "job.ended", name)
    asked = told(exchange=f"x.{name}", routing_key="job.ended", body="hi")

    assert queues.sender.send(asked) == Delivered()
    assert [message.body for message in queues.take(name)] == [b"hi"]


@pytest.mark.parametrize("key", ["nowhere", ""])
def test_a_letter_that_leads_into_no_queue_is_not_taken_for_delivered(
    queues: Queues, name: str, key: str
) -> None:
    """As the original's canned letter is: a queue, and a routing key that is none."""
    queues.make_queue(name)
    queues.lead(f"x.{name}", "job.ended", name)

    outcome = queues.sender.send(told(queue=name, exchange=f"x.{name}", routing_key=key))

    assert isinstance(outcome, Later)
    assert "into no queue" in outcome.why
    outcome = queues.sender.send(told(queue=name, routing_key=f"other.{name}"))
    assert isinstance(outcome, Later)
    assert "there is no queue" in outcome.why
    assert queues.take(name) == []


def test_an_exchange_that_is_not_there_may_come(queues: Queues, name: str) -> None:
    outcome = queues.sender.send(told(exchange=f"x.{name}", routing_key="k"))

    assert isinstance(outcome, Later)
    assert "404" in outcome.why


def test_a_queue_that_is_full_is_tried_again(queues: Queues, name: str) -> None:
    queues.make_queue(name, most=1)
    assert queues.sender.send(told(queue=name)) == Delivered()

    outcome = queues.sender.send(told(queue=name))

    assert isinstance(outcome, Later)
    assert "full" in outcome.why
    assert len(queues.take(name)) == 1


def test_what_the_broker_forbids_is_refused_for_good(queues: Queues) -> None:
    outcome = queues.sender.send(told(exchange=SEALED, routing_key="k"))

    assert isinstance(outcome, Never)
    assert "403" in outcome.why


@pytest.mark.parametrize("field", ["queue", "exchange", "routing_key"])
def test_names_that_the_wire_cannot_carry_are_refused_for_good(queues: Queues, field: str) -> None:
    outcome = queues.sender.send(told(**{"routing_key": "k", field: "ö" * 128}))

    assert isinstance(outcome, Never)
    assert "255" in outcome.why


def test_a_letter_without_an_address_is_refused_for_good(queues: Queues) -> None:
    outcome = queues.sender.send(told(body="hi"))

    assert isinstance(outcome, Never)
    assert "neither a queue nor a routing_key" in outcome.why


def test_a_letter_to_try_it_has_no_job_in_its_headers(queues: Queues, name: str) -> None:
    trial = replace(told(queue=name), event=Occasion.TRIAL, facts=None)

    assert queues.sender.send(trial) == Delivered()

    (message,) = queues.take(name)
    assert message.headers == {"event": "trial"}


def test_a_broker_whose_password_is_another_gets_no_letter(rabbitmq: Running) -> None:
    outcome = at(rabbitmq, password="guessed").send(told(queue="q"))

    assert outcome == Later(f"127.0.0.1:{rabbitmq.port}: the user, or the password, is refused")


def test_a_virtual_host_that_is_not_there_may_come(rabbitmq: Running) -> None:
    outcome = at(rabbitmq, path="/other").send(told(queue="q"))

    assert isinstance(outcome, Later)
    assert "RABBITMQ_PATH" in outcome.why


@pytest.mark.fault("a place that letters go to is gone")
def test_a_broker_that_is_not_there_is_asked_again(own_port: int) -> None:
    outcome = RabbitMq(Broker("127.0.0.1", own_port, USER, PASSWORD)).send(told(queue="q"))

    assert isinstance(outcome, Later)
    assert f"127.0.0.1:{own_port}: " in outcome.why
    assert "refused" in outcome.why


def test_a_broker_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = RabbitMq(Broker("127.0.0.1", port, USER, PASSWORD), timeout_s=1)

        outcome = silent.send(told(queue="q"))

    assert isinstance(outcome, Later)
    assert PASSWORD not in outcome.why


def test_a_letter_goes_by_tls_to_a_broker_that_proves_its_name(
    rabbitmq: Running, name: str
) -> None:
    certificate = ssl.create_default_context(cafile=str(rabbitmq.directory / "localhost.pem"))
    proven = Broker("localhost", rabbitmq.tls_port, USER, PASSWORD, context=certificate)
    strange = replace(proven, context=ssl.create_default_context())

    assert RabbitMq(proven).send(told(queue=name)) == Delivered()
    outcome = RabbitMq(strange).send(told(queue=name))

    assert isinstance(outcome, Later)
    assert "certificate" in outcome.why
    assert len(Real(rabbitmq).take(name)) == 1


def test_what_is_secret_is_in_no_words(rabbitmq: Running) -> None:
    assert PASSWORD not in repr(Broker("localhost", rabbitmq.port, USER, PASSWORD))


def at(running: Running, password: str = PASSWORD, path: str = "/") -> RabbitMq:
    return RabbitMq(Broker("127.0.0.1", running.port, USER, password, path))


def test_a_broker_that_knows_us_greets_and_is_handed_nothing(rabbitmq: Running) -> None:
    def greeted(password: str) -> str:
        return RabbitMq(Broker("127.0.0.1", rabbitmq.port, USER, password), timeout_s=5).greet()

    assert greeted(PASSWORD) == f"127.0.0.1:{rabbitmq.port} knows {USER}"
    with pytest.raises(Unwelcome, match=r"127\.0\.0\.1"):
        greeted("wrong")

"""Letters by e-mail, at a real relay."""

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.unit.gateway.post.letters import FACTS, NOW, letter
from tests.unit.gateway.post.sinks import (
    Certificate,
    Relay,
    accepting,
    make_certificate,
    relaying,
)
from waldur_slurm.gateway.post.port import Delivered, Later, Never
from waldur_slurm.gateway.post.senders.smtp import Login, Security, Smtp

FROM = "slurm@hpc.example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def relay() -> Iterator[Relay]:
    with relaying() as found:
        yield found


def plain(relay: Relay, **options: Any) -> Smtp:
    return Smtp("localhost", relay.port, Security.NONE, FROM, timeout_s=5, **options)


def test_a_letter_is_a_whole_message(relay: Relay) -> None:
    body = "Grüße, {user}!\n.\nFrom here on: {state}\n"
    own = letter(
        parameters={"recipient": "ann@example.org", "body": body, "subject": "Größe {name}"}
    )

    assert plain(relay).send(own) == Delivered()

    (message,) = relay.taken
    assert (message["From"], message["To"]) == (FROM, "ann@example.org")
    assert message["Subject"] == "Größe fit"
    assert message["Message-ID"] == "<one@hpc.example.org>"
    assert message["Date"].datetime == NOW
    text = message.get_content().replace("\r\n", "\n")
    assert text.startswith("Grüße, ann!\n.\nFrom here on: COMPLETED\n\n\nJob:         4711 (fit)\n")
    assert relay.envelopes[0].rcpt_tos == ["ann@example.org"]


def test_the_same_letter_sent_again_is_the_same_message(relay: Relay) -> None:
    for _ in range(2):
        plain(relay).send(letter())

    first, second = relay.taken
    assert first.as_bytes() == second.as_bytes()


def test_answers_go_to_whom_the_user_named_as_sender(relay: Relay) -> None:
    plain(relay).send(letter(parameters={"recipient": "ann@example.org", "sender": "lab@x.org"}))

    assert (relay.taken[0]["From"], relay.taken[0]["Reply-To"]) == (FROM, "lab@x.org")


def test_mail_comes_from_a_sender_who_is_allowed_to_its_owner(relay: Relay) -> None:
    sender = plain(relay, may_send_as=lambda owner, _address: owner == "token:lab")
    parameters = {"recipient": "ann@example.org", "sender": "lab@x.org"}

    for owner in ("token:lab", "token:other"):
        assert sender.send(letter(owner=owner, parameters=parameters)) == Delivered()

    assert [(each["From"], each["Reply-To"]) for each in relay.taken] == [
        ("lab@x.org", None),
        (FROM, "lab@x.org"),
    ]
    assert {each.mail_from for each in relay.envelopes} == {FROM}


@pytest.mark.parametrize("field", ["recipient", "sender", "subject"])
@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\0"])
def test_a_line_break_in_any_header_is_refused_for_good(
    relay: Relay, field: str, line_break: str
) -> None:
    injected = f"a@example.org{line_break}Bcc: eve@example.org"
    parameters = {"recipient": "ann@example.org", field: injected}

    assert isinstance(plain(relay).send(letter(parameters=parameters)), Never)
    assert relay.taken == []


def test_a_jobs_name_never_makes_a_header(relay: Relay) -> None:
    hostile = letter(facts=replace(FACTS, name="x\r\nBcc: eve@example.org"))

    assert plain(relay).send(hostile) == Delivered()
    assert relay.taken[0]["Bcc"] is None
    assert relay.envelopes[0].rcpt_tos == ["ann@example.org"]


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@example.org, eve@example.org",
        "ann@example.org;eve@example.org",
        "Ann <ann@example.org>",
        "ann@example.org>",
        "a b@example.org",
        "ann@eve@example.org",
        "änn@example.org",
        "-" * 250 + "@example.org",
    ],
)
def test_what_is_not_one_address_is_refused_for_good(relay: Relay, recipient: str) -> None:
    outcome = plain(relay).send(letter(parameters={"recipient": recipient}))

    assert isinstance(outcome, Never)
    assert "no e-mail address" in outcome.why
    assert relay.taken == []


def test_starttls_hides_the_password_and_the_letter(certificate: Certificate) -> None:
    options = {
        "tls_context": certificate.server(),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": accepting("post", "secret-of-the-post"),
    }
    with relaying(**options) as relay:
        sender = Smtp(
            "localhost",
            relay.port,
            Security.STARTTLS,
            FROM,
            Login("post", "secret-of-the-post"),
            context=certificate.client(),
        )
        stranger = Smtp(
            "localhost",
            relay.port,
            Security.STARTTLS,
            FROM,
            Login("post", "guessed"),
            context=certificate.client(),
        )

        assert sender.send(letter()) == Delivered()
        refused = stranger.send(letter())

        assert relay.were_private == [True]
    assert isinstance(refused, Later)
    assert "535" in refused.why
    assert "guessed" not in refused.why


def test_tls_from_the_first_byte(certificate: Certificate) -> None:
    with relaying(ssl_context=certificate.server()) as relay:
        sender = Smtp(
            "localhost", relay.port, Security.TLS, FROM, context=certificate.client(), timeout_s=5
        )

        assert sender.send(letter()) == Delivered()
        assert len(relay.taken) == 1


def test_a_relay_that_cannot_prove_its_name_gets_no_letter(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path, "other.example.org")
    with relaying(tls_context=certificate.server(), require_starttls=True) as relay:
        for context in (ssl.create_default_context(), other.client()):
            sender = Smtp("localhost", relay.port, Security.STARTTLS, FROM, context=context)

            outcome = sender.send(letter())

            assert isinstance(outcome, Later)
            assert "certificate" in outcome.why
        assert relay.taken == []


def test_a_relay_that_offers_no_tls_gets_no_letter(relay: Relay) -> None:
    outcome = Smtp("localhost", relay.port, Security.STARTTLS, FROM).send(letter())

    assert isinstance(outcome, Later)
    assert "STARTTLS" in outcome.why
    assert relay.taken == []


@pytest.mark.parametrize("attribute", ["to_recipient", "to_message"])
@pytest.mark.parametrize(
    ("says", "kind"), [("550 no such user", Never), ("451 try again", Later), ("421 busy", Later)]
)
def test_what_the_relay_says_decides_whether_it_is_tried_again(
    relay: Relay, attribute: str, says: str, kind: type
) -> None:
    setattr(relay, attribute, says)

    outcome = plain(relay).send(letter())

    assert isinstance(outcome, kind)
    assert says.partition(" ")[2] in getattr(outcome, "why", "")


@pytest.mark.fault("a place that letters go to is gone")
def test_a_relay_that_is_not_there_is_asked_again(own_port: int) -> None:
    outcome = Smtp("localhost", own_port, Security.NONE, FROM).send(letter())

    assert isinstance(outcome, Later)
    assert re.match(rf"localhost:{own_port}: .*refused", outcome.why)


def test_a_message_that_is_taken_is_delivered_whatever_comes_after() -> None:
    """The relay breaks off where QUIT would be answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def relay_once() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb", buffering=0) as line:
                line.write(b"220 here\r\n")
                for answer in (b"250 hello", b"250 from", b"250 to", b"354 go"):
                    line.readline()
                    line.write(answer + b"\r\n")
                while line.readline() != b".\r\n":
                    pass
                line.write(b"250 taken\r\n")

        thread = Thread(target=relay_once)
        thread.start()
        port = listener.getsockname()[1]
        outcome = Smtp("localhost", port, Security.NONE, FROM, timeout_s=5).send(letter())
        thread.join()

    assert outcome == Delivered()

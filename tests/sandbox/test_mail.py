"""The relay of the sandbox takes letters as any relay does, and keeps them whole."""

import smtplib
from email.message import EmailMessage

from sandbox.mail import Relay


def test_a_letter_is_kept_as_it_was_sent() -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "a@example.org", "b@example.org", "Größe"
    letter.set_content("one\n.\n.two\n")

    with Relay() as relay, smtplib.SMTP("127.0.0.1", relay.port, timeout=5) as client:
        client.send_message(letter)

        kept = relay.taken.get(timeout=5)

    assert (kept["To"], kept["Subject"]) == ("b@example.org", "Größe")
    assert kept.get_content().replace("\r\n", "\n") == "one\n.\n.two\n"

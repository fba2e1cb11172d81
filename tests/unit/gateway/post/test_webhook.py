"""Letters to programs: signed, and to the address that was judged alone."""

import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import Certificate, HttpSink, make_certificate, serving
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later, Never
from waldur_slurm.gateway.post.senders import webhook
from waldur_slurm.gateway.post.senders.webhook import Webhook

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "portal.example.org")


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with serving() as found:
        yield found


def to(url: str) -> Letter:
    return letter(method=Method.WEBHOOK, parameters={"url": url, "body": "{name} is done"})


def allowed(**options: Any) -> Webhook:
    return Webhook("key", LOOPBACK, clock=lambda: 1_796_029_200.7, **options)


@dataclass
class Names:
    """A resolver that gives one answer after the other, then the last one for ever."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_a_program_is_told_what_happened_and_can_check_who_says_so(sink: HttpSink) -> None:
    outcome = allowed().send(to(f"http://127.0.0.1:{sink.port}/jobs?of=ann"))

    assert outcome == Delivered()
    (heard,) = sink.heard
    told = json.loads(heard.body)
    assert heard.path == "/jobs?of=ann"
    assert heard.headers["host"] == f"127.0.0.1:{sink.port}"
    assert (told["message_id"], told["event"], told["text"]) == ("one", "terminal", "fit is done")
    assert told["job"]["state"] == "COMPLETED"
    assert told["job"]["efficiency"]["cpu"] == 0.42
    assert heard.headers["x-message-id"] == "one"
    assert heard.headers["x-timestamp"] == "1796029200"
    signed = hmac.new(b"key", b"1796029200." + heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["x-signature-256"] == f"sha256={signed}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(204, Delivered), (302, Never), (404, Never), (410, Never), (408, Later), (429, Later),
     (500, Later), (503, Later)],
)  # fmt: skip
def test_the_programs_status_decides_whether_it_is_tried_again(
    sink: HttpSink, status: int, kind: type
) -> None:
    sink.status, sink.headers = status, {"Retry-After": "90", "Location": "http://127.0.0.1/other"}

    outcome = allowed().send(to(f"http://127.0.0.1:{sink.port}/"))

    assert isinstance(outcome, kind)
    assert len(sink.heard) == 1
    if isinstance(outcome, Later):
        assert outcome.after_s == 90


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.1.2.3", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:10.0.0.7", "::ffff:127.0.0.1", "64:ff9b::a00:7", "2002:a00:7::1",
        "64:ff9b:1::a00:7", "::7f00:1", "::ffff:0:7f00:1", "fec0::1", "5f00::1", "100:0:0:1::1",
    ],
)  # fmt: skip
def test_no_address_of_the_inside_net_is_told_anything(found: str) -> None:
    names = Names([[found]])

    outcome = Webhook("key", resolve=names).send(to("https://portal.example.org/"))

    assert isinstance(outcome, Never)
    assert "not in the public net" in outcome.why


def test_a_public_address_is_told_by_https_alone() -> None:
    outcome = Webhook("key", resolve=Names([["93.184.216.34"]])).send(to("http://example.org/"))

    assert outcome == Never("example.org is told by https alone")


@pytest.mark.parametrize(
    "url",
    ["", "portal", "ftp://example.org/", "https:///x", "https://u:p@example.org/", "https://a b/",
     "https://example.org/\r\nX-Evil: 1", "https://exämple.org/", "https://example.org:0/",
     "https://example.org:99999/", "https://[::1/", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_any_name_is_looked_up(url: str) -> None:
    names = Names([["93.184.216.34"]])

    assert isinstance(Webhook("key", resolve=names).send(to(url)), Never)
    assert names.asked == []


def test_a_name_that_changes_its_address_is_told_at_the_one_that_was_judged(
    certificate: Certificate,
) -> None:
    with serving(certificate) as judged, serving(certificate) as other:
        names = Names([["127.0.0.2"], ["127.0.0.1"]])
        sender = Webhook(
            "key",
            [ip_network("127.0.0.2/32")],
            resolve=names,
            context=certificate.client(),
            timeout_s=5,
        )
        # Nobody listens at 127.0.0.2; at 127.0.0.1, which the name has from now on, somebody does.
        outcome = sender.send(to(f"https://portal.example.org:{judged.port}/"))

        assert isinstance(outcome, Later)
        assert (judged.heard, other.heard) == ([], [])
        assert names.asked == ["portal.example.org"]
        assert isinstance(sender.send(to(f"https://portal.example.org:{judged.port}/")), Never)


def test_of_several_addresses_the_one_that_may_be_told_is_told(certificate: Certificate) -> None:
    with serving(certificate) as sink:
        sender = Webhook(
            "key",
            LOOPBACK,
            resolve=Names([["10.0.0.7", "127.0.0.1"]]),
            context=certificate.client(),
        )

        assert sender.send(to(f"https://portal.example.org:{sink.port}/")) == Delivered()
        assert sink.heard[0].headers["host"] == f"portal.example.org:{sink.port}"


def test_who_cannot_prove_his_name_is_told_nothing(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path, "other.example.org")
    with serving(certificate) as sink:
        for context, host in (
            (ssl.create_default_context(), "portal.example.org"),
            (other.client(), "portal.example.org"),
            (certificate.client(), "evil.example.org"),
        ):
            sender = allowed(resolve=Names([["127.0.0.1"]]), context=context)

            outcome = sender.send(to(f"https://{host}:{sink.port}/"))

            assert isinstance(outcome, Later)
            assert "certificate" in outcome.why
        assert sink.heard == []


def test_a_program_that_answers_too_slowly_is_cut_off(sink: HttpSink) -> None:
    is_over = Event()
    sink.before_answer = lambda: is_over.wait(30)

    outcome = allowed(longest_s=0.2, timeout_s=20).send(to(f"http://127.0.0.1:{sink.port}/"))
    is_over.set()

    assert isinstance(outcome, Later)
    assert len(sink.heard) == 1


def test_a_name_that_is_not_found_is_looked_up_again() -> None:
    def lost(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    outcome = Webhook("key", resolve=lost).send(to("https://portal.example.org/"))

    assert outcome == Later("its name is not found: no such name")


def test_the_systems_resolver_is_asked_for_all_addresses() -> None:
    assert "127.0.0.1" in webhook.resolve("127.0.0.1", 80)

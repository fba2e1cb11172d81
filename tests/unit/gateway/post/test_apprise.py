"""Letters to targets that the site named, by Apprise to a real server."""

import json
import socket

import pytest

from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import serving
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later, Never
from waldur_slurm.gateway.post.senders.apprise import ByApprise

pytestmark = pytest.mark.filterwarnings("ignore:'(imghdr|cgi|pipes)' is deprecated")
"""What some of the services that Apprise knows import."""


def to(target: str, **parameters: str) -> Letter:
    return letter(method=Method.APPRISE, parameters={"target": target, **parameters})


def test_a_target_gets_what_happened_and_the_facts() -> None:
    with serving() as sink:
        sender = ByApprise({"ops": [f"json://user:s3cret@127.0.0.1:{sink.port}/jobs"]})

        assert sender.send(to("ops", body="Hi {user}\n<b>&", subject="{name}:\r\nBcc: x")) == (
            Delivered()
        )

    (heard,) = sink.heard
    told = json.loads(heard.body)
    assert heard.path.rstrip("/") == "/jobs"
    assert told["title"] == "fit:  Bcc: x"
    assert told["message"].startswith("Hi ann\n<b>&\n\nJob:         4711 (fit)")


def test_each_url_of_a_name_is_told() -> None:
    with serving() as one, serving() as other:
        urls = [f"json://127.0.0.1:{sink.port}" for sink in (one, other)]

        assert ByApprise({"all": urls}).send(to("all")) == Delivered()

    assert (len(one.heard), len(other.heard)) == (1, 1)


def test_a_target_that_refuses_is_tried_again_and_its_url_stays_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving() as sink:
        sink.status = 403
        sender = ByApprise({"ops": [f"json://user:s3cret@127.0.0.1:{sink.port}/t0ken"]})
        refused = sender.send(to("ops"))
    gone = sender.send(to("ops"))

    assert refused == gone
    assert isinstance(refused, Later)
    assert "ops" in refused.why
    assert "s3cret" not in refused.why + caplog.text
    assert "t0ken" not in refused.why + caplog.text


@pytest.mark.parametrize("name", ["", "other", "json://127.0.0.1:1", "OPS"])
def test_a_letter_names_a_target_and_never_an_address(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = ByApprise({"ops": [f"json://127.0.0.1:{listener.getsockname()[1]}"]})

        assert isinstance(sender.send(to(name)), Never)


def test_a_url_of_no_service_is_a_mistake_that_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="the URL of ops") as caught:
        ByApprise({"ops": ["nothing-like-it://user:s3cret@host"]})
    assert "s3cret" not in str(caught.value)

"""The seam under the client library, before servers that behave badly."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import AT_ONCE_S
from tests.unit.agent.waldur.servers import Respond, says, scripted
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.waldur.session import ATTEMPTS, PATIENCE_SECONDS, WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds, Exchange

TOKEN = "the-very-secret-token"
ORDER = "1" * 32
QUICK = Bounds(connect=5.0, read=1.0, whole=2.0)


class Client:
    """A session with what it did on the way."""

    def __init__(self, url: str, bounds: Bounds = QUICK, token: str = TOKEN) -> None:
        self.pauses: list[float] = []
        self.exchanges: list[Exchange] = []
        self.session = WaldurSession(
            url,
            token,
            user_agent="waldur-slurm-agent/1 (pull; waldur-site-agent)",
            bounds=bounds,
            observer=self.exchanges.append,
            sleep=self.pauses.append,
        )


def drips(part: bytes, *, head: bytes = b"") -> Respond:
    """One byte every tenth of a second: never late, and done after more than a minute."""

    def respond(_: bytes, connection: socket.socket) -> None:
        connection.sendall(head)
        for place in range(1_000):
            connection.sendall(part[place % len(part) :][:1])
            time.sleep(0.1)

    return respond


def drops(_: bytes, connection: socket.socket) -> None:
    connection.close()


def test_a_request_carries_the_token_and_the_word_that_waldur_knows_agents_by() -> None:
    with scripted(says("{}")) as server:
        Client(server.url).session.get_order(ORDER)
    [request] = server.requests
    assert f"Authorization: token {TOKEN}".encode() in request
    assert b"User-Agent: waldur-slurm-agent/1 (pull; waldur-site-agent)" in request


def test_a_personal_access_token_is_a_bearers() -> None:
    token = "w_1790000000_0123456789abcdef"
    with scripted(says("{}")) as server:
        Client(server.url, token=token).session.get_order(ORDER)
    assert f"Authorization: Bearer {token}".encode() in server.requests[0]


def test_a_netrc_on_the_host_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted(says("{}")) as server:
        Client(server.url).session.get_order(ORDER)
    assert f"Authorization: token {TOKEN}".encode() in server.requests[0]


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"), id="head"),
        pytest.param(
            drips(b"[1,", head=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), id="body"
        ),
        pytest.param(drips(b" ", head=b"HTTP/1.0 200 OK\r\n\r\n"), id="body without a length"),
    ],
)
def test_an_answer_that_drips_ends_at_its_bound(respond: Respond) -> None:
    with scripted(respond) as server:
        client = Client(server.url)
        start = time.monotonic()
        with pytest.raises(WaldurUnreachable, match="took longer than 2 s"):
            client.session.marketplace_order_set_state_done(ORDER)
        assert time.monotonic() - start < AT_ONCE_S


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    with scripted(says('{"uuid": "1"}', length=500)) as server, pytest.raises(WaldurUnreachable):
        Client(server.url).session.get_order(ORDER)


def test_a_refused_connection_is_unreachable_and_says_so_without_the_token() -> None:
    with scripted(says("{}")) as server:
        url = server.url
    with pytest.raises(WaldurUnreachable) as caught:
        Client(url).session.get_order(ORDER)
    assert "Connection refused" in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", ["500 E", "502 E", "503 E", "504 E", "429 E", "408 E"])
def test_not_now_is_asked_again_with_pauses_and_then_given_up(status: str) -> None:
    with scripted(says("<h1>busy</h1>", status)) as server:
        client = Client(server.url, Bounds(connect=1, read=1, whole=30))
        with pytest.raises(WaldurUnreachable, match="busy"):
            client.session.get_order(ORDER)
    assert len(server.requests) == ATTEMPTS
    assert len(client.pauses) == ATTEMPTS - 1


def test_a_read_that_succeeds_at_last_is_an_answer() -> None:
    with scripted(drops, says("", "503 E"), says('{"uuid": "1"}')) as server:
        assert Client(server.url).session.get_order(ORDER) == {"uuid": "1"}


def test_the_server_is_given_the_time_it_asks_for() -> None:
    with scripted(says("", "429 E", Retry_After=17), says("{}")) as server:
        client = Client(server.url)
        client.session.get_order(ORDER)
    assert client.pauses == [17]


def test_a_server_that_asks_for_too_much_time_is_left_to_the_next_cycle() -> None:
    long = int(PATIENCE_SECONDS) + 1
    with scripted(says("", "503 E", Retry_After=long)) as server:
        client = Client(server.url)
        with pytest.raises(WaldurUnreachable):
            client.session.get_order(ORDER)
    assert (len(server.requests), client.pauses) == (1, [])


@pytest.mark.parametrize(
    ("action", "times"),
    [
        ("marketplace_order_approve_by_provider", 1),
        ("marketplace_order_reject_by_provider", 1),
        ("marketplace_order_set_state_done", 1),
        ("marketplace_order_set_state_erred", 1),
        ("marketplace_provider_resource_set_as_ok", ATTEMPTS),
    ],
)
def test_only_a_write_that_overwrites_is_sent_again(action: str, times: int) -> None:
    with scripted(says("", "503 E")) as server:
        client = Client(server.url, Bounds(connect=1, read=1, whole=30))
        with pytest.raises(WaldurUnreachable):
            getattr(client.session, action)(ORDER)
    assert len(server.requests) == times


def test_a_conflict_is_not_asked_again() -> None:
    with scripted(says('{"detail":"Valid states for operation: executing."}', "409 C")) as server:
        client = Client(server.url)
        with pytest.raises(WaldurRejected) as caught:
            client.session.marketplace_order_set_state_done(ORDER)
    assert caught.value.status == 409
    assert caught.value.request == f"POST marketplace-orders/{ORDER}/set_state_done/"
    assert caught.value.said == '{"detail":"Valid states for operation: executing."}'
    assert len(server.requests) == 1


def test_a_page_of_html_is_told_as_one_short_line() -> None:
    page = f"<html><style>b {{}}</style>\n<h1>Not\nFound</h1>{TOKEN}\x1b[31m{'x' * 5000}</html>"
    with (
        scripted(says(page, "404 N", Content_Type="text/html")) as server,
        pytest.raises(WaldurRejected) as caught,
    ):
        Client(server.url).session.get_order(ORDER)
    assert caught.value.said.startswith("Not Found *** [31mxxx")
    assert len(caught.value.said) < 310
    assert caught.value.said.isprintable()


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
@pytest.mark.parametrize("method", ["get_order", "marketplace_order_set_state_done"])
def test_no_redirect_takes_the_token_to_another_origin(status: str, method: str) -> None:
    with (
        scripted(says("{}")) as elsewhere,
        scripted(says("", f"{status} R", Location=elsewhere.url)) as server,
    ):
        with pytest.raises(WaldurUnreachable, match="is redirected"):
            getattr(Client(server.url).session, method)(ORDER)
        assert elsewhere.requests == []


def test_a_read_is_followed_on_its_own_origin_and_a_write_is_not() -> None:
    with scripted(says("", "302 R", Location="/api/there/"), says('{"a": 1}')) as server:
        assert Client(server.url).session.get_order(ORDER) == {"a": 1}
        assert server.lines[-1] == "GET /api/there/ HTTP/1.1"
    with scripted(says("", "307 R", Location="/api/there/"), says("{}")) as server:
        with pytest.raises(WaldurUnreachable, match="a write is not repeated"):
            Client(server.url).session.marketplace_order_set_state_done(ORDER)
        assert len(server.requests) == 1


def test_redirects_in_circles_end() -> None:
    with (
        scripted(says("", "302 R", Location="/api/again/")) as server,
        pytest.raises(WaldurUnreachable, match="in circles"),
    ):
        Client(server.url).session.marketplace_provider_resource_get_team(ORDER)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"text"', "", "<html>", "{", b"\xff"])
def test_what_is_not_one_object_is_unexpected(body: str | bytes) -> None:
    with scripted(says(body)) as server, pytest.raises(UnexpectedPayload, match="did not answer"):
        Client(server.url).session.get_order(ORDER)


def test_cookies_are_not_kept() -> None:
    with scripted(says("{}", Set_Cookie="sessionid=1; Path=/")) as server:
        client = Client(server.url)
        for _ in range(2):
            client.session.get_order(ORDER)
    assert b"Cookie" not in server.requests[1]


def test_an_observer_hears_the_route_without_its_uuid() -> None:
    with scripted(says("{}"), drops) as server:
        client = Client(server.url)
        client.session.get_order(ORDER)
        with pytest.raises(WaldurUnreachable):
            client.session.marketplace_order_set_state_done(ORDER)
    assert [(e.method, e.route, e.status) for e in client.exchanges] == [
        ("GET", "marketplace-orders/{uuid}/", 200),
        ("POST", "marketplace-orders/{uuid}/set_state_done/", None),
    ]


@pytest.mark.parametrize("token", ["", "two words", "line\n", "caf\u00e9", "tab\t"])
def test_a_token_that_no_header_can_carry_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="the token is") as caught:
        WaldurSession("http://127.0.0.1/", token, user_agent="a", bounds=QUICK)
    assert not token or token not in str(caught.value)


def test_connections_are_kept_for_the_next_request() -> None:
    opened: list[int] = []

    def serve(_: bytes, connection: socket.socket) -> None:
        opened.append(connection.getpeername()[1])
        for _answer in range(3):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    with scripted(serve) as server:
        client = Client(server.url)
        for _ in range(3):
            assert client.session.get_order(ORDER) == {}
    assert len(opened) == 1


def test_the_library_does_not_silence_warnings_about_tls() -> None:
    code = (
        "import warnings; before = list(warnings.filters);"
        "import waldur_slurm.agent.waldur.session;"
        "added = [f for f in warnings.filters if f not in before and f[0] == 'ignore'"
        " and 'Insecure' in f[2].__name__]; raise SystemExit(len(added))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

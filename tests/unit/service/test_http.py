"""The small server answers few questions, quickly, and survives whoever asks badly."""

import http.client
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import pytest

from waldur_slurm.errors import CannotListen
from waldur_slurm.service.http import MOST_AT_ONCE, Listening, Page, serving
from waldur_slurm.telemetry.events import Event, Level

HOST = "127.0.0.1"
PATIENCE_S = 1.0


IPV6 = Path("/proc/net/if_inet6")


def at(port: int, host: str = HOST) -> Listening:
    return Listening(host, port, "AGENT_HTTP_LISTEN")


class Site:
    """A running server, what it told, and ways to ask it."""

    def __init__(self) -> None:
        self.port = 0
        self.told: list[Event] = []
        self.pages: dict[str, Callable[[], Page]] = {
            "/good": lambda: Page(b"all is well\n"),
            "/bad": lambda: Page(b"it is not\n", HTTPStatus.SERVICE_UNAVAILABLE),
            "/broken": _break,
        }

    def ask(self, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def connected(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=10)

    def said(self, request: bytes) -> bytes:
        """Everything that is answered to these bytes until the connection is closed."""
        with self.connected() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(4096), b""))


def _break() -> Page:
    raise KeyError("defect")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with serving(at(0), made.pages, made.told.append, PATIENCE_S) as port:
        made.port = port
        yield made


def test_a_page_is_answered_with_its_status_and_type(site: Site) -> None:
    good, body = site.ask("GET", "/good")
    bad, _ = site.ask("GET", "/bad")

    assert (good.status, body) == (200, b"all is well\n")
    assert good.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert bad.status == 503


def test_a_query_changes_nothing(site: Site) -> None:
    assert site.ask("GET", "/good?verbose=1")[0].status == 200


def test_head_is_answered_without_a_body(site: Site) -> None:
    head, _, body = site.said(b"HEAD /good HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")

    assert b"200 OK" in head.splitlines()[0]
    assert b"Content-Length: 12" in head.splitlines()
    assert body == b""


def test_an_unknown_page_is_not_found_and_not_repeated(site: Site) -> None:
    response, body = site.ask("GET", "/../secret")

    assert response.status == 404
    assert body == b"there is /good, /bad, /broken\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "SECRET"])
def test_nothing_but_get_and_head_is_taken(site: Site, method: str) -> None:
    response, body = site.ask(method, "/good")

    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert body == b"Method Not Allowed\n"


def test_a_connection_serves_one_request_whatever_the_client_wants(site: Site) -> None:
    request = b"GET /good HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"

    assert site.said(2 * request).count(b"200 OK") == 1


@pytest.mark.parametrize(
    "request_line",
    [b"secret\r\n\r\n", b"GET /good SECRET/9\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"],
    ids=["no request", "no HTTP", "TLS"],
)
def test_nonsense_is_refused_without_an_echo(site: Site, request_line: bytes) -> None:
    answer = site.said(request_line)

    assert b"Bad Request\n" in answer
    assert b"secret" not in answer.lower()


def test_a_request_line_without_end_is_refused(site: Site) -> None:
    assert b"414" in site.said(b"GET /" + b"x" * 70_000).splitlines()[0]


def test_too_many_headers_are_refused(site: Site) -> None:
    headers = b"".join(b"x%d: y\r\n" % number for number in range(200))

    assert b"431" in site.said(b"GET /good HTTP/1.0\r\n" + headers + b"\r\n").splitlines()[0]


def test_whoever_asks_drop_by_drop_is_cut_off(site: Site) -> None:
    with site.connected() as connection:
        began = time.monotonic()
        while not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(b"x")
            assert time.monotonic() - began < 10 * PATIENCE_S

    assert time.monotonic() - began > PATIENCE_S / 2


def test_whoever_says_nothing_is_cut_off(site: Site) -> None:
    with site.connected() as connection:
        assert connection.recv(1) == b""


def test_more_than_a_few_at_once_are_turned_away_until_there_is_room(site: Site) -> None:
    with ExitStack() as waiting:
        for _ in range(MOST_AT_ONCE):
            waiting.enter_context(site.connected())
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            site.ask("GET", "/good")
    deadline = time.monotonic() + 5
    while True:
        try:
            assert site.ask("GET", "/good")[0].status == 200
            break
        except (http.client.RemoteDisconnected, ConnectionError):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_defect_in_a_page_is_told_and_the_server_goes_on(site: Site) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        site.ask("GET", "/broken")

    assert site.ask("GET", "/good")[0].status == 200
    (told,) = site.told
    assert (told.name, told.level) == ("http.crashed", Level.ERROR)
    assert "KeyError: 'defect'" in str(told.fields["traceback"])


def test_nothing_that_was_asked_is_written_anywhere(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    site.ask("GET", "/secret")
    site.ask("SECRET", "/good")
    site.said(b"secret\r\n\r\n")
    site.connected().close()

    assert capfd.readouterr() == ("", "")
    assert site.told == []


def test_a_port_that_is_taken_is_an_error_that_says_so(site: Site) -> None:
    with (
        pytest.raises(CannotListen, match=f"AGENT_HTTP_LISTEN.* {site.port} .*in use.* free port"),
        serving(at(site.port), site.pages, site.told.append),
    ):
        raise AssertionError("two servers share a port")


def test_a_host_that_is_not_this_one_is_an_error_that_says_so() -> None:
    with (
        pytest.raises(CannotListen, match=r"192\.0\.2\.1: Cannot assign"),
        serving(at(0, "192.0.2.1"), {}, lambda _: None),
    ):
        raise AssertionError("it listens at somebody else's address")


def test_the_port_is_free_again_afterwards() -> None:
    site = Site()
    with serving(at(0), site.pages, site.told.append) as port:
        site.port = port
        site.ask("GET", "/good")
    with serving(at(port), site.pages, site.told.append):
        assert site.ask("GET", "/good")[0].status == 200


@pytest.mark.skipif(not IPV6.exists() or " lo\n" not in IPV6.read_text(), reason="has no IPv6")
def test_it_listens_on_ipv6_as_well() -> None:
    with serving(at(0, "::1"), {"/": lambda: Page(b"six")}, lambda _: None) as port:
        connection = http.client.HTTPConnection("::1", port, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"six"
        connection.close()

"""TLS is verified unless it is said not to be, and its connections obey the bounds as well."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.patience import AT_ONCE_S
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds

ORDER = "1" * 32
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(path), "-out", str(path)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return path


@pytest.fixture(params=["whole", "dripping"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[str, str]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                answer(listener.accept()[0])

    def answer(plain: socket.socket) -> None:
        with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            if request.param == "whole":
                connection.sendall(ANSWER)
                return
            for _ in range(1_000):
                connection.sendall(b"H")
                time.sleep(0.1)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}/api/", request.param
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def session(url: str, *, verify: bool) -> WaldurSession:
    bounds = Bounds(connect=5.0, read=2.0, whole=2.0)
    return WaldurSession(
        url, "token", user_agent="test", bounds=bounds, verify=verify, sleep=lambda _: None
    )


def test_a_certificate_that_nobody_signed_is_unreachable(server: tuple[str, str]) -> None:
    with pytest.raises(WaldurUnreachable, match="self-signed certificate"):
        session(server[0], verify=True).get_order(ORDER)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_without_verification_it_answers_or_ends_at_its_bound(server: tuple[str, str]) -> None:
    url, kind = server
    client = session(url, verify=False)
    if kind == "whole":
        assert client.get_order(ORDER) == {}
        return
    start = time.monotonic()
    with pytest.raises(WaldurUnreachable, match="took longer"):
        client.marketplace_order_set_state_done(ORDER)
    assert time.monotonic() - start < AT_ONCE_S


def test_a_signed_certificate_is_taken(
    server: tuple[str, str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority of one's own comes in by the variable that requests knows."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    url, kind = server
    if kind == "whole":
        assert session(url, verify=True).get_order(ORDER) == {}
    else:
        with pytest.raises(WaldurUnreachable, match="took longer"):
            session(url, verify=True).marketplace_order_set_state_done(ORDER)

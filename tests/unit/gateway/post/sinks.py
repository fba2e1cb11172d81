"""Real places that letters go to, on loopback: a mail relay, and a server for HTTP."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sandbox.slurm.ports import claim_ports


@dataclass(frozen=True)
class Certificate:
    file: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


def make_certificate(directory: Path, name: str = "localhost") -> Certificate:
    path = directory / f"{name}.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(path), "-out", str(path)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return Certificate(path)


@dataclass
class Relay:
    """What a relay was handed, and what it says to recipients and messages."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    were_private: list[bool] = field(default_factory=list)
    to_recipient: str = "250 OK"
    to_message: str = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.to_message.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
            self.envelopes.append(envelope)
            self.were_private.append(session.ssl is not None)
        return self.to_message


@contextmanager
def relaying(**options: Any) -> Iterator[Relay]:
    block = claim_ports(1)
    with block.claim:
        relay = Relay(port=block.first)
        controller = Controller(relay, hostname="127.0.0.1", port=relay.port, **options)
        controller.start()
        try:
            yield relay
        finally:
            controller.stop()


def accepting(user: str, password: str) -> Callable[..., AuthResult]:
    """Make a relay's authenticator."""

    def authenticate(*asked: Any) -> AuthResult:
        login = asked[-1]
        is_known = (login.login, login.password) == (user.encode(), password.encode())
        return AuthResult(success=is_known, handled=is_known)

    return authenticate


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """What a server for HTTP was sent, and what it answers."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    before_answer: Callable[[], object] = lambda: None


@contextmanager
def serving(certificate: Certificate | None = None) -> Iterator[HttpSink]:
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sink.heard.append(Heard(self.path, headers, body))
            sink.before_answer()
            self.send_response(sink.status)
            for name, value in {"Content-Length": str(len(sink.body)), **sink.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sink.body)

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: Any) -> None:
            """A client that goes away is what some tests want."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate:
            server.socket = certificate.server().wrap_socket(server.socket, server_side=True)
        sink.port = int(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()

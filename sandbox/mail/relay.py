"""SMTP as far as a letter needs it, and nothing of the rest."""

import re
import socketserver
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self

Taken = Callable[[EmailMessage], None]

_ANSWERS = {
    "EHLO": "250 a relay to play with",
    "HELO": "250 a relay to play with",
    "MAIL": "250 fine",
    "RCPT": "250 fine",
    "RSET": "250 fine",
    "NOOP": "250 fine",
}


class Relay:
    """Listens as long as it is entered; `taken` has each message once."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, on_mail: Taken | None = None
    ) -> None:
        self.taken: Queue[EmailMessage] = Queue()
        heard = on_mail or self.taken.put

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    _talk(self, heard)

        self._server = _Server((host, port), Conversation)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve in the foreground, for ever."""
        self._server.serve_forever()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _talk(peer: socketserver.StreamRequestHandler, heard: Taken) -> None:
    def say(text: str) -> None:
        peer.wfile.write(f"{text}\r\n".encode())

    say("220 a relay to play with")
    while line := peer.rfile.readline(4096):
        verb = line[:4].decode("ascii", "replace").upper()
        if verb == "QUIT":
            say("221 bye")
            return
        if verb != "DATA":
            say(_ANSWERS.get(verb, "502 not here"))
            continue
        say("354 go on")
        heard(message_from_bytes(_body(peer), policy=default))
        say("250 taken")


def _body(peer: socketserver.StreamRequestHandler) -> bytes:
    lines = []
    while (line := peer.rfile.readline(65_536)) not in (b".\r\n", b""):
        lines.append(re.sub(rb"\A\.", b"", line))
    return b"".join(lines)

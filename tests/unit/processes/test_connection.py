"""A conversation over a socket goes both ways at once, and ends when nothing moves."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.connection import Connection

PATIENCE = timedelta(seconds=10)


@contextmanager
def served(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[Path]:
    """Serve one connection at the path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def run() -> None:
            with listener.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield path
        thread.join()


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65_536):
        connection.sendall(data)
        if data.endswith(b"."):
            return


def test_what_is_sent_and_what_comes_pass_each_other(tmp_path: Path) -> None:
    pieces = [b"x" * 500_000, b"", b"y" * 500_000, b"."]
    with served(tmp_path / "s", echo) as path:
        connection = Connection(path, sent=pieces, timeout=PATIENCE)

        assert b"".join(connection.received()) == b"".join(pieces)


def test_who_answers_before_all_is_sent_is_heard(tmp_path: Path) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"no")

    with served(tmp_path / "s", refuse) as path:
        endless = iter(lambda: b"x" * 65_536, b"")
        connection = Connection(path, sent=endless, timeout=PATIENCE)

        assert b"".join(connection.received()) == b"no"


def test_silence_ends_it(tmp_path: Path) -> None:
    heard = threading.Event()

    def say_nothing(_: socket.socket) -> None:
        heard.wait(5)

    with served(tmp_path / "s", say_nothing) as path:
        connection = Connection(path, sent=(), timeout=timedelta(milliseconds=100))
        with pytest.raises(TransportError, match="no word from"):
            list(connection.received())
        heard.set()


def test_where_nobody_listens_nothing_begins(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="nobody can be reached"):
        Connection(tmp_path / "s", sent=(), timeout=PATIENCE)

"""What the kernel says of one connection is what its table says, and never of another socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from waldur_slurm.gateway.doors import peers
from waldur_slurm.gateway.doors.peers import find_uid
from waldur_slurm.gateway.doors.shown import Place
from waldur_slurm.gateway.doors.sock_diag import End, Held, find_socket, read_answer

TABLES = Path("/proc/self/net")
"""The same tables by another name: there the kernel is not asked for one connection."""

KINDS = {
    "IPv4": (socket.AF_INET, "127.0.0.1", socket.AF_INET, "127.0.0.1"),
    "IPv6": (socket.AF_INET6, "::1", socket.AF_INET6, "::1"),
    "an IPv6 client that speaks IPv4": (
        socket.AF_INET,
        "127.0.0.1",
        socket.AF_INET6,
        "::ffff:127.0.0.1",
    ),
    "an IPv6 server that is spoken to by IPv4": (
        socket.AF_INET6,
        "::",
        socket.AF_INET,
        "127.0.0.1",
    ),
}
US = Held(os.geteuid(), is_connected=True, is_held=True)


@contextmanager
def connected(kind: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    server_family, at, client_family, to = KINDS[kind]
    with (
        closing(socket.socket(server_family)) as server,
        closing(socket.socket(client_family)) as c,
    ):
        if server_family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((at, 0))
        server.listen()
        c.connect((to, server.getsockname()[1]))
        accepted, _ = server.accept()
        with closing(accepted):
            yield c, accepted


def end(place: Place) -> End:
    return ip_address(place.host), place.port


def places(accepted: socket.socket) -> tuple[Place, Place]:
    """Both ends as a server sees them."""
    return Place(*accepted.getpeername()[:2]), Place(*accepted.getsockname()[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_names_the_same_owner_as_its_table(kind: str) -> None:
    with connected(kind) as (_, accepted):
        peer, listener = places(accepted)

        assert find_socket(end(peer), end(listener)) == US
        assert find_uid(peer, listener) == find_uid(peer, listener, TABLES) == os.geteuid()


def test_a_connection_is_found_without_any_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table(*_: object) -> int | None:
        raise AssertionError("the table was read")

    monkeypatch.setattr(peers, "_uid_in", no_table)
    with connected("IPv4") as (_, accepted):
        assert find_uid(*places(accepted)) == os.geteuid()


def test_a_client_that_has_gone_is_no_connected_socket() -> None:
    with connected("IPv4") as (client, accepted):
        ends = tuple(map(end, places(accepted)))
        client.close()

        found = find_socket(*ends)

        assert found is None or not (found.is_connected and found.is_held)


def test_a_socket_that_listens_is_not_taken_for_a_connection_to_it() -> None:
    """The kernel answers with the listening one where there is no other."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        here = end(Place(*server.getsockname()))

        assert find_socket(here, (here[0], 1)) is None


def test_an_answer_that_is_cut_off_or_an_error_names_nobody() -> None:
    ends = (ip_address("127.0.0.1"), 40_000), (ip_address("127.0.0.1"), 8040)

    for answer in (b"", b"\0" * 40, b"\0" * 200):
        assert read_answer(answer, *ends) is None

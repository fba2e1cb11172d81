"""What systemd hears."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from waldur_slurm.service.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def test_it_is_told_what_the_daemon_does(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())

    notifier.ready()
    notifier.status("two\nlines")
    notifier.stopping()

    assert [manager.recv(512) for _ in range(3)] == [b"READY=1", b"STATUS=two lines", b"STOPPING=1"]


def test_a_reload_carries_its_moment(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).reloading()

    first, second = manager.recv(512).decode().split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0


def test_signs_of_life_come_four_times_in_the_watchdogs_time_and_no_oftener(
    manager: socket.socket,
) -> None:
    clock = [100.0]
    notifier = Notifier(manager.getsockname(), timedelta(seconds=40), lambda: clock[0])

    for moment in (100.0, 101.0, 109.9, 110.0, 119.0, 121.0):
        clock[0] = moment
        notifier.alive()
    notifier.ready()

    heard = [manager.recv(512) for _ in range(4)]
    assert heard == [b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1", b"READY=1"]
    assert notifier.longest_sleep == timedelta(seconds=10)


def test_an_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0waldur-slurm-test-notify")
        listener.settimeout(5)
        Notifier("@waldur-slurm-test-notify").ready()
        assert listener.recv(512) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nonexistent/notify"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    notifier = Notifier(address)

    notifier.ready()
    notifier.alive()

    assert notifier.longest_sleep == timedelta(minutes=1)

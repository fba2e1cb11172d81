"""Wherever a command runs, it is carried there as it is, ends there, and is told as it ended."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest

from sandbox.docker.cluster import ContainerCluster
from sandbox.slurm.daemons import user_name
from sandbox.ssh import SshServer
from tests.patience import AT_ONCE_S
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed, Transport
from waldur_slurm.slurm.transports.docker import DockerTransport
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KnownHosts

SHORT = timedelta(seconds=0.5)


@dataclass(frozen=True)
class Place:
    """Where commands run, and how its error texts call it."""

    transport: Transport
    bounded: Transport
    """Takes 100,000 bytes of output at most."""
    called: str


@pytest.fixture(params=["native", "docker", "ssh"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "docker":
        cluster = request.getfixturevalue("container_cluster_22_05")
        assert isinstance(cluster, ContainerCluster)
        name = cluster.container
        with (
            closing(DockerTransport(name)) as transport,
            closing(DockerTransport(name, most_output=100_000)) as bounded,
        ):
            yield Place(transport, bounded, f"in container {name}")
    elif request.param == "ssh":
        server = request.getfixturevalue("shared_sshd")
        assert isinstance(server, SshServer)
        with closing(_over_ssh(server)) as transport, closing(_over_ssh(server, 100_000)) as least:
            yield Place(transport, least, "on 127.0.0.1")
    else:
        path = {"PATH": os.defpath}
        yield Place(NativeTransport(path), NativeTransport(path, most_output=100_000), "")


def _over_ssh(server: SshServer, most_output: int = 1_000_000_000) -> SshTransport:
    return SshTransport(
        "127.0.0.1",
        user=user_name(),
        port=server.port,
        host_keys=KnownHosts(server.known_hosts),
        key=KeyFile(server.user_key),
        most_output=most_output,
    )


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


def test_code_and_streams_are_kept_apart(place: Place) -> None:
    done = place.transport.run(sh("echo out; echo err >&2; exit 3"))
    assert done == Completed(3, "out\n", "err\n")


def test_words_are_passed_as_they_are(place: Place) -> None:
    odd = ("a b", "$(id)", "`id`", "'", '"', "*", "\n", "", "ü", "--", "-n", "\\0101", "!!", "%s")
    assert place.transport.run(("printf", "%s|", *odd)).out == "".join(f"{word}|" for word in odd)


def test_bytes_that_are_no_text_are_spelled_out(place: Place) -> None:
    assert place.transport.run(("printf", r"a\377b|\n")).out == "a\\xffb|\n"


def test_stdin_is_fed_in_full_while_output_is_read(place: Place) -> None:
    text = "x" * 1_000_000
    assert place.transport.run(("cat",), stdin=text).out == text


def test_a_command_that_does_not_read_its_stdin_is_no_error(place: Place) -> None:
    assert place.transport.run(("true",), stdin="x" * 1_000_000).code == 0


def test_a_command_without_stdin_reads_its_end(place: Place) -> None:
    assert place.transport.run(("cat",)) == Completed(0, "", "")


def test_the_environment_is_what_was_asked_for(place: Place) -> None:
    asked = {"TZ": "Asia/Kolkata", "ODD": "a b'\"$(id)"}
    found = place.transport.run(("env",), environ=asked).out.splitlines()
    assert {"TZ=Asia/Kolkata", "ODD=a b'\"$(id)", "LC_ALL=C.UTF-8"} <= set(found)


def test_the_time_out_ends_the_whole_process_group(place: Place) -> None:
    script = 'sleep 471 & trap "" TERM; sleep 471'
    began = time.monotonic()
    with pytest.raises(TransportError, match=rf"did not end within 0\.5 s.*{place.called}"):
        place.transport.run(sh(script), timeout=SHORT)
    assert time.monotonic() - began < AT_ONCE_S
    assert place.transport.run(("pgrep", "--full", "^sleep 471")).out == ""


def test_lines_are_streamed_and_then_judged(place: Place) -> None:
    ends: list[Completed] = []
    script = "echo 1; echo 2; echo why >&2; printf 3; exit 4"
    assert list(place.transport.stream(sh(script), believe=ends.append)) == ["1", "2", "3"]
    assert ends == [Completed(4, "", "why\n")]
    many = place.transport.stream(("seq", "100000"), believe=ends.append)
    assert sum(1 for _ in many) == 100_000


def test_a_stream_times_out_in_the_middle(place: Place) -> None:
    lines = place.transport.stream(sh("echo 1; sleep 60"), believe=print, timeout=SHORT)
    assert next(lines) == "1"
    with pytest.raises(TransportError, match="did not end"):
        next(lines)


def test_output_beyond_the_bound_is_an_error(place: Place) -> None:
    with pytest.raises(TransportError, match="more than 100000 bytes"):
        place.bounded.run(("yes",), timeout=timedelta(seconds=2))


def test_streamed_lines_are_not_bounded(place: Place) -> None:
    lines = place.bounded.stream(("seq", "200000"), believe=lambda _: None)
    assert sum(1 for _ in lines) == 200_000


def test_a_command_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(TransportError, match=f"no-such-tool cannot be started.*{place.called}"):
        place.transport.run(("no-such-tool",))


def test_an_exit_code_like_that_of_a_missing_command_or_of_ssh_is_passed_on(place: Place) -> None:
    for code in (125, 126, 127, 137, 255):
        assert place.transport.run(sh(f"exit {code}")).code == code

"""Commands in a container end there too, and each way of not reaching one says what to do."""

import gc
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.docker import command
from sandbox.docker.cluster import ContainerCluster
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.docker import DockerTransport

SHORT = timedelta(seconds=0.5)


@pytest.fixture
def transport(container_cluster_22_05: ContainerCluster) -> Iterator[DockerTransport]:
    with closing(DockerTransport(container_cluster_22_05.container)) as transport:
        yield transport


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


def test_code_and_streams_are_kept_apart(transport: DockerTransport) -> None:
    done = transport.run(sh("echo out; echo err >&2; exit 3"))
    assert done == Completed(3, "out\n", "err\n")


def test_words_and_bytes_are_passed_as_they_are(transport: DockerTransport) -> None:
    odd = ("a b", "$(id)", "'", '"', "*", "\n", "ü", "--", "-n")
    assert transport.run(("printf", "%s|", *odd)).out == "".join(f"{word}|" for word in odd)
    assert transport.run(("printf", r"a\377b|\n")).out == "a\\xffb|\n"


def test_stdin_is_fed_in_full_while_output_is_read(transport: DockerTransport) -> None:
    text = "x" * 1_000_000
    assert transport.run(("cat",), stdin=text).out == text


def test_the_environment_is_what_was_asked_for(transport: DockerTransport) -> None:
    found = transport.run(("env",), environ={"TZ": "Asia/Kolkata"}).out.splitlines()
    assert {"TZ=Asia/Kolkata", "LC_ALL=C.UTF-8"} <= set(found)


def test_the_time_out_ends_the_whole_process_group_in_the_container(
    transport: DockerTransport,
) -> None:
    script = 'sleep 471 & trap "" TERM; sleep 471'
    began = time.monotonic()
    with pytest.raises(TransportError, match=r"did not end within 0\.5 s in container"):
        transport.run(sh(script), timeout=SHORT)
    assert time.monotonic() - began < 5
    assert transport.run(("pgrep", "--full", "^sleep 471")).out == ""


def test_lines_are_streamed_and_then_judged(transport: DockerTransport) -> None:
    ends: list[Completed] = []
    script = "echo 1; echo 2; echo why >&2; printf 3; exit 4"
    assert list(transport.stream(sh(script), believe=ends.append)) == ["1", "2", "3"]
    assert ends == [Completed(4, "", "why\n")]
    many = transport.stream(("seq", "100000"), believe=ends.append)
    assert sum(1 for _ in many) == 100_000


def test_output_beyond_the_bound_is_an_error(container_cluster_22_05: ContainerCluster) -> None:
    container = container_cluster_22_05.container
    with (
        closing(DockerTransport(container, most_output=100_000)) as bounded,
        pytest.raises(TransportError, match="more than 100000 bytes"),
    ):
        bounded.run(("yes",), timeout=timedelta(seconds=2))


def test_a_command_that_is_not_in_the_container_is_named(transport: DockerTransport) -> None:
    with pytest.raises(TransportError, match="no-such-tool cannot be started in container"):
        transport.run(("no-such-tool",))


def test_an_exit_code_like_that_of_a_missing_command_is_passed_on(
    transport: DockerTransport,
) -> None:
    for code in (125, 126, 127, 137):
        assert transport.run(sh(f"exit {code}")).code == code


def test_a_missing_container_is_named() -> None:
    with (
        closing(DockerTransport("wsat-no-such")) as transport,
        pytest.raises(TransportError, match="no container wsat-no-such"),
    ):
        transport.run(("true",))


# The SDK drops the socket of a connection that failed without closing it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_missing_socket_and_an_engine_that_is_stopped_are_told_apart(tmp_path: Path) -> None:
    def said(url: str) -> str:
        with pytest.raises(TransportError) as failed:
            DockerTransport("any", base_url=url).run(("true",))
        return str(failed.value)

    assert "no such socket" in said(f"unix://{tmp_path}/none.sock")
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(f"{tmp_path}/idle.sock")
        assert "start the engine" in said(f"unix://{tmp_path}/idle.sock")
    gc.collect()


def test_a_container_that_stops_and_one_that_takes_its_place(
    container_cluster_22_05: ContainerCluster,
) -> None:
    """The transport is made once; the container it names comes and goes."""
    name = f"{container_cluster_22_05.container}-other"
    image = docker("inspect", "--format={{.Image}}", container_cluster_22_05.container)
    transport = DockerTransport(name)
    try:
        docker("run", "--detach", "--name", name, "--entrypoint", "sleep", image, "600")
        assert transport.run(("true",)).code == 0
        docker("stop", "--time", "0", name)
        with pytest.raises(TransportError, match="is not running"):
            transport.run(("true",))
        docker("rm", name)
        with pytest.raises(TransportError, match="no container"):
            transport.run(("true",))
        docker("run", "--detach", "--name", name, "--entrypoint", "sleep", image, "600")
        assert transport.run(("true",)).code == 0
        docker("pause", name)
        with pytest.raises(TransportError, match="paused"):
            transport.run(("true",))
    finally:
        transport.close()
        docker("rm", "--force", name)


def docker(*words: str) -> str:
    return command.docker(*words).stdout.strip()

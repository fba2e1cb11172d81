"""Commands in a container end there too, and each way of not reaching one says what to do."""

import gc
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.docker import command
from sandbox.docker.cluster import ContainerCluster
from waldur_slurm.errors import TransportError
from waldur_slurm.slurm.transports.docker import DockerTransport

SHORT = timedelta(seconds=0.5)


@pytest.fixture
def transport(container_cluster_22_05: ContainerCluster) -> Iterator[DockerTransport]:
    with closing(DockerTransport(container_cluster_22_05.container)) as transport:
        yield transport


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


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

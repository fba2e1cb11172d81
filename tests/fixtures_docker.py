"""Real Slurm in containers for tests: one a session and a release, started when first asked for.

Where no Docker engine can be had, tests that need one are skipped with the reason; in CI they fail.
"""

import os
from collections.abc import Iterator

import pytest

from sandbox.docker.cluster import ContainerCluster
from sandbox.docker.engine import EngineMissing, ensure_engine

in_ci = bool(os.environ.get("CI"))  # noqa: TID251 - CI is told by the environment, nothing else


@pytest.fixture(scope="session")
def docker_engine() -> str:
    """The version of the engine that answers."""
    try:
        return ensure_engine()
    except EngineMissing as missing:
        reason = f"NO DOCKER HERE, so this promise was not tested: {missing}"
        if in_ci:
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def container_cluster_22_05(docker_engine: str) -> Iterator[ContainerCluster]:
    """Slurm 22.05 on Debian 12: use accounts of your own, leave its daemons as you found them."""
    with ContainerCluster.start("22.05") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def container_cluster_24_11(docker_engine: str) -> Iterator[ContainerCluster]:
    """Slurm 24.11 on Debian 13: use accounts of your own, leave its daemons as you found them."""
    with ContainerCluster.start("24.11") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def container_cluster_26_05(docker_engine: str) -> Iterator[ContainerCluster]:
    """Slurm 26.05 on Debian 14: use accounts of your own, leave its daemons as you found them."""
    with ContainerCluster.start("26.05") as cluster:
        yield cluster

"""The real agent beside a real Slurm and a running Waldur."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from sandbox.waldur import Waldur
from tests.e2e.program import Program, fast_tools
from tests.places import PROJECT

NewProgram = Callable[..., Program]


@pytest.fixture
def own_port() -> Iterator[int]:
    """A port that nobody listens on, and that no other test takes as long as this one runs."""
    block = claim_ports(1)
    with block.claim:
        yield block.first


@pytest.fixture(scope="session")
def slurm_tools(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fast_tools(tmp_path_factory.mktemp("tools") / "bin", slurm_cluster.environ)


def program_for(
    cluster: Cluster,
    tools: Path,
    waldur: Waldur,
    directory: Path,
    direction: str = "pull",
    **changes: str,
) -> Program:
    """Describe an agent between one Waldur and one cluster, which keeps all it has in a place."""
    directory.mkdir(parents=True, exist_ok=True)
    environ = {
        "PATH": os.defpath,
        "SLURM_CONF": cluster.environ["SLURM_CONF"],
        "SLURM_BIN_PATH": str(tools),
        "SLURM_DEPLOYMENT_TYPE": "native",
        "SLURM_DEFAULT_ACCOUNT": "root",
        "SLURM_REQUIRE_UNIX_USERS": "false",
        "SLURM_TRES_CONFIG_PATH": str(PROJECT / "config-components.yaml"),
        "WALDUR_API_URL": waldur.url,
        "WALDUR_API_TOKEN": waldur.tokens.provider,
        "WALDUR_OFFERING_UUID": waldur.offering_uuid,
        "WALDUR_SYNC_DIRECTION": direction,
        "AGENT_STATE_DIR": str(directory / "state"),
        "AGENT_AUDIT_LOG": str(directory / "audit.jsonl"),
    }
    return Program(environ | changes, directory)


@pytest.fixture
def new_program(slurm_cluster: Cluster, slurm_tools: Path, tmp_path: Path) -> NewProgram:
    """Describe an agent for one Waldur and the shared cluster; each keeps what it remembers."""

    def make(waldur: Waldur, direction: str = "pull", **changes: str) -> Program:
        place = tmp_path / direction
        return program_for(slurm_cluster, slurm_tools, waldur, place, direction, **changes)

    return make

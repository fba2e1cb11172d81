"""slurm-proxy's commands for containers, as `docs/gateway-compatibility.md` has them now.

What a test changes is what lets it run beside others: names, the port, where packages come from,
and what is mounted: that a container reaches Slurm is not shown here.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.docker.cluster import OWNER_LABEL
from sandbox.docker.command import docker
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.docker.owner import Owner
from sandbox.docker.packages import proxies
from sandbox.slurm.ports import claim_ports
from sandbox.wheels import bring_wheels
from tests.e2e.test_compose import compose_program
from tests.page import read_blocks
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "gateway-compatibility.md"
COPIED = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", ".dockerignore")
ENGINE = """\
docker() {
  case $1 in
    image) shift 2; command docker build $ARGS --tag "$PROJECT" "$@" ;;
    run) shift; command docker run --rm --label "$LABEL" "$@" ;;
    compose) shift; $COMPOSE --project-name "$PROJECT" "$@" ;;
    *) command docker "$@" ;;
  esac
}
"""
BASE = "waldur-slurm-sandbox-gateway-base:22.05"
WITH_PYTHON = """\
FROM {slurm}
RUN apt-get update && apt-get install -y --no-install-recommends openssh-client python3-venv
"""


def block(section: str, language: str = "bash", number: int = 0) -> tuple[str, ...]:
    kind = (section, language)
    found = [each for each in read_blocks(PAGE) if (each.section, each.language) == kind]
    return tuple(found[number].lines)


@dataclass(frozen=True)
class Machine:
    """A copy of this repository, where an image may be built."""

    tree: Path
    project: str
    compose: str

    def types(self, lines: tuple[str, ...], port: int) -> "subprocess.CompletedProcess[str]":
        (self.tree / ".env").write_text(
            f"FLASK_APP_PORT={port}\nGATEWAY_LISTEN=127.0.0.1:{port}=proxy\nGATEWAY_CLUSTERS=lab\n"
        )
        text = self.here("\n".join(lines)).replace("127.0.0.1:5001", f"127.0.0.1:{port}")
        return subprocess.run(
            ["/bin/bash", "-c", f"set -em\n{ENGINE}{text}"],
            env={
                "PATH": os.defpath,
                "DOCKER_BUILDKIT": "0",
                "ARGS": f"--build-arg=BASE={BASE} --build-arg=PIP_NO_INDEX=1",
                "PROJECT": self.project,
                "COMPOSE": self.compose,
                "LABEL": f"{OWNER_LABEL}={Owner.this_process()}",
            },
            cwd=self.tree,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    def here(self, text: str) -> str:
        """Mount this test's own directory in the place of the machine's."""
        for mounted in ("/etc/slurm", "/run/munge", "/run/slurm-gateway"):
            text = text.replace(f"{mounted}:{mounted}", f"{self.tree}/mounted:{mounted}")
        return text.replace("-d slurm-proxy", f"-d {self.project}")


@pytest.fixture(scope="module")
def machine(docker_engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    tree = tmp_path_factory.mktemp("container") / "tree"
    (tree / "mounted").mkdir(parents=True)
    (tree / "docker-entrypoint").write_text("")
    for name in ("waldur_slurm", "examples"):
        shutil.copytree(PROJECT / name, tree / name)
    for name in COPIED:
        shutil.copy(PROJECT / name, tree)
    bring_wheels(tree)
    make_base(tree.with_name("base"))
    made = Machine(tree, f"wsat-proxy-{uuid.uuid4().hex[:8]}", " ".join(compose_program()))
    file = tree / "examples/gateway/slurm-proxy/docker-compose-slurm-proxy.yml"
    text = made.here(file.read_text()).replace("image: slurm-proxy", f"image: {made.project}")
    args = f"      args:\n        BASE: {BASE}\n        PIP_NO_INDEX: 1\n"
    file.write_text(text.replace("    # Slurm answers", f"{args}    # Slurm answers"))
    yield made
    docker("image", "rm", "--force", made.project, check=False)
    docker("volume", "rm", "--force", f"{made.project}_state", check=False)


def make_base(place: Path) -> None:
    """Put Python beside the sandbox's Slurm."""
    ensure_image(RELEASES["22.05"])
    place.mkdir()
    (place / "Dockerfile").write_text(WITH_PYTHON.format(slurm=RELEASES["22.05"].tag))
    docker(
        *("build", f"--tag={BASE}", "--build-arg=http_proxy", "--build-arg=https_proxy"),
        str(place),
        timeout=600,
        environ={**proxies(), "DOCKER_BUILDKIT": "0"},
    )


def test_the_lines_of_docker_build_it_run_it_and_end_it(machine: Machine) -> None:
    claimed = claim_ports(1)
    with claimed.claim:
        said = machine.types(block("slurm-proxy in a container"), claimed.first)

    assert said.returncode == 0, said.stdout + said.stderr
    assert "\npong" in said.stdout


def test_the_lines_of_compose_build_it_run_it_and_end_it(machine: Machine) -> None:
    claimed = claim_ports(1)
    with claimed.claim:
        said = machine.types(block("slurm-proxy in a container", number=1), claimed.first)

    assert said.returncode == 0, said.stdout + said.stderr
    assert "pong" in said.stdout

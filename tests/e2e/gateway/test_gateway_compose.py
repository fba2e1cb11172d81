"""examples/gateway, brought up by docker-compose and used as its README says, line by line.

What a test changes of the example is what lets it run beside others: the project's name, the port,
labels, and a lifetime.
"""

import json
import os
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.docker.agent import ensure_gateway_image
from sandbox.docker.cluster import OWNER_LABEL, remove_abandoned
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.docker.owner import Owner
from sandbox.slurm.ports import claim_ports
from tests.e2e.test_compose import GUARD, LIFETIME_S, compose_program, containers_of
from tests.page import read_blocks
from tests.places import PROJECT

EXAMPLE = PROJECT / "examples" / "gateway"
SERVICES = ("slurm", "accounts", "gateway", "mail")
LINES = [
    line
    for block in read_blocks(EXAMPLE / "README.md")
    if block.language == "bash"
    for line in block.lines
]
_OVER = "--- that line ended with"


@dataclass(frozen=True)
class Typed:
    line: str
    code: int
    shown: str


@pytest.fixture(scope="module")
def typed(docker_engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Typed]]:
    """What a terminal shows of the README's lines; all is taken away afterwards."""
    ensure_image(RELEASES["22.05"])
    remove_abandoned()
    ports = claim_ports(1)
    place = tmp_path_factory.mktemp("gateway-compose")
    project = f"wsat{uuid.uuid4().hex[:8]}"
    override = place / "override.json"
    override.write_text(json.dumps(_override()))
    environ = {
        "PATH": os.defpath,
        "HOME": str(place),
        "COMPOSE_PROJECT_NAME": project,
        "COMPOSE_FILE": f"{EXAMPLE / 'docker-compose.yml'}:{override}",
        "GATEWAY_IMAGE": ensure_gateway_image(RELEASES["22.05"].tag),
        "GATEWAY_PORT": str(ports.first),
    }
    down = (*compose_program(), "down", "--volumes")
    with subprocess.Popen(
        ("/bin/sh", "-c", GUARD, "guard", str(LIFETIME_S), *down),
        env=environ,
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as guard:
        try:
            yield list(_type(environ, ports.first))
        finally:
            guard.communicate(timeout=120)
            ports.claim.close()
    assert containers_of(project) == []


def _override() -> dict[str, object]:
    services: dict[str, dict[str, object]] = {
        name: {"labels": {OWNER_LABEL: str(Owner.this_process())}} for name in SERVICES
    }
    services["slurm"]["environment"] = {"LIFETIME": LIFETIME_S}
    return {"services": services}


def _type(environ: dict[str, str], port: int) -> Iterator[Typed]:
    program = shlex.join(compose_program())
    lines = [line.replace("127.0.0.1:8040", f"127.0.0.1:{port}") for line in LINES]
    script = (
        "exec 2>&1 </dev/null\nshopt -s expand_aliases\n"
        f'[ "{program}" = docker-compose ] || docker-compose() {{ {program} "$@"; }}\n'
    )
    script += "".join(f"{line}\nprintf '\\n%s %s\\n' '{_OVER}' $?\n" for line in lines)
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env=environ,
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=280,
    )
    parts = re.findall(rf"(.*?)\n{re.escape(_OVER)} (\d+)\n", done.stdout, re.DOTALL)
    for line, (shown, code) in zip(LINES, parts, strict=True):
        yield Typed(line, int(code), shown.strip())


def shown(typed: list[Typed], words: str) -> str:
    (found,) = (each.shown for each in typed if words in each.line)
    return found


def test_each_line_of_the_readme_ends_well(typed: list[Typed]) -> None:
    assert [each for each in typed if each.code] == []
    assert typed[0].line == "docker-compose up -d"


def test_the_site_is_in_order_by_its_own_check(typed: list[Typed]) -> None:
    said = shown(typed, "slurm-gateway check")

    assert "sudo: the hand is wsat-ann, and Slurm answers him" in re.sub(r"\s+", " ", said)
    assert re.search(r"The gateway can run; \d warnings?\.$", said)


def test_a_job_is_handed_in_run_and_its_output_fetched(typed: list[Typed]) -> None:
    assert len(json.loads(shown(typed, "/nodes"))["nodes"]) == 2
    assert json.loads(shown(typed, "--data"))["job_id"] == "1"
    assert json.loads(shown(typed, "until=terminal"))["state"]["raw"] == "COMPLETED"
    assert re.fullmatch(r"[0-9a-f]{12}", shown(typed, "/output"))


def test_a_letter_reaches_the_relay(typed: list[Typed]) -> None:
    assert "was taken by email" in shown(typed, "letter test")
    assert "To: ann@example.org" in shown(typed, "logs mail")


def test_the_sinks_and_files_of_the_example_are_all_named_in_it() -> None:
    named = (EXAMPLE / "docker-compose.yml").read_text(encoding="utf-8")

    files = {path.name for path in EXAMPLE.iterdir() if path.is_file()}
    files -= {"docker-compose.yml", "README.md"}
    assert {name for name in files if name not in named} == set()

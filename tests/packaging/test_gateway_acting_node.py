"""Both shipped ways to act, really started by systemd: jobs of users, by sudo and by the socket.

What is typed is what docs/hand.md says, on a head node with a real Slurm.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import eventually
from tests.packaging.head_node.node import HeadNode
from tests.packaging.head_node.typist import Typist
from tests.page import Block, read_blocks
from tests.places import PROJECT

HAND = list(read_blocks(PROJECT / "docs" / "hand.md"))
GATEWAY = list(read_blocks(PROJECT / "docs" / "gateway.md"))
SOURCE = "/root/waldur-slurm-agent"
ENV_FILE = "/etc/slurm-gateway/slurm-gateway.env"
AS_GATEWAY = f"sudo -u slurm-gateway slurm-gateway --env-file {ENV_FILE}"
ANN, EVE = "wsat-ann", "wsat-eve"
SCOPES = "jobs:read,jobs:submit,jobs:cancel,files:read"
PACK = (
    "PYTHONPATH=/opt/waldur-slurm-agent/lib/python3.11/site-packages /usr/bin/python3 -m"
    " waldur_slurm.hand.pack /usr/libexec/slurm-gateway/hand"
)


def block(blocks: list[Block], section: str) -> Block:
    return next(each for each in blocks if (each.section, each.language) == (section, "bash"))


@pytest.fixture(scope="module")
def typist(docker_engine: str, wheels: Path) -> Iterator[Typist]:
    """A node where the gateway is installed and runs, and the hand lies where root puts it."""
    with HeadNode.start() as node:
        node.copy(wheels, "/wheels")
        node.sh(
            "printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' >/etc/pip.conf\n"
            "chmod --recursive a+rX /wheels\n"
            "groupadd slurm-users\n"
            "sacctmgr -i add account physics >/dev/null\n"
            f"sacctmgr -i add user {ANN},{EVE} account=physics >/dev/null\n"
            f"usermod --append --groups slurm-users {ANN}\n"
            f"for user in {ANN} {EVE}; do install -d -o $user -m 0700 /home/$user; done"
        )
        typist = Typist(node)
        typist.types(block(GATEWAY, "Install"))
        typist.types(block(GATEWAY, "As a service"), directory=SOURCE)
        assert PACK in (PROJECT / "docs" / "hand.md").read_text(encoding="utf-8")
        lines = block(HAND, "Install").lines
        (conf,) = (line for line in lines if "hand.conf" in line)
        node.sh(f"install -d /usr/libexec/slurm-gateway\n{PACK}\n{conf}", directory=SOURCE)
        yield typist


def acts(typist: Typist, way: str) -> None:
    """Tell the service, start it anew and wait until it answers."""
    typist.node.sh(
        f"sed -i '/^GATEWAY_EXECUTOR/d' {ENV_FILE}\n"
        f"echo GATEWAY_EXECUTOR={way} >>{ENV_FILE}\n"
        "systemctl restart slurm-gateway"
    )

    def answers() -> bool:
        return typist.node.says("curl -s http://127.0.0.1:8040/healthz") == "ok"

    eventually(answers, "the gateway is back")


def asked(node: HeadNode, token: str, path: str, body: Any = None) -> str:
    data = f"--data '{json.dumps(body)}'" if body else ""
    header = f"-H 'Authorization: Bearer {token}'"
    return node.sh(f"curl -sS {header} {data} 'http://127.0.0.1:8040/api/v1/{path}'")


def has_a_job_done(node: HeadNode, user: str) -> str:
    """Hand one in as the user and return what it wrote."""
    made = node.sh(
        f"{AS_GATEWAY} token make --name trial --scopes {SCOPES} --run-as {user} --expires 1d"
    )
    token = made.split()[-1]
    job = json.loads(
        asked(node, token, "jobs", {"user": user, "script": "#!/bin/sh\nid -un\npwd\n"})
    )
    if "job_id" not in job:
        return str(job["detail"])
    asked(node, token, f"jobs/{job['job_id']}?wait=60&until=terminal")
    return asked(node, token, f"jobs/{job['job_id']}/output?wait=30")


def executor_line(node: HeadNode) -> tuple[str, str]:
    said = json.loads(node.sh(f"{AS_GATEWAY} check --json"))
    (line,) = (each for each in said["findings"] if each["subject"] == "executor")
    return line["verdict"], line["found"]


@pytest.fixture(scope="module")
def by_sudo(typist: Typist) -> HeadNode:
    typist.types(block(HAND, "By sudo"), directory=SOURCE)
    acts(typist, "sudo")
    return typist.node


def test_the_simple_unit_has_a_users_job_done_by_sudo(by_sudo: HeadNode) -> None:
    assert has_a_job_done(by_sudo, ANN).split() == [ANN, f"/home/{ANN}"]
    assert executor_line(by_sudo) == ("ok", f"sudo: the hand is {ANN}, and Slurm answers him")


def test_whom_hand_conf_does_not_list_is_not_acted_as(by_sudo: HeadNode) -> None:
    assert f"{EVE} is not listed in hand.conf" in has_a_job_done(by_sudo, EVE)


@pytest.fixture(scope="module")
def by_socket(by_sudo: HeadNode, typist: Typist) -> HeadNode:
    """The hardened pair, with nothing left of what sudo wanted."""
    by_sudo.sh(
        "rm -r /etc/sudoers.d/slurm-gateway-hand /etc/systemd/system/slurm-gateway.service.d"
    )
    typist.types(block(HAND, "By a socket"), directory=SOURCE)
    acts(typist, "socket")
    return by_sudo


def test_the_hardened_pair_has_a_users_job_done_by_the_socket(by_socket: HeadNode) -> None:
    assert has_a_job_done(by_socket, ANN).split() == [ANN, f"/home/{ANN}"]
    assert executor_line(by_socket)[0] == "ok"


def test_the_gateway_of_the_pair_can_become_nobody(by_socket: HeadNode) -> None:
    pid = by_socket.says("systemctl show -P MainPID slurm-gateway")

    status = by_socket.sh(f"cat /proc/{pid}/status")

    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert told["NoNewPrivs"] == "1"
    assert int(told["CapBnd"], 16) == 0
    assert by_socket.says("stat -c '%U %a' /run/slurm-gateway/hand.sock") == "slurm-gateway 600"

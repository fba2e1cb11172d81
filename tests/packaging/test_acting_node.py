"""The shipped ways to act, really started by systemd: by sudo, by the executor and by the socket.

What is typed is what docs/hand.md says, on a head node with a real Slurm; and what docs/operator.md
says of the operator outside of Kubernetes, which hands in by that gateway.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import eventually
from tests.fixtures_executor import build, make
from tests.packaging.head_node.node import HeadNode
from tests.packaging.head_node.typist import Typist
from tests.page import Block, read_blocks
from tests.places import PROJECT
from waldur_slurm.operator.check.judgement import SCOPES

HAND = list(read_blocks(PROJECT / "docs" / "hand.md"))
GATEWAY = list(read_blocks(PROJECT / "docs" / "gateway.md"))
OPERATOR = list(read_blocks(PROJECT / "docs" / "operator.md"))
SOURCE = "/root/waldur-slurm-agent"
ENV_FILE = "/etc/slurm-gateway/slurm-gateway.env"
AS_GATEWAY = f"sudo -u slurm-gateway slurm-gateway --env-file {ENV_FILE}"
ANN, EVE = "wsat-ann", "wsat-eve"
OF_A_PORTAL = "jobs:read,jobs:submit,jobs:cancel,files:read"
PACK = (
    "PYTHONPATH=/opt/waldur-slurm-agent/lib/python3.11/site-packages /usr/bin/python3 -m"
    " waldur_slurm.hand.pack /usr/libexec/slurm-gateway/hand"
)


def block(blocks: list[Block], section: str, with_word: str = "") -> Block:
    """Return the first of that section's that is typed, and has that word somewhere."""
    return next(
        each
        for each in blocks
        if (each.section, each.language) == (section, "bash") and with_word in str(each.lines)
    )


@pytest.fixture(scope="module")
def typist(docker_engine: str, wheels: Path) -> Iterator[Typist]:
    """A node where the gateway is installed and runs, and the hand lies where root puts it."""
    with HeadNode.start() as node:
        node.bring_wheels(wheels)
        node.sh(
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
        f"{AS_GATEWAY} token make --name trial --scopes {OF_A_PORTAL} --run-as {user} --expires 1d"
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
def by_executor(by_sudo: HeadNode, typist: Typist, tmp_path_factory: Any) -> HeadNode:
    """As the page has it built and installed, but built here: a head node needs no compiler."""
    uid = by_sudo.says("id -u slurm-gateway")
    built, installed = (
        shlex.split(line.replace('"$(id -u slurm-gateway)"', uid))[3:]
        for line in block(HAND, "By the executor").lines
    )
    sources = build(tmp_path_factory.mktemp("executor"), *built)
    made = make(sources, *installed, f"DESTDIR={sources}/root")
    assert made.returncode == 0, made.stderr
    by_sudo.copy(sources / "root" / "usr" / "local", "/usr")
    by_sudo.sh("rm /etc/sudoers.d/slurm-gateway-hand")
    acts(typist, "setuid")
    return by_sudo


def test_the_same_unit_has_a_users_job_done_by_the_executor(by_executor: HeadNode) -> None:
    assert has_a_job_done(by_executor, ANN).split() == [ANN, f"/home/{ANN}"]
    assert executor_line(by_executor) == ("ok", f"setuid: the hand is {ANN}, and Slurm answers him")


@pytest.fixture(scope="module")
def by_socket(by_executor: HeadNode, typist: Typist) -> HeadNode:
    """The hardened pair, with nothing left of what the other two wanted."""
    by_executor.sh("rm -r /usr/local/bin/executor /etc/systemd/system/slurm-gateway.service.d")
    typist.types(block(HAND, "By a socket"), directory=SOURCE)
    acts(typist, "socket")
    return by_executor


def test_the_hardened_pair_has_a_users_job_done_by_the_socket(by_socket: HeadNode) -> None:
    assert has_a_job_done(by_socket, ANN).split() == [ANN, f"/home/{ANN}"]
    assert executor_line(by_socket)[0] == "ok"


def test_the_gateway_of_the_pair_can_become_nobody(by_socket: HeadNode) -> None:
    told = what_binds(by_socket, "slurm-gateway")

    assert told["NoNewPrivs"] == "1"
    assert int(told["CapBnd"], 16) == 0
    assert by_socket.says("stat -c '%U %a' /run/slurm-gateway/hand.sock") == "slurm-gateway 600"


def what_binds(node: HeadNode, unit: str) -> dict[str, str]:
    """What the kernel says of a service's process."""
    pid = node.says(f"systemctl show -P MainPID {unit}")
    status = node.sh(f"cat /proc/{pid}/status")
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


# The operator, outside of Kubernetes

API = "/root/api"
PLACE = "/etc/slurm-operator"
JOBS = "/apis/slurm.sylabs.io/v1alpha1/namespaces/physics/slurmjobs"
COW = {
    "metadata": {"name": "cow", "namespace": "physics", "uid": "u-cow", "resourceVersion": "0"},
    "spec": {"batch": "#!/bin/sh\nid -un\n"},
}
OBJECTS = {
    "/api/v1/namespaces/kube-system": {"metadata": {"uid": "u-kube"}},
    "/api/v1/namespaces/default/configmaps/slurm-config": {
        "data": {
            "clusters": json.dumps(
                {
                    "alpha": {
                        "url": "http://127.0.0.1:8040",
                        "token": "slurm-gateway",
                        "namespaces": {"physics": {"user": ANN, "account": "physics"}},
                    }
                }
            )
        }
    },
    f"{JOBS}/cow": COW,
}


def kubeconfig() -> str:
    """What the page shows of it, for the server that is here."""
    (shown,) = (each for each in OPERATOR if "tokenFile" in str(each.lines))
    return "\n".join(shown.lines).replace("kubernetes.example.org", "127.0.0.1")


@pytest.fixture(scope="module")
def operator(by_socket: HeadNode, typist: Typist) -> HeadNode:
    """Its unit is started as the page says, beside a stand-in for the API server."""
    node = by_socket
    node.copy(PROJECT / "tests" / "packaging" / "head_node" / "api_server.py", "/root/server.py")
    typist.types(block(OPERATOR, "Install", "useradd"), directory=SOURCE)
    token = f"{AS_GATEWAY} token make --name operator --scopes {','.join(SCOPES)} --run-as {ANN}"
    node.sh(
        f"mkdir --parents {API} {PLACE}/secrets/slurm-gateway\n"
        f"cd {API}\n"
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=api"
        " -addext subjectAltName=IP:127.0.0.1 -keyout key -out ca.crt 2>/dev/null\n"
        "cat key ca.crt >tls.pem\n"
        "echo of-the-account >token\n"
        f"cat >objects.json <<'END'\n{json.dumps(OBJECTS)}\nEND\n"
        f"systemd-run --quiet python3 /root/server.py 6443 {API}\n"
        f"cp ca.crt token {PLACE}/\n"
        f"cat >{PLACE}/kubeconfig <<'END'\n{kubeconfig()}\nEND\n"
        f"{token} --expires 1d | tail -n 1 >{PLACE}/secrets/slurm-gateway/token\n"
        "until curl -sk https://127.0.0.1:6443; do sleep 0.1; done"
    )
    typist.types(block(OPERATOR, "Install", "enable --now slurm-operator"), directory=SOURCE)
    return node


def cow(node: HeadNode) -> dict[str, Any]:
    asked = f"curl -sSk -H 'Authorization: Bearer of-the-account' https://127.0.0.1:6443{JOBS}/cow"
    found: dict[str, Any] = json.loads(node.sh(asked))
    return found


def test_the_operators_unit_comes_up_ready_as_its_own_user(operator: HeadNode) -> None:
    pid = operator.says("systemctl show -P MainPID slurm-operator")

    assert operator.says("systemctl is-active slurm-operator") == "active"
    assert operator.says("systemctl is-enabled slurm-operator") == "enabled"
    assert operator.says(f"stat -c %U /proc/{pid}") == "slurm-operator"


def test_a_slurm_job_is_done_by_the_shipped_units_alone(operator: HeadNode) -> None:
    eventually(
        lambda: cow(operator).get("status", {}).get("phase") == "Succeeded",
        "the cow is done",
        timeout=120,
    )

    assert cow(operator)["status"]["output"]["tail"].strip() == ANN


def test_the_operator_can_become_nobody_and_is_judged_as_installed(operator: HeadNode) -> None:
    told = what_binds(operator, "slurm-operator")
    judged = operator.says("systemd-analyze security --no-pager slurm-operator | tail -n 1")

    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    assert int(told["CapBnd"], 16) == int(told["CapAmb"], 16) == 0
    exposure = re.search(r"slurm-operator.service: ([0-9.]+) OK", judged)
    assert exposure, judged
    assert float(exposure[1]) <= 1.5


def test_the_operator_is_stopped_well_and_a_killed_one_comes_back(operator: HeadNode) -> None:
    before = operator.says("systemctl show -P MainPID slurm-operator")
    operator.sh(f"kill -9 {before}")

    def is_back() -> bool:
        active, pid = (
            operator.says(f"systemctl show -P {name} slurm-operator")
            for name in ("ActiveState", "MainPID")
        )
        return active == "active" and pid != before

    eventually(is_back, "another process that is ready", timeout=60)

    operator.sh("systemctl stop slurm-operator", timeout=90)

    assert operator.says("systemctl show -P Result slurm-operator") == "success"
    assert operator.says("systemctl show -P ExecMainStatus slurm-operator") == "0"

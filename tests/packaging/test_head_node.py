"""The documented commands, followed literally on a head node with systemd and a real Slurm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.docker.command import DockerFailed
from tests.e2e.program import eventually
from tests.packaging.head_node.node import HeadNode

SERVICES = ("waldur-slurm-service-pull", "waldur-slurm-service-push")
ENV_FILES = "/etc/waldur-slurm-service/pull.env /etc/waldur-slurm-service/push.env"
SOURCE = "/root/waldur-slurm-agent"

INSTALL = """
cp systemd-conf/service-pull/waldur-slurm-service-pull.service /etc/systemd/system/
mkdir /etc/waldur-slurm-service/
cp systemd-conf/service-pull/waldur-slurm-service-pull.env /etc/waldur-slurm-service/pull.env
cp ./config-components.yaml /etc/waldur-slurm-service/tres.yaml
cp systemd-conf/service-push/waldur-slurm-service-push.service /etc/systemd/system/
cp systemd-conf/service-push/waldur-slurm-service-push.env /etc/waldur-slurm-service/push.env
"""

START = """
systemctl daemon-reload
systemctl start waldur-slurm-service-pull
systemctl enable waldur-slurm-service-pull
systemctl start waldur-slurm-service-push
systemctl enable waldur-slurm-service-push
"""


@pytest.fixture(scope="module")
def node(docker_engine: str, wheels: Path) -> Iterator[HeadNode]:
    """The agent is installed and its services run, as the README says."""
    with HeadNode.start() as node:
        node.copy(wheels, "/root/wheels")
        node.sh(
            "python3 -m venv /opt/waldur-slurm-agent\n"
            "/opt/waldur-slurm-agent/bin/pip install --quiet --no-index --find-links /root/wheels"
            " waldur-slurm-agent"
        )
        said = node.sh(
            "python3 -m sandbox waldur start /root/waldur --ready --port 8080 --for 30m",
            directory=SOURCE,
        )
        told = dict(line.split()[:2] for line in reversed(said.splitlines()) if line.strip())
        token = next(line.split()[1] for line in said.splitlines() if line.endswith("provider"))
        node.sh(
            "python3 -m sandbox waldur customer /root/waldur Science\n"
            "python3 -m sandbox waldur project /root/waldur Science Physics",
            directory=SOURCE,
        )
        node.sh(INSTALL, directory=SOURCE)
        # Don't forget to modify Waldur-related values in the env files.
        own = {
            "WALDUR_API_URL": told["address"],
            "WALDUR_API_TOKEN": token,
            "WALDUR_OFFERING_UUID": told["offering"],
        }
        for variable, value in own.items():
            node.sh(f"sed -i 's|^{variable}=[^ ]*|{variable}={value}|' {ENV_FILES}")
        node.sh(f"echo WALDUR_SYNC_INTERVAL=2 | tee -a {ENV_FILES}")
        node.sh(START)
        yield node


def is_well(node: HeadNode, service: str) -> bool:
    return node.says(f"systemctl show -P StatusText {service}").startswith("last cycle ended well")


def test_both_services_run_and_will_run_after_a_reboot(node: HeadNode) -> None:
    for service in SERVICES:
        assert node.says(f"systemctl is-active {service}") == "active"
        assert node.says(f"systemctl is-enabled {service}") == "enabled"
        eventually(lambda s=service: is_well(node, s), f"a good cycle of {service}")  # type: ignore[misc]  # bound at once


def test_an_order_becomes_an_account_by_a_service_that_may_do_little_else(node: HeadNode) -> None:
    node.sh(
        "python3 -m sandbox waldur create /root/waldur Physics daily --limit cpu=5",
        directory=SOURCE,
    )

    def is_there() -> bool:
        return "_daily" in node.sh("sacctmgr -nP show account format=account")

    eventually(is_there, "the account of the order")
    audit = "/var/log/waldur-slurm-agent/pull-audit.jsonl"
    eventually(lambda: '"order.done"' in node.sh(f"cat {audit}"), "the order is done")
    assert '"account.added"' in node.sh(f"cat {audit}")


def test_the_journal_knows_the_service_and_how_grave_a_line_is(node: HeadNode) -> None:
    said = node.sh("journalctl --no-pager -t waldur-slurm-service-pull -p info")

    assert "agent.started" in said
    assert "<6>" not in said


def test_check_works_with_the_env_file_of_the_service(node: HeadNode) -> None:
    said = node.sh(
        "/opt/waldur-slurm-agent/bin/waldur-slurm-agent"
        " --env-file /etc/waldur-slurm-service/pull.env check"
    )

    assert "The agent can run" in said


def test_reload_reads_the_tres_file_again(node: HeadNode) -> None:
    node.sh("systemctl reload waldur-slurm-service-pull")

    eventually(lambda: "reload.done" in node.journal(SERVICES[0]), "the reload")


def test_a_service_that_was_killed_comes_back(node: HeadNode) -> None:
    before = node.says(f"systemctl show -P MainPID {SERVICES[0]}")
    node.sh(f"kill -9 {before}")

    def is_back() -> bool:
        now = node.says(f"systemctl show -P MainPID {SERVICES[0]}")
        return now not in ("0", before) and is_well(node, SERVICES[0])

    eventually(is_back, "another process", timeout=40)


def test_a_service_that_hangs_is_ended_and_comes_back(node: HeadNode) -> None:
    """The unit's own 15 minutes are shortened: the agent takes its pace from what it is told."""
    drop_in = f"/etc/systemd/system/{SERVICES[0]}.service.d/hang.conf"
    node.sh(
        f"mkdir -p $(dirname {drop_in})\nprintf '[Service]\\nWatchdogSec=10\\n' >{drop_in}\n"
        f"systemctl daemon-reload\nsystemctl restart {SERVICES[0]}"
    )
    eventually(lambda: is_well(node, SERVICES[0]), "a good cycle")
    before = node.says(f"systemctl show -P MainPID {SERVICES[0]}")
    node.sh(f"kill -STOP {before}")

    eventually(lambda: "Watchdog timeout" in node.journal(SERVICES[0]), "the hang is seen")
    node.sh(f"rm {drop_in}\nsystemctl daemon-reload")

    def is_back() -> bool:
        now = node.says(f"systemctl show -P MainPID {SERVICES[0]}")
        return now not in ("0", before) and is_well(node, SERVICES[0])

    eventually(is_back, "another process", timeout=60)


def test_a_service_ends_within_seconds_and_well(node: HeadNode) -> None:
    node.sh(f"timeout 15 systemctl stop {SERVICES[1]}")

    assert node.says(f"systemctl show -P Result {SERVICES[1]}") == "success"
    assert "agent.stopped" in node.journal(SERVICES[1])
    node.sh(f"systemctl start {SERVICES[1]}")


def test_wrong_settings_are_not_tried_again_and_again(node: HeadNode) -> None:
    node.sh(
        f"systemctl stop {SERVICES[1]}\n"
        "echo BILLING_TIMEZONE=Europe/Nowhere >>/etc/waldur-slurm-service/push.env"
    )
    with pytest.raises(DockerFailed):
        node.sh(f"systemctl start {SERVICES[1]}")

    assert node.says(f"systemctl show -P ExecMainStatus {SERVICES[1]}") == "78"
    assert node.says(f"systemctl is-active {SERVICES[1]}") == "failed"
    assert "BILLING_TIMEZONE: found 'Europe/Nowhere'" in node.journal(SERVICES[1])
    node.sh("sed -i '/Nowhere/d' /etc/waldur-slurm-service/push.env")
    node.sh(f"systemctl start {SERVICES[1]}")


def test_the_service_works_as_a_user_of_its_own(node: HeadNode) -> None:
    node.sh(
        "useradd --system --home-dir /var/lib/waldur-slurm-agent waldur-slurm\n"
        'sacctmgr -i add account waldur_service description="service of Waldur"\n'
        "sacctmgr -i add user waldur-slurm account=waldur_service adminlevel=Operator\n"
        "chown root:waldur-slurm /etc/waldur-slurm-service/*.env\n"
        "chmod 0640 /etc/waldur-slurm-service/*.env\n"
        "chown -R waldur-slurm: /var/lib/waldur-slurm-agent /var/log/waldur-slurm-agent\n"
        f"mkdir -p /etc/systemd/system/{SERVICES[0]}.service.d\n"
        "printf '[Service]\\nUser=waldur-slurm\\n'"
        f" >/etc/systemd/system/{SERVICES[0]}.service.d/user.conf\n"
        f"systemctl daemon-reload\nsystemctl restart {SERVICES[0]}"
    )
    eventually(lambda: is_well(node, SERVICES[0]), "a good cycle as waldur-slurm")
    node.sh(
        "python3 -m sandbox waldur create /root/waldur Physics byuser --limit cpu=5",
        directory=SOURCE,
    )

    def is_there() -> bool:
        return "_byuser" in node.sh("sacctmgr -nP show account format=account")

    eventually(is_there, "the account made by waldur-slurm")


def test_the_legacy_unit_runs_the_same_service(node: HeadNode) -> None:
    node.sh(
        f"cp systemd-conf/service-push/{SERVICES[1]}-legacy.service"
        f" /etc/systemd/system/{SERVICES[1]}.service\n"
        f"systemctl daemon-reload\nsystemctl restart {SERVICES[1]}",
        directory=SOURCE,
    )

    eventually(lambda: is_well(node, SERVICES[1]), "a good cycle of the legacy unit")

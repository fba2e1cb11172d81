"""The README typed to the letter, on a head node with systemd and a real Slurm."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.docker.command import DockerFailed
from tests import readme
from tests.e2e.program import eventually
from tests.packaging.head_node.newcomer import ENV_FILES, SOURCE, Newcomer, Typed
from tests.packaging.head_node.node import HeadNode
from waldur_slurm import __version__

SERVICES = ("waldur-slurm-service-pull", "waldur-slurm-service-push")
SHOWS = ("check", "--diag", "plan", "settings", "usage", "--load-components")
"""The README's commands that may be typed beside a running service."""


@pytest.fixture(scope="module")
def newcomer(docker_engine: str, wheels: Path) -> Iterator[Newcomer]:
    """Somebody who has installed the agent and put his values into the shipped env files."""
    with HeadNode.start() as node:
        newcomer = Newcomer(node)
        newcomer.reaches(wheels)
        newcomer.succeeds("Install")
        values = newcomer.meets_waldur()
        newcomer.succeeds("As systemd services", 0, SOURCE)
        newcomer.fills_in(values)
        newcomer.succeeds("The offering in Waldur")
        newcomer.waldur("customer Science")
        newcomer.waldur("project Science Physics")
        newcomer.waldur("user ann")
        newcomer.waldur("join Physics ann")
        newcomer.waldur("create Physics first --limit cpu=5")
        yield newcomer


@dataclass(frozen=True)
class Before:
    """What was seen before the first start."""

    loaded: list[Typed]
    looked: list[Typed]
    commands: dict[str, Typed]


@pytest.fixture(scope="module")
def before(newcomer: Newcomer) -> Before:
    return Before(
        loaded=newcomer.succeeds("What is sold: the TRES configuration"),
        looked=newcomer.types(readme.blocks("As systemd services")[1]),
        commands={words: type_command(newcomer, words) for words in readme.commands()},
    )


@pytest.fixture(scope="module")
def node(newcomer: Newcomer, before: Before) -> HeadNode:
    """Its services run."""
    newcomer.node.sh(f"echo WALDUR_SYNC_INTERVAL=2 | tee -a {ENV_FILES}")
    newcomer.succeeds("As systemd services", 2)
    return newcomer.node


def type_command(newcomer: Newcomer, words: str) -> Typed:
    """With an allocation whose account was lost, and another account in its place."""
    if words.startswith("adopt"):
        lost, resource = allocation(newcomer, "first")
        newcomer.node.sh(
            f"sacctmgr -i delete account {lost}\nsacctmgr -i add account by_hand parent=root"
        )
        words = words.replace("RESOURCE", resource).replace("ACCOUNT", "by_hand")
    is_of_push = words.startswith(("usage", "backfill"))
    return newcomer.command(words, "push" if is_of_push else "pull")


def allocation(newcomer: Newcomer, name: str) -> tuple[str, str]:
    """The account of a resource in Slurm, and the resource's uuid, which its mark has."""
    rows = newcomer.node.sh("sacctmgr -nP show account format=account,description").splitlines()
    (row,) = (row for row in rows if row.split("|")[0].endswith(f"_{name}"))
    account, _, description = row.partition("|")
    (resource,) = re.findall(r"[0-9a-f]{32}(?![0-9a-f])(?!.*[0-9a-f]{32})", description)
    return account, resource


# Before the first start


def test_what_is_installed_is_not_the_original_agent(newcomer: Newcomer) -> None:
    said = next(t.shown for t in newcomer.heard if t.line == "waldur-slurm-agent --version")

    assert said.split() == ["waldur-slurm-agent", __version__]


def test_the_python_of_the_environment_is_the_same_command(newcomer: Newcomer) -> None:
    (python,) = re.findall(r"`(/opt/\S+/python3)`", readme.README)

    said = newcomer.node.sh(f"{python} -m waldur_slurm.main --version")

    assert said.split() == ["waldur-slurm-agent", __version__]


def test_the_components_are_shown_and_then_made(before: Before) -> None:
    shown, made = (typed.shown for typed in before.loaded)

    assert "create" in shown
    assert shown.removesuffix("Nothing was changed: this was a dry run.\n") == made
    assert "create" not in before.commands["--load-components"].shown


def test_check_and_plan_work_with_the_shipped_env_file(before: Before) -> None:
    check, plan = before.looked

    assert (check.code, plan.code) == (0, 10), check.shown
    assert "The agent can run" in check.shown
    assert "approve order" in plan.shown


def test_every_command_of_the_table_works(before: Before) -> None:
    codes = {words: typed.code for words, typed in before.commands.items()}

    assert codes == dict.fromkeys(codes, 0) | {"plan": 10}
    assert "account.added" in before.commands["once"].shown


def test_a_member_has_become_an_offering_user(newcomer: Newcomer, before: Before) -> None:
    asked = "${WALDUR_API_URL}marketplace-offering-users/?offering_uuid=$WALDUR_OFFERING_UUID"
    said = newcomer.node.sh(
        "set -eu; . /etc/waldur-slurm-service/pull.env\n"
        f'curl -sS -H "Authorization: Token $WALDUR_API_TOKEN" "{asked}"'
    )

    assert [user["user_username"] for user in json.loads(said)] == ["ann"]


# After it


@pytest.mark.parametrize("words", readme.commands())
def test_what_shows_works_beside_the_services_and_what_changes_says_who_is_there(
    node: HeadNode, newcomer: Newcomer, words: str
) -> None:
    eventually(lambda: is_well(node, SERVICES[0]), "a good cycle of pull")
    eventually(lambda: is_well(node, SERVICES[1]), "a good cycle of push")
    typed = words.replace("RESOURCE", "0" * 32).replace("ACCOUNT", "by_hand")
    env = "push" if words.startswith(("usage", "backfill")) else "pull"

    said = newcomer.command(typed, env)

    wanted = {0, 11} if words == "plan" else {0} if words in SHOWS else {75}
    assert said.code in wanted, said.shown


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


def test_what_wants_to_be_alone_works_again_once_the_service_is_stopped(
    node: HeadNode, newcomer: Newcomer
) -> None:
    node.sh(f"systemctl stop {' '.join(SERVICES)}")
    (backfill,) = (words for words in readme.commands() if words.startswith("backfill"))

    said = [newcomer.command("once"), newcomer.command(backfill, "push")]

    node.sh(f"systemctl start {' '.join(SERVICES)}")
    assert [typed.code for typed in said] == [0, 0], said


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


def test_a_second_offering_is_served_beside_the_first_by_the_templates(
    node: HeadNode, newcomer: Newcomer
) -> None:
    """Of another Waldur; between its minutely cycles an order is served by a look."""
    section, second = "Several offerings on one host", "/root/second-waldur"
    values = newcomer.meets_waldur(second, 8081)
    newcomer.succeeds(section, 0, SOURCE)
    place = "/etc/waldur-slurm-service/gpu"
    newcomer.fills_in(values, f"{place}/pull.env {place}/push.env")
    node.sh(f"waldur-slurm-agent --env-file {place}/pull.env --load-components")
    (option,) = readme.blocks("The offering in Waldur")
    node.sh("\n".join(option.lines).replace("waldur-slurm-service/", "waldur-slurm-service/gpu/"))
    for words in ("customer Arts", "project Arts Painting"):
        newcomer.waldur(words, second)

    newcomer.succeeds(section, 1)
    newcomer.waldur("create Painting canvas --limit cpu=5", second)

    def is_there() -> bool:
        return "_canvas" in node.sh("sacctmgr -nP show account format=account")

    eventually(is_there, "the account of the order")
    both = [f"{service}@gpu" for service in SERVICES]
    for service in (*SERVICES, *both):
        eventually(lambda s=service: is_active(node, s), f"{service} runs")  # type: ignore[misc]  # bound at once
    assert len(node.sh("ls -d /var/lib/waldur-slurm-agent/*/pull/lock").split()) == 2
    assert "_canvas" not in node.sh("cat /var/log/waldur-slurm-agent/pull-audit.jsonl")
    assert "_canvas" in node.sh("cat /var/log/waldur-slurm-agent/gpu-pull-audit.jsonl")
    again = node.says(f"waldur-slurm-agent --env-file {place}/pull.env once; echo $?")
    assert again.endswith("75"), "the offering is served already"
    node.sh(f"systemctl disable --now {' '.join(both)}")


def is_active(node: HeadNode, service: str) -> bool:
    return node.says(f"systemctl is-active {service}") == "active"


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


def test_the_legacy_units_run_the_same_services(node: HeadNode, newcomer: Newcomer) -> None:
    newcomer.succeeds("As systemd services", 3, SOURCE)
    node.sh(f"systemctl daemon-reload\nsystemctl restart {' '.join(SERVICES)}")

    for service in SERVICES:
        assert "RestrictNamespaces=yes" not in node.sh(f"systemctl cat {service}")
        eventually(lambda s=service: is_well(node, s), "a good cycle of a legacy unit")  # type: ignore[misc]  # bound at once


def test_every_line_that_the_readme_has_for_a_head_node_was_typed(
    node: HeadNode, newcomer: Newcomer
) -> None:
    here = "tests/packaging/test_head_node.py"
    sections = [section for section, module in readme.TYPED_BY.items() if module == here]
    wanted = {line for section in sections for line in readme.lines(section)}
    newcomer.succeeds("As systemd services", 3, SOURCE)

    assert wanted - {typed.line for typed in newcomer.heard} == set()

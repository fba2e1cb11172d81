"""`plan`, `once` and `--load-components`, typed against a real Slurm and a running Waldur."""

import json
from pathlib import Path

import pytest
import requests

from sandbox.slurm import Cluster
from sandbox.waldur import DialectName
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur

# A unit of 0.1 TRES-minutes, so that a job of seconds is seen: 6 CPU-seconds.
SECONDS = """
cpu:
  limit: 100000
  measured_unit: tenths of a minute
  accounting_type: usage
  label: CPU
  unit_factor: 0.1
"""


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_a_plan_is_shown_carried_out_and_then_empty(
    dialect: DialectName,
    start_waldur: StartWaldur,
    new_program: NewProgram,
    slurm_cluster: Cluster,
) -> None:
    waldur = start_waldur(dialect)
    program = new_program(waldur)
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    resource = waldur.order_create(project, "simulation", {"cpu": 10}).resource_uuid

    shown = program.run("plan")
    assert shown.returncode == 10, shown.stdout + shown.stderr
    assert waldur.writes() == []
    data = json.loads(program.run("plan", "--json").stdout)
    assert data["kind"] == "changes"
    planned = [s["after"]["name"] for s in data["steps"] if s["step"] == "account.added"]

    done = program.run("once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert waldur.resource(resource)["state"] == "OK"

    assert program.run("plan").returncode == 0
    account = waldur.resource(resource)["backend_id"]
    assert account == planned[-1]
    limits = slurm_cluster.must(
        "sacctmgr", "-nP", "show", "assoc", f"account={account}", "format=grptresmins"
    )
    assert "cpu=" in limits

    audit = (program.directory / "audit.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in audit]
    assert events[0] == "order.approved"
    assert events[-1] == "order.done"
    assert waldur.tokens.provider not in "".join([*program.said, *audit])


def test_an_order_that_waits_for_waldurs_own_worker_is_told(
    start_waldur: StartWaldur, new_program: NewProgram
) -> None:
    waldur = start_waldur("transition", allocation_delay=3600)
    program = new_program(waldur)
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    order = waldur.order_create(project, "simulation", {"cpu": 10})
    said = "Waldur has not made its allocation yet"

    once = program.run("once")
    plan = program.run("plan")

    assert (once.returncode, plan.returncode) == (0, 11)
    assert once.stdout == "1 change, 0 failures\n"
    assert said in once.stderr
    assert f"awaits Waldur: {order.uuid}: {said}" in plan.stdout


def test_the_customer_of_an_order_that_is_not_carried_out_reads_why(
    start_waldur: StartWaldur, new_program: NewProgram
) -> None:
    waldur = start_waldur("today")
    waldur.change_offering(plugin_options={"enable_provider_consumer_messaging": True})
    tres = new_program(waldur).directory / "tres.yaml"
    tres.write_text(SECONDS.replace("cpu:", "mem:").replace("CPU", "RAM"))
    program = new_program(waldur, SLURM_TRES_CONFIG_PATH=str(tres))
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    order = waldur.order_create(project, "simulation", {"cpu": 10})

    plan, once, again = program.run("plan"), program.run("once"), program.run("once")

    assert f"tell the customer of order {order.uuid}: This order waits" in plan.stdout
    assert "1 change, 0 failures" in once.stdout
    assert "0 changes, 0 failures" in again.stdout
    asked = f"{waldur.url}marketplace-orders/{order.uuid}/"
    token = {"Authorization": f"Token {waldur.tokens.customer}"}
    shown = requests.get(asked, headers=token, timeout=20).json()
    assert shown["state"] == "pending-provider"
    assert shown["provider_message"].endswith("This offering does not sell 'cpu'.")


def test_programs_of_the_site_hear_of_new_accounts_and_users(
    start_waldur: StartWaldur,
    new_program: NewProgram,
    slurm_users: tuple[str, ...],
    tmp_path: Path,
) -> None:
    waldur = start_waldur("today")
    hooks, heard = tmp_path / "hooks", tmp_path / "heard"
    hooks.mkdir(mode=0o755)
    for name in ("account.added", "user.added"):
        (hooks / name).write_text(f"#!/bin/sh\ncat >>{heard}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    program = new_program(waldur, AGENT_HOOK_DIR=str(hooks))
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    user = waldur.make_user("ann")
    waldur.add_member(project, user)
    waldur.set_offering_username(user, slurm_users[0])
    waldur.order_create(project, "simulation", {"cpu": 10})

    assert program.run("once").returncode == 0

    told = [json.loads(line) for line in heard.read_text().splitlines()]
    names = [each["after"]["name"] for each in told if each["event"] == "account.added"]
    assert [name.rpartition("_")[2] for name in names if "simulation" in name] == ["simulation"]
    (joined,) = [each for each in told if each["event"] == "user.added"]
    assert joined == {"event": "user.added", "account": names[-1], "user": slurm_users[0]}
    assert program.run("once").returncode == 0
    assert len(heard.read_text().splitlines()) == len(told)
    assert "account.added, user.added" in program.run("check").stdout


def test_without_waldur_a_command_is_to_be_tried_again(
    start_waldur: StartWaldur, new_program: NewProgram
) -> None:
    waldur = start_waldur("today")
    program = new_program(waldur)
    waldur.kill()

    for command in ("plan", "once"):
        done = program.run(command)
        assert (done.returncode, done.stdout) == (75, "")
        assert done.stderr.splitlines()[-1].startswith("waldur-slurm-agent: ")


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_components_are_loaded_once_however_often_it_is_asked(
    dialect: DialectName, start_waldur: StartWaldur, new_program: NewProgram
) -> None:
    waldur = start_waldur(dialect)
    program = new_program(waldur)

    shown = program.run("--load-components", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert waldur.writes() == []

    first = program.run("--load-components")
    assert first.returncode == 0, first.stderr
    assert {c["type"] for c in waldur.components()} >= {"cpu", "mem", "gpu"}
    assert waldur.writes() != []

    waldur.forget_requests()
    second = program.run("--load-components")
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("unchanged") == 3
    assert waldur.writes() == []


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_what_people_used_reaches_waldur_once(
    dialect: DialectName,
    start_waldur: StartWaldur,
    new_program: NewProgram,
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    tmp_path: Path,
) -> None:
    waldur = start_waldur(dialect)
    file = tmp_path / "seconds.yaml"
    file.write_text(SECONDS, encoding="utf-8")
    pull, push = (
        new_program(waldur, direction, SLURM_TRES_CONFIG_PATH=str(file))
        for direction in ("pull", "push")
    )
    assert pull.run("--load-components").returncode == 0
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    ann = waldur.make_user("ann")
    waldur.add_member(project, ann)
    resource = waldur.order_create(project, "measured", {"cpu": 10}).resource_uuid
    assert pull.run("once").returncode == 0
    waldur.set_offering_username(ann, slurm_users[0])
    assert pull.run("once").returncode == 0
    account = waldur.resource(resource)["backend_id"]
    slurm_cluster.submit(slurm_users[0], account, "sleep 2", "--time=1", "--mem=100")
    slurm_cluster.wait_for_jobs()

    shown = push.run("plan")
    assert shown.returncode == 10, shown.stdout + shown.stderr
    done = push.run("once")
    assert done.returncode == 0, done.stdout + done.stderr
    elapsed = slurm_cluster.must(
        "sacct", "-nPX", f"--account={account}", "--format=elapsedraw", "--starttime=now-1day"
    )
    (usage,) = [one for one in waldur.usages(resource) if one["type"] == "cpu"]
    assert int(elapsed) >= 2
    assert float(usage["usage"]) * 6 == pytest.approx(int(elapsed), abs=0.03)

    waldur.forget_requests()
    assert push.run("plan").returncode == 0
    assert push.run("once").stdout == "0 changes, 0 failures\n"
    assert waldur.writes() == []


def test_an_account_is_adopted_on_a_persons_word_and_no_other(
    start_waldur: StartWaldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    waldur = start_waldur("today")
    program = new_program(waldur)
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    resource = waldur.order_create(project, "older", {"cpu": 10}).resource_uuid
    assert program.run("once").returncode == 0
    made = waldur.resource(resource)["backend_id"]
    slurm_cluster.must("sacctmgr", "-i", "delete", "account", made)
    slurm_cluster.must("sacctmgr", "-i", "add", "account", "by_hand")
    waldur.change("resources", resource, backend_id="by_hand")

    drift = program.run("plan")
    assert (drift.returncode, "not ours" in drift.stdout) == (11, True), drift.stdout
    unknown = program.run("adopt", resource, "nosuch")
    assert unknown.returncode == 1
    assert "Slurm knows no account nosuch" in unknown.stderr

    assert program.run("adopt", resource, "by_hand").returncode == 0
    assert "not ours" not in program.run("plan").stdout
    again = program.run("adopt", resource, "by_hand")
    assert again.returncode == 1
    assert "carries a mark already" in again.stderr
    audit = (program.directory / "audit.jsonl").read_text().splitlines()
    assert json.loads(audit[-1])["fields"]["account"] == "by_hand"

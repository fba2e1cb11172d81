"""`check` against a site with each thing broken in turn: the right line fails, its advice works."""

import subprocess
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.program import Program
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from tests.places import PROJECT


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


def troubles(program: Program, **changes: str) -> dict[str, str]:
    """What is not in order, with the verdict on it."""
    findings = program.data("check", **changes)["findings"]
    return {f["subject"]: f["verdict"] for f in findings if f["verdict"] != "ok"}


def failures(program: Program, **changes: str) -> set[str]:
    return {subject for subject, said in troubles(program, **changes).items() if said == "failed"}


def test_a_site_in_order_is_fit_by_every_name_of_the_command(
    waldur: Waldur, new_program: NewProgram
) -> None:
    program = new_program(waldur)

    for arguments in (["check"], ["--diag"]):
        done = program.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "default account" in done.stdout
        assert waldur.tokens.provider not in done.stdout + done.stderr


def test_every_command_works_with_the_shipped_places_before_the_first_start(
    waldur: Waldur, new_program: NewProgram
) -> None:
    """Where nothing has made the directories of the units yet: on empty /var/lib and /var/log."""
    program = new_program(
        waldur,
        AGENT_STATE_DIR="",
        AGENT_AUDIT_LOG="/var/log/waldur-slurm-agent/pull-audit.jsonl",
    )
    script = (
        "mount -t tmpfs fresh /var/lib && mount -t tmpfs fresh /var/log || exit 99\n"
        'for command in check plan "--load-components --dry-run" --load-components check; do\n'
        '    "$@" $command || exit 1\n'
        '    test -e /var/log/waldur-slurm-agent && echo "made by $command" && exit 2\n'
        "done\n"
        '"$@" once && stat --format=%a /var/log/waldur-slurm-agent\n'
    )

    done = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", script, "sh", *program.argv()],  # noqa: S607 - as `mount`
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=PROJECT,
        env=program.environ,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    unbroken = " ".join(done.stdout.split())
    assert "/var/log/waldur-slurm-agent is made when the service starts" in unbroken
    assert done.stdout.endswith("\n0 changes, 0 failures\n700\n")


def test_it_changes_nothing(
    waldur: Waldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    program = new_program(waldur)
    before = slurm_cluster.must("sacctmgr", "-nP", "list", "transactions", "format=id")

    program.run("check")

    assert slurm_cluster.must("sacctmgr", "-nP", "list", "transactions", "format=id") == before
    assert waldur.writes() == []
    assert list(program.directory.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        ({"WALDUR_API_URL": "http://127.0.0.1:9/api/"}, "Waldur"),
        ({"WALDUR_API_TOKEN": "0" * 40}, "token"),
        ({"WALDUR_OFFERING_UUID": "0" * 32}, "offering"),
        ({"SLURM_BIN_PATH": "/nonexistent"}, "Slurm"),
        ({"SLURM_CLUSTER_NAME": "elsewhere"}, "controller"),
        ({"SLURM_DEFAULT_ACCOUNT": "nosuch"}, "default account"),
        ({"SLURM_TRES_CONFIG_PATH": "/nonexistent/tres.yaml"}, "TRES file"),
        ({"AGENT_STATE_DIR": "/dev/null/state"}, "state directory"),
        ({"AGENT_AUDIT_LOG": "/nonexistent/audit.jsonl"}, "audit log"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_broken_fails_by_its_own_name(
    waldur: Waldur, new_program: NewProgram, broken: dict[str, str], subject: str
) -> None:
    program = new_program(waldur)

    assert subject in failures(program, **broken)
    assert program.run("check", **broken).returncode == 1


def test_the_token_of_a_stranger_lacks_the_rights(waldur: Waldur, new_program: NewProgram) -> None:
    assert failures(new_program(waldur), WALDUR_API_TOKEN=waldur.tokens.stranger)


def test_a_tres_that_slurm_does_not_know_fails(
    waldur: Waldur, new_program: NewProgram, tmp_path: Path
) -> None:
    file = tmp_path / "tres.yaml"
    text = (PROJECT / "config-components.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("gres/gpu", "gres/fpga"), encoding="utf-8")

    assert failures(new_program(waldur), SLURM_TRES_CONFIG_PATH=str(file)) == {"TRES in Slurm"}


def test_the_advice_on_a_missing_default_account_works(
    waldur: Waldur, new_program: NewProgram, slurm_cluster: Cluster
) -> None:
    program = new_program(waldur, SLURM_DEFAULT_ACCOUNT="wsat_parent")
    (finding,) = [f for f in program.data("check")["findings"] if f["subject"] == "default account"]

    assert "sacctmgr add account wsat_parent" in finding["advice"]
    slurm_cluster.must("sacctmgr", "-i", "add", "account", "wsat_parent")

    assert failures(program) == set()
    slurm_cluster.must("sacctmgr", "-i", "delete", "account", "wsat_parent")


def test_push_needs_no_default_account_and_says_that_it_sees_everything(
    waldur: Waldur, new_program: NewProgram
) -> None:
    program = new_program(
        waldur, WALDUR_SYNC_DIRECTION="push", SLURM_DEFAULT_ACCOUNT="wsat_no_such_account"
    )

    findings = {f["subject"]: f["verdict"] for f in program.data("check")["findings"]}

    assert program.run("check").returncode == 0
    assert findings["right to see everything"] == "ok"
    assert "default account" not in findings


def test_people_who_do_not_resolve_are_named(waldur: Waldur, new_program: NewProgram) -> None:
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    user = waldur.make_user("ann")
    waldur.add_member(project, user)
    waldur.set_offering_username(user, "nosuchperson")
    program = new_program(waldur, SLURM_REQUIRE_UNIX_USERS="true")

    assert troubles(program)["Unix users"] == "warning"
    assert "nosuchperson" in program.run("check").stdout

"""`usage` and `backfill`, typed against a real Slurm and a running Waldur."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.program import Program
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.state import StateDirectory

# A unit of 0.1 TRES-minutes, so that a job of seconds is seen: 6 CPU-seconds.
SECONDS = """
cpu:
  limit: 100000
  measured_unit: tenths of a minute
  accounting_type: usage
  label: CPU
  unit_factor: 0.1
"""


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


@pytest.fixture
def push(
    waldur: Waldur,
    new_program: NewProgram,
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    tmp_path: Path,
) -> Program:
    """A site on which somebody has run one job, and nothing is reported yet."""
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
    resource = waldur.order_create(project, "shown", {"cpu": 10}).resource_uuid
    assert pull.run("once").returncode == 0
    waldur.set_offering_username(ann, slurm_users[0])
    assert pull.run("once").returncode == 0
    account = waldur.resource(resource)["backend_id"]
    slurm_cluster.submit(slurm_users[0], account, "sleep 2", "--time=1", "--mem=100")
    slurm_cluster.wait_for_jobs()
    return push


def test_a_person_sees_what_was_used_and_what_waldur_holds_of_it(push: Program) -> None:
    (before,) = push.data("usage")["usage"]
    assert push.run("once").returncode == 0
    (after,) = push.data("usage")["usage"]

    assert before["tres_seconds"] >= 2
    assert (before["in_waldur"], before["difference"]) == ("0", before["measured"])
    assert after["measured"] == before["measured"]
    assert float(after["difference"]) == 0
    table = push.run("usage")
    assert table.returncode == 0
    assert before["account"] in table.stdout


def test_usage_is_shown_by_user_by_day_and_as_csv(
    push: Program, slurm_users: tuple[str, ...]
) -> None:
    (by_user,) = push.data("usage", "--by", "user")["usage"]
    (by_day,) = push.data("usage", "--by", "day")["usage"]
    (in_csv,) = csv.DictReader(io.StringIO(push.run("usage", "--csv").stdout))

    assert by_user["user"] == slurm_users[0]
    assert by_day["period"] in (
        str(datetime.now(UTC).date()),
        str((datetime.now(UTC) - timedelta(days=1)).date()),
    )
    assert by_user["measured"] == by_day["measured"] == in_csv["measured"]


def test_an_account_that_is_no_allocations_is_said_to_be_so(push: Program) -> None:
    done = push.run("usage", "--account", "elsewhere")

    assert (done.returncode, done.stdout) == (1, "")
    assert "no allocation of this offering has account elsewhere" in done.stderr


def test_slurms_own_rollup_is_compared(push: Program) -> None:
    done = push.run("usage", "--verify")

    assert done.returncode in (0, 1), done.stderr
    assert "compared with sreport" in done.stdout


def test_nothing_owed_is_nothing_to_acknowledge(push: Program) -> None:
    done = push.run("usage", "--acknowledge", "2026-10", "hpc_x", "--reason", "booked by hand")

    assert (done.returncode, done.stdout) == (1, "nothing is owed for hpc_x in 2026-10\n")


def test_a_debt_is_acknowledged_while_the_service_runs(push: Program) -> None:
    with only_agent(Path(push.environ["AGENT_STATE_DIR"])):
        done = push.run("usage", "--acknowledge", "2026-10", "hpc_x", "--reason", "booked by hand")

    assert (done.returncode, done.stdout) == (1, "nothing is owed for hpc_x in 2026-10\n")


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_month_that_has_not_begun_is_not_filled_in(
    push: Program, waldur: Waldur, dry: tuple[str, ...]
) -> None:
    waldur.forget_requests()

    done = push.run("backfill", "--from", "2026-01", "--to", "2199-01", *dry)

    assert done.returncode == 1
    assert "has not begun" in done.stderr
    assert waldur.writes() == []


def test_a_backfill_is_shown_before_it_is_done(push: Program, waldur: Waldur) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    waldur.forget_requests()

    with only_agent(Path(push.environ["AGENT_STATE_DIR"])):  # as the service does
        shown = push.run("backfill", "--from", month, "--to", month, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "would be told" in shown.stdout
    assert waldur.writes() == []

    done = push.run("backfill", "--from", month, "--to", month)
    assert done.returncode == 0, done.stderr
    assert waldur.writes() != []
    (row,) = push.data("usage")["usage"]
    assert float(row["difference"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["usage", "--month", "soon"],
        ["usage", "--month", "2026-11", "--from", "2026-10"],
        ["usage", "--from", "2026-11", "--to", "2026-10"],
        ["usage", "--json", "--csv"],
        ["usage", "--acknowledge", "2026-10", "hpc_x"],
        ["usage", "--acknowledge", "soon", "hpc_x", "--reason", "x"],
        ["usage", "--account", "a,b"],
        ["backfill"],
        ["--dry-run", "backfill", "--from", "2026-10", "--to", "2026-10"],
    ],
)
def test_contradictions_are_wrong_usage(
    waldur: Waldur, new_program: NewProgram, arguments: list[str]
) -> None:
    assert new_program(waldur, "push").run(*arguments).returncode == 2


def test_filling_in_belongs_to_the_pushing_service(waldur: Waldur, new_program: NewProgram) -> None:
    done = new_program(waldur, "pull").run("backfill", "--from", "2026-10", "--to", "2026-10")

    assert done.returncode == 78
    assert "expected push" in done.stderr


def test_what_an_allocation_owed_when_it_ended_is_acknowledged_with_pulls_settings(
    waldur: Waldur, new_program: NewProgram
) -> None:
    pull = new_program(waldur, "pull")
    owed = {"month": "2026-10", "account": "hpc_x", "resource": "0" * 32, "component": "cpu"}
    state = StateDirectory(Path(pull.environ["AGENT_STATE_DIR"]))
    state.replace("journal/owed", {"owed": [{**owed, "measured": "2.00", "held": "0"}]})

    shown = pull.run("usage")
    done = pull.run("usage", "--acknowledge", "2026-10", "hpc_x", "--reason", "booked by hand")

    assert "owed: hpc_x in 2026-10: cpu is 2.00, Waldur holds 0" in shown.stdout
    assert (done.returncode, done.stdout) == (0, "acknowledged: hpc_x in 2026-10: cpu 2.00\n")
    assert "owed" not in pull.run("usage").stdout


def test_json_says_what_is_owed(push: Program) -> None:
    assert json.loads(push.run("usage", "--json").stdout)["owed"] == []

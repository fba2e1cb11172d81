"""The real program as a plain Unix user whom Slurm knows as an Operator: enough, and no more."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.slurm.users import ensure_users
from sandbox.waldur import Waldur
from tests.contract.site import Inventory, RealSite
from tests.e2e.lesser_program import LesserProgram, files_of
from tests.e2e.program import Program, eventually, fast_tools
from tests.e2e.test_docker_deployment import TRES, join
from tests.fixtures_program import NewProgram
from tests.fixtures_slurm import open_directory
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.processes.native import NativeTransport

ANN, BOB = "wsat-ann", "wsat-bob"
SERVICE, SERVICE_ACCOUNT = "wsat-service", "wsat_service"
GRANT = ("sacctmgr", "-i", "modify", "user", "where", f"name={SERVICE}", "set")
SMALL = ("--mem=10", "--time=10", "--output=/dev/null")

VICTIM = "hpc_wsat_victim"
NAMES = (
    VICTIM, "root", SERVICE_ACCOUNT, "--all", f"../{VICTIM}", f"{VICTIM},root", "a|b",
    "x where name=root",
)  # fmt: skip
"""What a Waldur that is not what it was would call an allocation's account, or a person."""


@pytest.fixture
def slurm(slurm_cluster: Cluster, slurm_users: tuple[str, ...]) -> Iterator[RealSite]:
    """The shared cluster, where the service's user is an Operator for a while."""
    ensure_users([SERVICE])
    site = RealSite(slurm_cluster, NativeTransport({**slurm_cluster.environ}))
    site.hand("add", "account", SERVICE_ACCOUNT, "cluster=lab")
    who = (SERVICE, f"account={SERVICE_ACCOUNT}", "cluster=lab", "adminlevel=Operator")
    site.hand("add", "user", *who)
    yield site
    site.hand("delete", "user", SERVICE)
    site.hand("delete", "account", SERVICE_ACCOUNT)


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


@pytest.fixture
def place(slurm_cluster: Cluster) -> Iterator[Path]:
    """What the service needs to read, and in `own` all that it may write."""
    place = open_directory()
    (place / "own").mkdir()
    fast_tools(place / "bin", slurm_cluster.environ)
    (place / "components.yaml").write_text(TRES)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def agent(slurm: RealSite, waldur: Waldur, new_program: NewProgram, place: Path) -> LesserProgram:
    """One that goes in either direction; each has a state of its own."""
    shutil.chown(place / "own", SERVICE)
    program = new_program(
        waldur,
        SLURM_BIN_PATH=str(place / "bin"),
        SLURM_TRES_CONFIG_PATH=str(place / "components.yaml"),
        SLURM_REQUIRE_UNIX_USERS="true",
        AGENT_STATE_DIR=str(place / "own" / "state"),
        AGENT_AUDIT_LOG=str(place / "own" / "audit.jsonl"),
    )
    return LesserProgram(program.environ, program.directory, user=SERVICE)


def test_pull_and_push_need_an_operator_and_nothing_more(
    agent: LesserProgram, waldur: Waldur, slurm: RealSite, place: Path
) -> None:
    before = slurm.inventory()
    had = files_of(SERVICE)
    assert agent.run("--load-components").returncode == 0
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    join(waldur, project, ANN)
    bob = join(waldur, project, BOB)
    resource = waldur.order_create(project, "modest", {"gpu": 2}).resource_uuid
    cycle(agent)
    account = waldur.resource(resource)["backend_id"]
    assert members(slurm, account) == {ANN, BOB}

    job = submit(slurm, account, "sleep 2")
    waldur.remove_member(project, bob)
    waldur.order_update(resource, {"gpu": 7})
    cycle(agent)
    assert members(slurm, account) == {ANN}
    assert "gres/gpu=420" in column(slurm, account, "grptresmins")
    soon(lambda: state_of(slurm, job) == "COMPLETED", "the job has ended")

    def is_reported() -> bool:
        cycle(agent, WALDUR_SYNC_DIRECTION="push", AGENT_STATE_DIR=str(place / "own" / "push"))
        return [u["type"] for u in waldur.usages(resource) if float(u["usage"]) > 0] == ["cpu"]

    soon(is_reported, "the accounting knows the job and Waldur what it used")

    lasting = submit(slurm, account, "sleep 600")
    soon(lambda: state_of(slurm, lasting) == "RUNNING", "the job runs")
    waldur.order_terminate(resource)

    def is_gone() -> bool:
        agent.run("once", "--remove-empty-now")  # may be refused while the job is ending
        return str(waldur.resource(resource)["state"]) == "Terminated"

    soon(is_gone, "the allocation has ended")
    assert state_of(slurm, lasting).startswith("CANCELLED")
    assert slurm.inventory() == before
    written = files_of(SERVICE) - had
    assert written
    assert all(file.is_relative_to(place / "own") for file in written)


def test_check_tells_the_level_that_is_missing(agent: LesserProgram, slurm: RealSite) -> None:
    def failures() -> dict[str, str]:
        findings = agent.data("check")["findings"]
        return {f["subject"]: f["advice"] for f in findings if f["verdict"] == "failed"}

    assert failures() == {}
    slurm.machine.must(*GRANT, "adminlevel=None")
    assert set(failures()) == {"right to change accounts"}
    assert "set adminlevel=Operator" in failures()["right to change accounts"]
    assert sight_of_push(agent) == ["warning"]
    slurm.machine.must(*GRANT, "adminlevel=Administrator")
    assert failures() == {}
    assert sight_of_push(agent) == ["ok"]


def sight_of_push(agent: LesserProgram) -> list[str]:
    findings = agent.data("check", WALDUR_SYNC_DIRECTION="push")["findings"]
    return [f["verdict"] for f in findings if f["subject"] == "right to see everything"]


def test_without_the_level_nothing_is_changed_and_the_order_waits(
    agent: LesserProgram, waldur: Waldur, slurm: RealSite
) -> None:
    slurm.machine.must(*GRANT, "adminlevel=None")
    before = slurm.inventory()
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    order = waldur.order_create(project, "waiting", {"gpu": 1})

    assert agent.run("once").returncode != 0

    assert slurm.inventory() == before
    assert waldur.order(order.uuid)["state"] not in ("done", "erred")


def test_a_hostile_waldur_reaches_nobodys_account_and_no_file(
    agent: LesserProgram, waldur: Waldur, slurm: RealSite, place: Path
) -> None:
    slurm.hand("add", "account", VICTIM, "cluster=lab", "GrpTRESMins=cpu=5000")
    slurm.hand("add", "user", ANN, f"account={VICTIM}", "cluster=lab")
    job = submit(slurm, VICTIM, "sleep 600")
    soon(lambda: state_of(slurm, job) == "RUNNING", "somebody's job runs")
    before = slurm.inventory()
    had = files_of(SERVICE)
    project = waldur.make_project(waldur.make_customer("../../etc"), "--force")
    orders = [waldur.order_create(project, name, {"gpu": 1}) for name in NAMES * 2]
    cycle(agent)

    for number, name in enumerate((*NAMES, SERVICE)):
        waldur.add_member(project, user := waldur.make_user(f"attacker{number}"))
        waldur.set_offering_username(user, name)
    for number, (order, name) in enumerate(zip(orders, NAMES * 2, strict=True)):
        resource = order.resource_uuid
        waldur.change("resources", resource, backend_id=name, slug=name, name=f"{name}\n'; x")
        if number < len(NAMES):
            waldur.order_terminate(resource)
        else:
            waldur.set_flags(resource, paused=True, downscaled=True)
            waldur.order_update(resource, {"gpu": 0})
    for direction in ("pull", "pull", "push", "pull"):
        state = str(place / "own" / direction)
        agent.run("once", WALDUR_SYNC_DIRECTION=direction, AGENT_STATE_DIR=state)

    after = slurm.inventory()
    assert before <= after
    assert others(after) == others(before)
    assert "not ours" in "".join(agent.said)
    assert state_of(slurm, job) == "RUNNING"
    assert slurm.hand("-nP", "show", "user", SERVICE, "format=adminlevel").split() == ["Operator"]
    assert all(file.is_relative_to(place / "own") for file in files_of(SERVICE) - had)
    assert {file.name for file in place.iterdir()} == {"own", "bin", "components.yaml"}
    slurm.machine.must("scancel", str(job))
    soon(lambda: state_of(slurm, job).startswith("CANCELLED"), "the job is over")
    slurm.hand("delete", "account", "where", f"name={VICTIM}")


def soon(holds: Callable[[], bool], what: str) -> None:
    """Wait for as long as Slurm may take on a machine that has much else to do."""
    eventually(holds, what, timeout=180)


def cycle(agent: Program, *options: str, **changes: str) -> None:
    done = agent.run("once", *options, **changes)
    assert done.returncode == 0, done.stderr


def submit(slurm: RealSite, account: str, command: str) -> str:
    batch = ("sbatch", "--parsable", f"--account={account}", *SMALL, f"--wrap={command}")
    return slurm.machine.must(*batch, user=ANN).strip()


def state_of(slurm: RealSite, job: str) -> str:
    return slurm.machine.must("sacct", "-nPX", f"--jobs={job}", "--format=state").strip()


def members(slurm: RealSite, account: str) -> set[str]:
    return set(column(slurm, account, "user").split())


def column(slurm: RealSite, account: str, name: str) -> str:
    return slurm.hand("-nP", "show", "assoc", f"account={account}", f"format={name}")


def others(inventory: Inventory) -> Inventory:
    """Everything that does not stand in an account of the agent's making."""
    return frozenset(
        line for line in inventory if "hpc_" not in repr(line) or f"'{VICTIM}'" in repr(line)
    )

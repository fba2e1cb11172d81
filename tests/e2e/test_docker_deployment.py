"""The real program with `SLURM_DEPLOYMENT_TYPE=docker`, against real Slurm in containers.

Rule: a test that shares its container leaves no trace in the accounting there.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.docker.cluster import ContainerCluster
from sandbox.docker.command import docker
from sandbox.waldur import DialectName, Waldur
from tests.contract.site import RealSite
from tests.e2e.program import Program, eventually
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.slurm.transports.docker import DockerTransport

ANN, BOB = "wsat-ann", "wsat-bob"
DONE, CHANGES, TRY_AGAIN = 0, 10, 75

# A unit of CPU is 6 CPU-seconds, so that a job of seconds is seen.
TRES = """
cpu: {limit: 100000, measured_unit: tenths of a minute, accounting_type: usage, label: CPU,
  unit_factor: 0.1}
gres/gpu: {component: gpu, limit: 1000, measured_unit: hours, accounting_type: limit, label: GPU,
  unit_factor: 60}
"""

Deploy = Callable[..., Program]


@pytest.fixture
def deploy(new_program: NewProgram, tmp_path: Path) -> Deploy:
    """An agent that could reach no Slurm on this host if it tried."""
    tres = tmp_path / "components.yaml"
    tres.write_text(TRES, encoding="utf-8")

    def make(container: str, waldur: Waldur, direction: str = "pull", **changes: str) -> Program:
        return new_program(
            waldur,
            direction,
            SLURM_DEPLOYMENT_TYPE="docker",
            SLURM_CONTAINER_NAME=container,
            SLURM_CONF="/nonexistent",
            SLURM_BIN_PATH="/usr/bin",
            SLURM_REQUIRE_UNIX_USERS="true",
            SLURM_TRES_CONFIG_PATH=str(tres),
            **changes,
        )

    return make


@pytest.fixture
def slurm(request: pytest.FixtureRequest) -> Iterator[RealSite]:
    """The shared container of the release that the test names."""
    cluster: ContainerCluster = request.getfixturevalue(f"container_cluster_{request.param}")
    with closing(DockerTransport(cluster.container)) as transport:
        yield RealSite(cluster, transport)


@pytest.fixture
def container(slurm: RealSite) -> str:
    assert isinstance(slurm.machine, ContainerCluster)
    return slurm.machine.container


@pytest.mark.parametrize(
    ("slurm", "dialect"),
    [*(("22_05", name) for name in DIALECT_NAMES), ("24_11", "today"), ("26_05", "today")],
    indirect=["slurm"],
)
def test_an_allocation_lives_in_the_container_and_leaves_no_trace(
    slurm: RealSite, container: str, dialect: DialectName, start_waldur: StartWaldur, deploy: Deploy
) -> None:
    waldur = start_waldur(dialect)
    agent = deploy(container, waldur)
    before = slurm.inventory()
    assert agent.run("--load-components").returncode == DONE
    customer = waldur.make_customer("Science")
    project = waldur.make_project(customer, "Physics")
    people = {name: join(waldur, project, name) for name in (ANN, BOB)}
    order = waldur.order_create(project, "contained", {"gpu": 2})
    resource = order.resource_uuid

    assert agent.run("plan").returncode == CHANGES
    assert slurm.inventory() == before
    cycle(agent)

    account = waldur.resource(resource)["backend_id"]
    assert parents(slurm, account) == [f"hpc_{project}", f"hpc_{customer}", "root"]
    assert members(slurm, account) == {ANN, BOB}
    assert limits(slurm, account) == {"cpu=10000", "gres/gpu=120"}
    assert waldur.resource(resource)["state"] == "OK"
    assert waldur.order(order.uuid)["state"] == "done"

    waldur.remove_member(project, people[BOB])
    update = waldur.order_update(resource, {"gpu": 7})
    cycle(agent)

    assert members(slurm, account) == {ANN}
    assert limits(slurm, account) == {"cpu=10000", "gres/gpu=420"}
    assert waldur.order(update.uuid)["state"] == "done"
    plan = agent.run("plan")
    assert (plan.returncode, "Nothing to do" in plan.stdout) == (DONE, True), plan.stdout

    end(agent, waldur, resource)
    assert slurm.inventory() == before


@pytest.mark.parametrize("slurm", ["26_05"], indirect=True)
def test_what_a_job_in_the_container_used_arrives_once(
    slurm: RealSite, container: str, start_waldur: StartWaldur, deploy: Deploy
) -> None:
    waldur = start_waldur("today")
    pull, push = (deploy(container, waldur, direction) for direction in ("pull", "push"))
    before = slurm.inventory()
    assert pull.run("--load-components").returncode == DONE
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    join(waldur, project, ANN)
    resource = waldur.order_create(project, "measured", {"gpu": 1}).resource_uuid
    cycle(pull)
    account = waldur.resource(resource)["backend_id"]
    small = ("--mem=10", "--time=1", "--output=/dev/null", "--wrap=sleep 2")
    slurm.machine.must("sbatch", f"--account={account}", *small, user=ANN)
    rows = ("sacct", "-nPX", f"--account={account}", "--starttime=now-1day")
    eventually(lambda: "COMPLETED" in slurm.machine.must(*rows, "--format=state"), "the job ended")
    seconds = int(slurm.machine.must(*rows, "--format=cputimeraw"))

    assert push.run("plan").returncode == CHANGES
    done = push.run("once")
    assert done.returncode == DONE, done.stderr

    (usage,) = [one for one in waldur.usages(resource) if one["type"] == "cpu"]
    assert seconds >= 2
    assert float(usage["usage"]) * 6 == pytest.approx(seconds, abs=0.03)
    waldur.forget_requests()
    assert push.run("once").stdout == "0 changes, 0 failures\n"
    assert waldur.writes() == []

    end(pull, waldur, resource)
    assert slurm.inventory() == before


@pytest.mark.parametrize("slurm", ["22_05"], indirect=True)
def test_slurm_is_asked_as_the_user_that_is_named(
    slurm: RealSite, container: str, start_waldur: StartWaldur, deploy: Deploy
) -> None:
    slurm.machine.must("sh", "-c", f"id {ANN} || useradd --no-create-home {ANN}")
    waldur = start_waldur("today")

    def failures(user: str) -> set[str]:
        findings = deploy(container, waldur, SLURM_CONTAINER_USER=user).data("check")["findings"]
        return {f["subject"] for f in findings if f["verdict"] == "failed"}

    assert failures("root") == set()
    assert failures(ANN) == {"right to change accounts"}
    assert "Slurm" in failures("nobody-of-that-name")


def test_a_container_that_stops_is_not_believed_and_one_in_its_place_is_found(
    docker_engine: str, start_waldur: StartWaldur, deploy: Deploy
) -> None:
    name = f"wsat-comes-and-goes-{uuid.uuid4().hex[:8]}"
    waldur = start_waldur("today")
    agent = deploy(name, waldur, WALDUR_SYNC_INTERVAL="1")
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    with ContainerCluster.start("22.05", name):
        kept = waldur.order_create(project, "kept", {"gpu": 1}).resource_uuid
        cycle(agent)

        with agent.daemon() as daemon:
            daemon.hears("STATUS=last cycle ended well")
            docker("stop", "--time", "0", name)
            daemon.hears("STATUS=failed 1 time in a row")
            waldur.forget_requests()
            late = waldur.order_create(project, "late", {"gpu": 1}).resource_uuid
            daemon.hears("STATUS=failed")

            assert agent.run("plan").returncode == TRY_AGAIN
            assert waldur.writes() == []
            assert waldur.resource(kept)["state"] == "OK"

            with ContainerCluster.start("22.05", name):
                daemon.hears("STATUS=last cycle ended well")
                eventually(lambda: waldur.resource(late)["state"] == "OK", "the late order is done")
            assert daemon.stop() == 0


def join(waldur: Waldur, project: str, username: str) -> str:
    user = waldur.make_user(f"{username}-at-home")
    waldur.set_offering_username(user, username)
    waldur.add_member(project, user)
    return user


def cycle(agent: Program, *options: str) -> None:
    done = agent.run("once", *options)
    assert done.returncode == DONE, done.stderr


def end(agent: Program, waldur: Waldur, resource: str) -> None:
    order = waldur.order_terminate(resource)
    cycle(agent, "--remove-empty-now")
    assert waldur.order(order.uuid)["state"] == "done"
    assert waldur.resource(resource)["state"] == "Terminated"


def associations(slurm: RealSite, account: str, column: str) -> list[str]:
    rows = slurm.hand("-nP", "show", "assoc", f"account={account}", f"format=user,{column}")
    return rows.splitlines()


def members(slurm: RealSite, account: str) -> set[str]:
    return {row.split("|")[0] for row in associations(slurm, account, "account")} - {""}


def of_account(slurm: RealSite, account: str, column: str) -> str:
    """A column of the account's own association, which has no user."""
    (row,) = [row for row in associations(slurm, account, column) if row.startswith("|")]
    return row.removeprefix("|")


def limits(slurm: RealSite, account: str) -> set[str]:
    return set(of_account(slurm, account, "grptresmins").split(","))


def parents(slurm: RealSite, account: str) -> list[str]:
    """The accounts that it stands under, up to the top."""
    found: list[str] = []
    while account != "root":
        account = of_account(slurm, account, "parentname")
        found.append(account)
    return found

"""The agent as a process between a real Slurm and a served Waldur, in three dialects."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.pull_program import IDLE
from tests.e2e.pull_site import LiveSite
from tests.fixtures_waldur import StartWaldur, start_waldur, waldur_server
from waldur_slurm.agent.pull.render import kind_of
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.agent.report.paper import Kind
from waldur_slurm.model.names import AccountName

__all__ = ["start_waldur", "waldur_server"]

ANN, BOB, EVE = "wsat-ann", "wsat-bob", "wsat-eve"
SMALL = ("--mem=100", "--time=10")
"""So small that all run at once; Slurm starts nothing that could outlast a limit on minutes."""


@pytest.fixture
def site(
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    waldur_server: Waldur,
    tmp_path: Path,
) -> LiveSite:
    return LiveSite(slurm_cluster, waldur_server, tmp_path)


def test_a_site_lives_and_leaves_no_trace(site: LiveSite) -> None:
    before = site.slurm.dump()
    physics, biology = site.make_project("Physics", ANN, BOB), site.make_project("Biology", EVE)

    first = site.order(physics, "first", gpu=100, mem=10)
    second = site.order(physics, "second", gpu=5)
    third = site.allocate(biology, "third", gpu=1)

    assert site.account(first).users == site.account(second).users == {ANN, BOB}
    assert site.account(third).users == {EVE}
    assert site.account(first).parent == site.account(second).parent == f"hpc_{physics}"
    assert site.account(first).limits == {"cpu": 960000, "gres/gpu": 6000, "mem": 614400}
    for resource in (first, second, third):
        assert site.waldur.resource(resource)["backend_id"] == site.account(resource).name
        assert site.waldur.resource(resource)["state"] == "OK"
    names = {resource: site.account(resource).name for resource in (first, second, third)}

    site.leave(physics, BOB)
    site.join(physics, EVE)
    site.waldur.order_update(second, {"gpu": 7})
    site.waldur.set_flags(third, paused=True)
    site.waldur.change("resources", first, name="Renamed, by its owner")
    site.settle()

    assert site.account(first).users == site.account(second).users == {ANN, EVE}
    assert site.account(second).limits == {"cpu": 960000, "gres/gpu": 420}
    held = (None, None) if site.waldur.dialect == "classic" else (0, 0)
    assert (site.account(third).grp_jobs, site.account(third).grp_submit_jobs) == held
    assert site.account(first).description.endswith("renamed by its owner")
    assert {r: site.account(r).name for r in names} == names

    site.waldur.set_flags(third, paused=False)
    site.settle()

    assert (site.account(third).grp_jobs, site.account(third).grp_submit_jobs) == (None, None)
    assert kind_of(site.plan()) is Kind.NOTHING

    for resource in names:
        site.waldur.order_terminate(resource)
    assert site.run(cycles=8, consent=Consent(remove_empty_now=True)) == IDLE

    assert {order["state"] for order in site.waldur.orders()} == {"done"}
    assert {resource["state"] for resource in site.waldur.resources()} == {"Terminated"}
    assert site.slurm.dump() == before


def test_what_waldur_shows_is_who_is_there(site: LiveSite) -> None:
    project = site.make_project("Physics", ANN, BOB)
    resource = site.allocate(project)
    site.leave(project, BOB)
    site.settle()

    if site.waldur.dialect == "today":
        assert site.waldur.associations(resource) == []
    else:
        assert site.waldur.associations(resource) == [ANN]
    site.waldur.order_terminate(resource)
    site.settle()


def test_who_may_not_work_now_keeps_jobs_and_place_and_submits_nothing(site: LiveSite) -> None:
    project = site.make_project("Physics", ANN, BOB)
    resource = site.allocate(project, gpu=100)
    name = site.account(resource).name
    job = site.cluster.submit(ANN, name, "sleep 300", *SMALL)
    site.waldur.restrict_offering_user(site.users[ANN])

    site.settle()

    assert holds_in(site, resource) == {ANN: 0, BOB: None}
    refused = site.cluster.run("sbatch", f"--account={name}", "--wrap=true", user=ANN)
    assert refused.code != 0
    assert str(job) in site.cluster.must("squeue", "-h", "-o", "%i")

    site.waldur.restrict_offering_user(site.users[ANN], False)
    site.settle()

    assert holds_in(site, resource) == {ANN: None, BOB: None}
    site.cluster.must("scancel", str(job))
    site.waldur.order_terminate(resource)
    site.settle()


def holds_in(site: LiveSite, resource: str) -> dict[str, int | None]:
    return {a.user: a.max_submit_jobs for a in site.account(resource).associations}


def test_an_idle_cycle_asks_and_writes_nothing(site: LiveSite) -> None:
    project = site.make_project("Physics", ANN)
    resource = site.allocate(project)
    site.waldur.forget_requests()
    dump = site.slurm.dump()
    documents = {path: path.stat().st_mtime_ns for path in site.program.state.rglob("*.json")}

    assert site.run() == IDLE

    assert site.waldur.writes() == []
    assert site.slurm.dump() == dump
    assert documents == {p: p.stat().st_mtime_ns for p in site.program.state.rglob("*.json")}
    site.waldur.order_terminate(resource)
    site.settle()


def test_a_restored_allocation_gets_its_account_back(
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> None:
    site = LiveSite(slurm_cluster, start_waldur("today"), tmp_path)
    resource = site.allocate(site.make_project("Physics", ANN), gpu=2)
    name = site.account(resource).name
    site.waldur.order_terminate(resource)
    site.settle()
    assert site.is_absent(resource)

    site.waldur.order_restore(resource)
    site.settle()

    assert site.account(resource).name == name
    assert site.account(resource).limits == {"cpu": 960000, "gres/gpu": 120}
    assert site.waldur.resource(resource)["state"] == "OK"
    site.waldur.order_terminate(resource)
    site.settle()


@pytest.mark.parametrize("waldur_server", ["today"], indirect=True)
def test_jobs_of_leavers_drain_and_those_of_the_ended_are_cancelled(site: LiveSite) -> None:
    project = site.make_project("Physics", ANN, BOB)
    ended = site.allocate(project, "ended")
    kept = site.allocate(project, "kept")
    account = site.account(kept).name
    staying = site.cluster.submit(ANN, account, "sleep 300", *SMALL)
    leaving = site.cluster.submit(BOB, account, "sleep 30", *SMALL)
    doomed = site.cluster.submit(ANN, site.account(ended).name, "sleep 300", *SMALL)
    wait_until(lambda: states(site, staying, leaving, doomed) == {"RUNNING"})

    site.leave(project, BOB)
    site.waldur.order_terminate(ended)
    site.run(cycles=2)

    assert BOB in site.account(kept).users, "his job is still running"
    refused = site.cluster.run("sbatch", f"--account={account}", "--wrap=true", user=BOB)
    assert refused.code != 0
    wait_until(lambda: states(site, leaving, doomed) == set())
    site.settle()
    assert site.account(kept).users == {ANN}
    assert site.is_absent(ended)
    assert states(site, staying) == {"RUNNING"}, "nobody else's job is touched"
    site.waldur.order_terminate(kept)
    site.run(cycles=2)
    wait_until(lambda: states(site, staying) == set())
    site.settle()


def test_a_project_and_a_resource_that_moved_hang_right_after_a_repair(site: LiveSite) -> None:
    physics, biology = site.make_project("Physics", ANN), site.make_project("Biology", BOB)
    first, second = site.allocate(physics, "first"), site.allocate(biology, "second")
    arts = site.waldur.make_customer("Arts")
    site.waldur.move_project(physics, arts)
    site.waldur.move_resource(second, physics)

    site.settle()

    drifts = {(each.kind.value, each.subject) for each in site.plan().plan.drifts}
    assert drifts == {("parent", f"hpc_{physics}"), ("parent", site.account(second).name)}
    repair = Consent(repair_parents=True)
    assert site.run(cycles=4, consent=repair) == IDLE
    accounts = site.slurm.read_snapshot().accounts
    assert site.account(first).parent == site.account(second).parent == f"hpc_{physics}"
    assert accounts[AccountName(f"hpc_{physics}")].parent == f"hpc_{arts}"
    assert site.account(second).users == {ANN}
    third = site.allocate(physics, "third")
    assert site.account(third).parent == f"hpc_{physics}"
    assert site.plan().plan.drifts == ()
    for resource in (first, second, third):
        site.waldur.order_terminate(resource)
    assert site.run(cycles=8, consent=Consent(remove_empty_now=True)) == IDLE


def test_hostile_orders_do_not_delay_their_neighbours(site: LiveSite) -> None:
    before = site.slurm.dump()
    project = site.make_project("x'; drop\nParent - 'root'", ANN)
    for number, username in enumerate(("a,b", "n[1-3]", "--immediate", "root", "x|y")):
        user = site.waldur.make_user(f"hostile{number}")
        site.waldur.set_offering_username(user, username)
        site.waldur.add_member(project, user)
    hostile = [
        site.order(project, name)
        for name in (
            "where account=root",
            "a,b[1-9]",
            "'\" | \n:Fairshare=99\n",
            "\u202e\x1b[31m\x00",
            "../" * 20,
            "A" * 2000,
        )
    ]
    absurd = site.order(project, "absurd", gpu=-7)
    neighbour = site.order(site.make_project("Neighbours", BOB), "neighbour", gpu=2)

    site.settle()

    assert site.account(neighbour).users == {BOB}
    assert site.waldur.resource(neighbour)["state"] == "OK"
    assert site.waldur.orders(absurd)[0]["state"] == "pending-provider"
    for resource in hostile:
        assert site.account(resource).users == {ANN}
        assert site.waldur.resource(resource)["state"] == "OK"
    for resource in (*hostile, neighbour):
        site.waldur.order_terminate(resource)
    assert site.run(cycles=8, consent=Consent(remove_empty_now=True)) == IDLE
    assert site.slurm.dump() == before


def states(site: LiveSite, *jobs: int) -> set[str]:
    """How those of the jobs that the queue still knows are doing."""
    listed = ",".join(map(str, jobs))
    shown = site.cluster.run("squeue", "-h", f"--jobs={listed}", "--format=%T").out
    return set(shown.split())


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.3)

"""Kill the agent before and after every effect it has; it ends where it would have ended anyway.

Right before an effect the world is as it was right after the one before, so one kill stands for
both. One dialect is swept at every effect, the others at every second.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.pull_program import CHANGED, IDLE
from tests.e2e.pull_site import LiveSite
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur, start_waldur
from waldur_slurm.model.tres import tres_name

__all__ = ["start_waldur"]

ANN, BOB = "wsat-ann", "wsat-bob"
SWEPT_WHOLE = "transition"
"""The dialect with the most effects an order."""

FINISHED = (IDLE, CHANGED)

Order = Callable[[LiveSite, Iterator[str]], str]


@pytest.fixture(params=DIALECT_NAMES)
def site(
    request: pytest.FixtureRequest,
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> LiveSite:
    return LiveSite(slurm_cluster, start_waldur(request.param, allocation_delay=0.0), tmp_path)


def allocations(site: LiveSite) -> Iterator[str]:
    """Allocations that are there already, made many at once."""
    while True:
        batch = [
            site.order(site.make_project(f"Project {number}", ANN), "alloc", gpu=3, mem=1)
            for number in range(10)
        ]
        site.settle()
        yield from batch


def create(site: LiveSite, _there: Iterator[str]) -> str:
    return site.order(site.make_project("Project", ANN), "alloc", gpu=3, mem=1)


def update(site: LiveSite, there: Iterator[str]) -> str:
    resource = next(there)
    site.waldur.order_update(resource, {"gpu": 9})
    return resource


def terminate(site: LiveSite, there: Iterator[str]) -> str:
    resource = next(there)
    site.waldur.order_terminate(resource)
    return resource


@pytest.mark.parametrize("place", [create, update, terminate])
def test_a_kill_at_any_effect_only_costs_a_cycle(site: LiveSite, place: Order) -> None:
    neighbour = site.allocate(site.make_project("Neighbours", BOB), "neighbour")
    beside = site.account(neighbour)
    there = allocations(site)
    swept = 0

    is_whole = site.waldur.dialect == SWEPT_WHOLE
    for effect, is_after in moments(1 if is_whole else 2):
        resource = place(site, there)
        killed = site.program.killed_at(effect, after=is_after).run()
        assert killed in (-signal.SIGKILL, *FINISHED)

        assert site.run(cycles=8) == IDLE

        assert_carried_out(site, resource, place)
        assert site.account(neighbour) == beside
        if killed in FINISHED:
            break
        swept += 1

    print(f"swept {swept} points of {place.__name__} in {site.waldur.dialect}")  # noqa: T201 - the proof
    assert swept >= (6 if is_whole else 3)


def moments(step: int) -> Iterator[tuple[int, bool]]:
    """Before the first effect, then after each; the first process that lives ends the sweep."""
    yield 0, False
    for effect in range(0, 60, step):
        yield effect, True


def assert_carried_out(site: LiveSite, resource: str, place: Order) -> None:
    orders = site.waldur.orders(resource)
    assert {order["state"] for order in orders} == {"done"}
    if place is terminate:
        assert site.is_absent(resource)
        assert site.waldur.resource(resource)["state"] == "Terminated"
        return
    account = site.account(resource)
    project = site.waldur.resource(resource)["project"]
    assert account.parent == f"hpc_{project}"
    assert account.limits[tres_name("gres/gpu")] == (9 if place is update else 3) * 60
    assert account.users == {ANN}
    assert site.waldur.resource(resource)["backend_id"] == account.name
    assert site.waldur.resource(resource)["state"] == "OK"

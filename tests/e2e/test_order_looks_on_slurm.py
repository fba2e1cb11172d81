"""A look at new orders where Slurm is the real one: what it costs, and a crash in the middle."""

from contextlib import suppress
from typing import Any

import pytest

from sandbox.slurm import Cluster
from tests.e2e.pull_on_slurm import RealSlurm, real_site, real_slurm
from tests.fakes.pull import Site
from tests.fakes.pull_crash import Crash
from tests.fakes.pull_worlds import assert_open_only_with_limits, assert_reached, built, settle
from waldur_slurm.agent.model.marketplace import Dialect, Order
from waldur_slurm.agent.pull.order_looks import OrderLooks
from waldur_slurm.model.names import UserName
from waldur_slurm.processes.port import Completed

PEOPLE = frozenset(map(UserName, ("ann", "bob")))


@pytest.fixture
def site(slurm_cluster: Cluster) -> Site:
    site = built(Dialect.TODAY, [], real_site(slurm_cluster))
    site.change_policy(require_unix_users=False)
    return site


def order_of_a_new_customer(site: Site) -> Order:
    """Its people have their names already, by another project."""
    project = site.waldur.make_project("new", "a new customer")
    for user in sorted(PEOPLE):
        site.waldur.name_user(site.waldur.add_member(project), user)
    return site.waldur.place_create(project, "alloc", {"gpu": 2})


def writes(slurm: RealSlurm) -> list[bool]:
    return ["--immediate" in argv for argv in slurm.transport.commands]


def test_an_order_of_a_new_customer_is_nine_processes_of_which_two_write(site: Site) -> None:
    looks = OrderLooks(site.cycle())
    looks.run()
    order = order_of_a_new_customer(site)
    slurm = real_slurm(site)
    slurm.transport.commands.clear()
    site.waldur.calls.clear()

    look = looks.look()

    written = writes(slurm)
    assert look.report is not None
    assert not look.report.failures
    assert site.account_of(order.resource).users == PEOPLE
    looked, made, let_in, confirmed = 2, 3, 2, 2
    assert len(written) == looked + made + let_in + confirmed
    assert written.count(True) == 2
    assert {name: site.waldur.calls[name] for name in ("read_teams", "read_orders")} == {
        "read_teams": 1,
        "read_orders": 2,
    }


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("left", [0, 1])
def test_a_look_that_is_cut_off_beside_a_write_leaves_nobody_in_without_limits(
    site: Site, monkeypatch: pytest.MonkeyPatch, left: int, is_after: bool
) -> None:
    looks = OrderLooks(site.cycle())
    looks.run()
    order = order_of_a_new_customer(site)
    transport = real_slurm(site).transport
    run = transport.run
    done: list[tuple[str, ...]] = []

    def cut(argv: tuple[str, ...], **more: Any) -> Completed:
        is_write = "--immediate" in argv
        if is_write and len(done) == left and not is_after:
            raise Crash
        completed = run(argv, **more)
        done.extend([argv] * is_write)
        if is_write and len(done) > left:
            raise Crash
        return completed

    monkeypatch.setattr(transport, "run", cut)
    with suppress(Crash):
        looks.look()
    monkeypatch.undo()

    assert len(done) == left + is_after
    assert_open_only_with_limits(site)
    settle(site)
    assert_reached(site)
    assert site.account_of(order.resource).users == PEOPLE

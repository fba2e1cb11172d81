"""What Waldur does not take is told again, and delays no other resource."""

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import Order, OrderState


@pytest.fixture
def site() -> Site:
    return new_site()


def states(site: Site) -> set[OrderState]:
    return {order.state for order in site.waldur.orders.values()}


@pytest.mark.parametrize(
    "method", ["approve_order", "tell_backend_id", "tell_order_done", "read_orders"]
)
@pytest.mark.parametrize("is_after", [False, True])
def test_waldur_failing_in_the_middle_leaves_the_order_as_it_is(
    site: Site, method: str, is_after: bool
) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    site.waldur.fail_next(method, WaldurUnreachable("502"), after=is_after)

    try:
        site.run()
    except WaldurUnreachable:
        assert method == "read_orders"
    assert site.waldur.orders[order.uuid].state is not OrderState.ERRED
    site.settle()

    assert states(site) == {OrderState.DONE}
    assert site.account_of(order.resource).name == "hpc_00000_alloc"


def many_orders(site: Site, count: int, **named: str) -> list[Order]:
    project = site.waldur.make_project()
    orders = [site.waldur.place_create(project, f"a{n}", {"gpu": 1}) for n in range(count)]
    orders.extend(site.waldur.place_create(project, name, {"gpu": 1}) for name in named.values())
    return orders


def test_a_word_that_waldur_refuses_rests_and_neighbours_are_told(site: Site) -> None:
    first, second = many_orders(site, 2)
    site.waldur.fail_next("tell_backend_id", WaldurRejected("x", 400, "no"))

    report = site.run()

    done = {site.waldur.orders[order.uuid].state for order in (first, second)}
    assert done == {OrderState.DONE, OrderState.EXECUTING}
    assert len(report.quarantined) == 1


def test_an_unreachable_waldur_is_not_asked_a_thousand_times(site: Site) -> None:
    many_orders(site, 60)
    site.waldur.go_down()
    with pytest.raises(WaldurUnreachable):
        site.run()
    site.waldur.come_back()
    for _ in range(60):
        site.waldur.fail_next("approve_order", WaldurUnreachable("502"))

    report = site.run()

    assert 3 <= len(report.failures) <= 10
    assert site.waldur.calls["approve_order"] <= 10

"""What is read is put in one fixed order, in which all passes of a cycle go through it."""

from collections.abc import Callable
from threading import Barrier

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import OrderState
from waldur_slurm.agent.pull.read import read_part_again, read_part_of_waldur


def two_of_one_name() -> Site:
    """The two resources' uuids begin with the same digits, so that both want the same account."""
    site = new_site()
    project = site.waldur.make_project()
    for _ in range(2):
        site.waldur.place_create(project, "alloc", {"gpu": 1})
    return site


def test_names_fall_the_same_way_in_whatever_order_waldur_lists() -> None:
    one, other = two_of_one_name(), two_of_one_name()
    other.waldur.resources = dict(reversed(other.waldur.resources.items()))

    assert one.plan().plan == other.plan().plan


def test_of_a_part_the_offering_is_asked_for_beside_the_people_and_its_orders_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = new_site()
    resource = served(site, "ann")
    site.waldur.place_update(resource.uuid, {"gpu": 9})
    orders = site.waldur.read_orders()
    expected = read_part_of_waldur(site.waldur, [resource.uuid], orders)
    site.waldur.calls.clear()
    pair = Barrier(2, timeout=30)

    def paired(name: str) -> None:
        answer: Callable[..., object] = getattr(site.waldur, name)

        def wait_and_answer(*asked: object) -> object:
            pair.wait()
            return answer(*asked)

        monkeypatch.setattr(site.waldur, name, wait_and_answer)

    paired("read_resource")
    paired("read_project_accounts")

    assert read_part_of_waldur(site.waldur, [resource.uuid], orders) == expected
    assert "read_orders" not in site.waldur.calls
    assert site.waldur.calls["read_offering"] == 1


def test_after_an_approval_a_parts_orders_and_resources_are_read_again_and_nobody_else() -> None:
    site = new_site()
    resource = served(site, "ann")
    site.waldur.place_update(resource.uuid, {"gpu": 9})
    before = read_part_of_waldur(site.waldur, [resource.uuid], site.waldur.read_orders())
    site.waldur.approve_order(before.orders[0].uuid)
    site.waldur.calls.clear()

    again = read_part_again(site.waldur, before)

    assert set(site.waldur.calls) == {"read_orders", "read_resource"}
    assert [order.state for order in again.orders] == [OrderState.EXECUTING]
    assert again.members == before.members
    assert again.offering_users == before.offering_users

"""Orders are judged: each goes on, waits, is rejected or errs, for a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    ResourceState,
)
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.names import AccountName


@pytest.fixture
def site() -> Site:
    return new_site()


class Unheard:
    """Waldur whose one order cannot be read: its resource is listed, the order is not."""

    def __init__(self, waldur: Marketplace) -> None:
        self._waldur = waldur

    def __getattr__(self, name: str) -> object:
        return getattr(self._waldur, name)

    def read_orders(self) -> tuple[Order, ...]:
        return ()


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("ordered", ["update", "terminate"])
@pytest.mark.parametrize("is_executing", [False, True])
def test_an_order_that_cannot_be_read_takes_nothing_away(
    dialect: Dialect, ordered: str, *, is_executing: bool
) -> None:
    site = new_site(dialect)
    resource = served(site, "ann", "bob")
    if ordered == "update":
        order = site.waldur.place_update(resource.uuid, {"gpu": 9})
    else:
        order = site.waldur.place_terminate(resource.uuid)
    if is_executing:
        site.waldur.begin(order.uuid)
    before = site.accounts()
    site.wrap_waldur = Unheard  # type: ignore[assignment]  # a port by __getattr__

    for _ in range(4):
        site.wait(timedelta(hours=20))
        site.run()

    assert site.accounts() == before


@pytest.mark.parametrize("absurd", [-5, "cpu=abc", 1.5, 10**30])
def test_an_absurd_limit_waits_for_the_provider(site: Site, absurd: object) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": absurd})
    neighbour = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.INVALID_ORDER]
    assert site.waldur.orders[neighbour.uuid].state is OrderState.DONE


def test_an_absurd_limit_is_rejected_where_the_site_wants_that(site: Site) -> None:
    site.change_policy(reject_invalid=True)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.REJECTED
    (told,) = site.waldur.written("reject_order")
    assert told.detail == "The limit of GPU must be a whole number, 0 or more."


def passing_messages(site: Site) -> None:
    site.waldur.offering = replace(site.waldur.offering, passes_messages=True)


WAITS = "This order waits, as it cannot be carried out as it is. "


def test_the_customer_of_an_order_that_cannot_be_carried_out_is_told_why_and_once(
    site: Site,
) -> None:
    passing_messages(site)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})

    first, second = site.run(), site.run()

    (told,) = site.waldur.written("tell_order_message")
    assert (told.subject, told.detail) == (
        order.uuid,
        f"{WAITS}The limit of GPU must be a whole number, 0 or more.",
    )
    assert [refusal.kind for refusal in first.refusals] == [RefusalKind.INVALID_ORDER]
    assert second.is_idle


def test_the_customer_is_told_again_when_the_reason_is_another(site: Site) -> None:
    passing_messages(site)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})
    site.run()
    site.waldur.orders[order.uuid] = replace(site.waldur.orders[order.uuid], limits={"gpu": 10**30})

    site.run()

    assert site.waldur.orders[order.uuid].message.startswith(WAITS)
    assert "more than any cluster" in site.waldur.orders[order.uuid].message


def test_what_a_person_wrote_to_the_customer_stays(site: Site) -> None:
    passing_messages(site)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})
    site.waldur.orders[order.uuid] = replace(order, message="Please call us.")

    assert site.run().is_idle
    assert site.waldur.written("tell_order_message") == []


def test_where_waldur_passes_no_messages_none_is_sent(site: Site) -> None:
    site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})

    assert site.run().is_idle
    assert site.waldur.written("tell_order_message") == []


def test_an_absurd_limit_that_somebody_approved_errs_that_order_alone(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": -1}, OrderState.EXECUTING)

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.ERRED
    (told,) = site.waldur.written("tell_order_erred")
    assert told.detail == "The limit of GPU must be a whole number, 0 or more."
    assert not any(name.startswith("hpc_") for name in site.accounts())


def test_approval_may_be_left_to_a_person(site: Site) -> None:
    site.change_policy(approve_orders=False)
    project = site.waldur.make_project()
    waiting = site.waldur.place_create(project, "waiting", {"gpu": 1})
    approved = site.waldur.place_create(project, "approved", {"gpu": 1}, OrderState.EXECUTING)

    site.run()

    assert site.waldur.orders[waiting.uuid].state is OrderState.PENDING_PROVIDER
    assert site.waldur.orders[approved.uuid].state is OrderState.DONE


def test_without_the_default_account_no_order_is_carried_out_or_erred(site: Site) -> None:
    site.change_policy(default_account=AccountName("nosuch"))
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING
    assert [r.reason for r in report.refusals] == [
        "the default account nosuch does not exist in Slurm"
    ]


def test_a_resource_erred_in_waldur_is_drift_until_an_order_is_on_its_way(site: Site) -> None:
    resource = served(site, "ann")
    site.waldur._move(resource.uuid, ResourceState.ERRED)

    (drift,) = site.plan().plan.drifts
    assert (drift.kind, drift.found) == (DriftKind.ERRED, "Erred in Waldur")
    assert drift.subject == site.account_of(resource.uuid).name

    site.waldur.place_terminate(resource.uuid, OrderState.PENDING_CONSUMER)
    assert site.plan().plan.drifts == ()


def test_a_resource_erred_in_waldur_keeps_its_people_in_step(site: Site) -> None:
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    assert order.resource is not None
    site.waldur._move(order.resource, ResourceState.ERRED)
    site.waldur.add_member(project, "bob")

    site.run()

    assert site.account_of(order.resource).users == {"ann", "bob"}

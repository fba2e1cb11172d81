"""A limit without a price: what the adapter makes of Waldur's breakdown, before the stand-in."""

from collections.abc import Iterator

import pytest

from sandbox.waldur import Fault
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import OrderState, Resource

CPU = ComponentType("cpu")
SAID = "the plan 'Default' has no price for cpu; have the provider give each a price"


@pytest.fixture(params=DIALECT_NAMES)
def site(request: pytest.FixtureRequest, start_waldur: StartWaldur) -> Iterator[ServedSite]:
    """One in which what is made later has no price, as on a real server."""
    traits = {"every_component_has_a_price": False}
    site = ServedSite(start_waldur(request.param, allocation_delay=0.0, traits=traits))
    yield site
    site.close()


def running_without_a_price(site: ServedSite) -> Resource:
    uuid = serve_create(site, site.make_project(), {"cpu": 5})
    site.waldur.set_price("cpu", None)
    return site.market.read_resource(uuid)


def test_limits_that_cannot_be_booked_are_a_refusal_with_the_remedy(site: ServedSite) -> None:
    resource = running_without_a_price(site)

    with pytest.raises(WaldurRejected) as refused:
        site.market.tell_limits(resource, {CPU: 7})

    assert SAID in str(refused.value)
    assert refused.value.status == 500
    site.waldur.set_price("cpu", "0")
    site.market.tell_limits(resource, {CPU: 7})
    assert site.market.read_resource(resource.uuid).limits == {"cpu": 7}


def test_an_update_that_cannot_be_booked_is_a_refusal_with_the_remedy(site: ServedSite) -> None:
    resource = running_without_a_price(site)
    order = site.order_update(resource.uuid, {"cpu": 7})
    site.market.approve_order(order)

    with pytest.raises(WaldurRejected) as refused:
        site.market.tell_order_done(order)

    assert SAID in str(refused.value)
    site.waldur.set_price("cpu", "0")
    site.market.tell_order_done(order)
    assert site.market.read_order(order).state is OrderState.DONE


def test_a_breakdown_that_prices_do_not_explain_is_tried_again_as_before(site: ServedSite) -> None:
    resource = running_without_a_price(site)
    site.waldur.set_price("cpu", "0")
    site.waldur.fault(Fault("POST **", "status", value=500))

    with pytest.raises(WaldurUnreachable):
        site.market.tell_limits(resource, {CPU: 7})


def test_a_silence_says_nothing_about_prices(site: ServedSite) -> None:
    resource = running_without_a_price(site)
    site.waldur.fault(Fault("POST **", "status", value=503))

    with pytest.raises(WaldurUnreachable):
        site.market.tell_limits(resource, {CPU: 7})


def test_where_nobody_can_tell_the_prices_the_breakdown_stays_one(site: ServedSite) -> None:
    resource = running_without_a_price(site)
    site.waldur.fault(Fault("* **", "status", value=500))

    with pytest.raises(WaldurUnreachable):
        site.market.tell_limits(resource, {CPU: 7})

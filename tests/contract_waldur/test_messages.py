"""What a provider tells the customer of an order that waits."""

from dataclasses import replace

from tests.contract_waldur.sites import FakeSite, ServedSite, Site
from waldur_slurm.agent.model.marketplace import Dialect, OrderState


def pass_messages(site: Site) -> None:
    """What a provider ticks; only `today` knows it."""
    if site.market.dialect is not Dialect.TODAY:
        return
    if isinstance(site, ServedSite):
        option = {"enable_provider_consumer_messaging": True}
        site.waldur.change_offering(plugin_options=option)
    elif isinstance(site, FakeSite):
        site.fake.offering = replace(site.fake.offering, passes_messages=True)


def test_a_word_to_the_customer_stands_in_the_order_where_waldur_passes_messages(
    site: Site,
) -> None:
    is_passed = site.market.dialect is Dialect.TODAY
    pass_messages(site)
    order = site.order_create(site.make_project(), {})
    for _ in range(2):
        site.market.tell_order_message(order, "This offering does not sell that.")
    told = "This offering does not sell that." if is_passed else ""
    assert site.market.read_order(order).message == told
    [waiting] = site.market.read_orders()
    assert (waiting.message, waiting.state) == (told, OrderState.PENDING_PROVIDER)
    assert site.market.read_offering().passes_messages is is_passed

"""One order that breaks the contract is that order's trouble, and nobody else's."""

from tests.contract_waldur.sites import ServedSite


def test_an_order_that_cannot_be_read_waits_alone_and_is_told_once(served: ServedSite) -> None:
    project = served.make_project()
    strange, sound = (served.order_create(project, {"cpu": number}) for number in (1, 2))
    served.waldur.change("orders", strange, limits=["plenty"])

    found = [served.market.read_orders() for _ in range(2)]

    assert [[order.uuid for order in orders] for orders in found] == [[sound], [sound]]
    assert served.notices.count("waldur.order_unreadable") == 1
    resources = {resource.uuid for resource in served.market.read_resources()}
    assert served.waldur.order(strange)["resource"] in resources

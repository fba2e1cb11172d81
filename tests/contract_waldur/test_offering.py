"""What the agent refuses to work with, and how it says so."""

import pytest

from sandbox.waldur import DialectName
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUuid
from waldur_slurm.agent.waldur.client import WaldurMarketplace
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds
from waldur_slurm.errors import SettingsError


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_an_offering_that_needs_no_agent_is_refused_with_the_way_out(
    dialect: str, start_waldur: StartWaldur
) -> None:
    site = ServedSite(start_waldur(dialect, offering_type="Marketplace.Basic"))
    with pytest.raises(SettingsError, match=r"set its type to 'Marketplace\.Slurm'"):
        site.market.read_orders()
    assert site.waldur.writes() == []
    site.close()


def test_an_unknown_offering_is_rejected(served: ServedSite) -> None:
    market = WaldurMarketplace(served.session, OfferingUuid("0" * 32))
    with pytest.raises(WaldurRejected) as caught:
        market.read_orders()
    assert caught.value.status == 404


def test_a_wrong_token_is_rejected_and_never_shown(served: ServedSite) -> None:
    site = ServedSite(served.waldur, "not-a-token-of-anybody")
    with pytest.raises(WaldurRejected) as caught:
        site.market.read_orders()
    assert caught.value.status == 401
    assert "not-a-token" not in str(caught.value)
    site.close()


def test_an_address_that_is_not_the_api_is_told(served: ServedSite) -> None:
    address = served.waldur.url.removesuffix("api/")
    session = WaldurSession(address, "token", user_agent="test", bounds=Bounds())
    with pytest.raises(WaldurRejected, match="WALDUR_API_URL must name its API"):
        WaldurMarketplace(session, OfferingUuid(served.waldur.offering_uuid)).read_orders()
    session.close()


def test_the_dialect_is_told_once_and_nothing_is_asked_before_the_first_call(
    served: ServedSite,
) -> None:
    assert served.waldur.requests() == []
    for _ in range(3):
        served.market.read_orders()
    assert served.notices == ["waldur.dialect_found"]
    probes = [one for one in served.waldur.requests() if "page_size=1&" in one.query]
    assert 1 <= len(probes) <= 2


def test_an_offering_manager_may_read_but_not_approve(served: ServedSite) -> None:
    site = ServedSite(served.waldur, served.waldur.tokens.manager)
    order = served.order_create(served.make_project(), {})
    assert [one.uuid for one in site.market.read_orders()] == [order]
    with pytest.raises(WaldurRejected) as caught:
        site.market.approve_order(order)
    assert caught.value.status == 403
    site.close()


@pytest.mark.parametrize("before", ["classic", "transition"])
def test_an_upgrade_of_waldur_under_a_running_agent_is_noticed(
    before: DialectName, start_waldur: StartWaldur
) -> None:
    site = ServedSite(start_waldur(before, allocation_delay=0.0))
    uuid = serve_create(site, site.make_project(), {"cpu": 5})
    site.waldur.restart(dialect="today")
    [resource] = site.market.read_resources()
    if before == "transition":
        with pytest.raises(WaldurUnreachable):
            site.market.tell_backend_id(resource, "hpc_other")
    site.market.tell_backend_id(resource, "hpc_other")
    assert site.market.dialect is Dialect.TODAY
    assert site.waldur.resource(uuid)["backend_id"] == "hpc_other"
    assert site.notices == ["waldur.dialect_found"] * 2
    site.close()


def test_who_of_the_team_has_arrived_is_told_where_the_offering_asks_for_it(
    start_waldur: StartWaldur,
) -> None:
    for is_asked in (True, False):
        options = {"enable_membership_sync_status": is_asked}
        site = ServedSite(start_waldur("today", plugin_options=options))
        project = site.make_project()
        for name in ("alice", "bob", ""):
            site.add_member(project, name)
        resource = site.market.read_resource(serve_create(site, project, {}))
        assert site.market.read_offering().wants_memberships == is_asked
        if is_asked:
            site.market.tell_memberships(resource, {"alice"})
        else:
            with pytest.raises(WaldurRejected):
                site.market.tell_memberships(resource, {"alice"})
        told = site.waldur.membership_statuses(resource.uuid)
        found = {status["username"]: status["state"] for status in told}
        assert found == ({"alice": "synced", "bob": "pending"} if is_asked else {})
        site.close()

"""What Waldur does to allocations in time: which end, and which policy steers what they use."""

from datetime import date

import pytest

from sandbox.waldur import DialectName
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.model.components import ComponentType


def test_the_day_on_which_an_allocation_ends_is_told(served: ServedSite) -> None:
    ending, lasting = (serve_create(served, served.make_project(), {}) for _ in range(2))
    served.waldur.change("resources", ending, end_date="2027-01-31")

    ends = {each.uuid: each.ends_on for each in served.market.read_resources()}

    assert ends == {ending: date(2027, 1, 31), lasting: None}


def test_a_usage_policy_of_the_offering_is_told(start_waldur: StartWaldur) -> None:
    site = ServedSite(start_waldur("today"))
    assert site.market.read_usage_policies() == ()
    site.waldur.govern_limits("gpu", "cpu")

    (policy,) = site.market.read_usage_policies()

    assert policy.governs == (ComponentType("cpu"), ComponentType("gpu"))
    assert (policy.limit_type, policy.carries_over, policy.resets_usage) == (
        "GrpTRESMins",
        True,
        True,
    )


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_servers_have_no_such_policies(
    start_waldur: StartWaldur, dialect: DialectName
) -> None:
    site = ServedSite(start_waldur(dialect))
    site.waldur.govern_limits("gpu")

    assert site.market.read_usage_policies() == ()

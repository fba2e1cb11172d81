"""Whose owner somebody is: the adapter before the stand-in, with roles in several organizations."""

import pytest

from sandbox.waldur import DialectName, Waldur
from sandbox.waldur.beginning import grant
from tests.contract_waldur.sites import ServedSite
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.model.rights import Rights


@pytest.fixture(params=DIALECT_NAMES)
def waldur(request: pytest.FixtureRequest, start_waldur: StartWaldur) -> Waldur:
    dialect: DialectName = request.param
    return start_waldur(dialect, allocation_delay=0.0)


def rights_of(waldur: Waldur, token: str) -> Rights:
    site = ServedSite(waldur, token)
    try:
        return site.market.read_rights()
    finally:
        site.close()


def own_elsewhere(waldur: Waldur, username: str) -> None:
    user = waldur.store.find("SELECT * FROM users WHERE username = ?", username)
    assert user is not None
    arts = waldur.make_customer("Arts")
    with waldur.store.transaction():
        grant(waldur.store, user["uuid"], "CUSTOMER.OWNER", "customer", arts)


def test_an_owner_of_another_organization_is_no_owner_of_the_provider(waldur: Waldur) -> None:
    own_elsewhere(waldur, "off-manager")

    rights = rights_of(waldur, waldur.tokens.manager)

    assert not rights.are_owners
    assert [role.name for role in rights.here] == ["OFFERING.MANAGER"]
    assert [str(role) for role in rights.elsewhere] == ["CUSTOMER.OWNER of customer Arts"]


def test_the_providers_owner_stays_its_owner_whatever_else_he_owns(waldur: Waldur) -> None:
    own_elsewhere(waldur, "prov-owner")

    rights = rights_of(waldur, waldur.tokens.provider)

    assert rights.are_owners
    assert [str(role) for role in rights.here] == ["CUSTOMER.OWNER of customer HPC Provider"]


def test_staff_may_do_everything_without_a_role(waldur: Waldur) -> None:
    assert rights_of(waldur, waldur.tokens.staff).are_owners

"""A person may say whose an account is, within what can be right."""

import pytest

from tests.fakes.pull import Site, new_site
from tests.fakes.pull_sites import OLD, left_by_the_original
from waldur_slurm.agent.errors import RequestRefused
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.pull.render import kind_of
from waldur_slurm.agent.report.paper import Kind
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName

BOB = UserName("bob")


@pytest.fixture
def site() -> Site:
    return new_site()


def test_a_person_may_say_whose_an_account_is(site: Site) -> None:
    resource = left_by_the_original(site, organization="somebody")
    site.settle()
    assert kind_of(site.plan()) is Kind.DRIFT_ONLY

    site.cycle().adopt(resource.uuid, OLD)

    assert site.account_of(resource.uuid).name == OLD


def test_a_person_may_not_take_what_is_marked_protected_or_missing(site: Site) -> None:
    resource = left_by_the_original(site)
    other = site.waldur.make_resource(resource.project, "other")
    site.settle()
    before = site.accounts()

    for name in (OLD, AccountName("waldur"), ROOT, AccountName("nosuch")):
        with pytest.raises(RequestRefused):
            site.cycle().adopt(other.uuid, name)
    site.slurm.put(Account(AccountName("hpc_free"), "free", "x", ROOT))
    with pytest.raises(RequestRefused, match="has account hpc_old already"):
        site.cycle().adopt(resource.uuid, AccountName("hpc_free"))
    with pytest.raises(RequestRefused, match="lists no such resource"):
        site.cycle().adopt(ResourceUuid("f" * 32), AccountName("hpc_free"))

    assert {name: site.accounts()[name] for name in before} == before

"""What the original agent left behind is shown, and removed when asked."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site
from tests.fakes.pull_sites import ANN, OLD, left_by_the_original
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.model.accounts import Association
from waldur_slurm.model.names import AccountName, UserName

BOB = UserName("bob")


@pytest.fixture
def site() -> Site:
    return new_site()


def test_unlimited_associations_of_the_original_are_shown_and_removed_when_asked(
    site: Site,
) -> None:
    left_by_the_original(site)
    site.slurm.put(
        replace(
            site.accounts()[AccountName("waldur")],
            associations=(Association(ANN), Association(BOB)),
        )
    )
    site.slurm.set_default_account(ANN, AccountName("waldur"))
    site.settle()
    assert DriftKind.DEFAULT_ASSOCIATION in {drift.kind for drift in site.plan().plan.drifts}
    assert site.slurm.calls["read_default_accounts"] == 0, "who is only shown does not leave"

    site.run(Consent(repair_default_associations=True))

    assert site.accounts()[AccountName("waldur")].users == {BOB}, "bob is an administrator's"
    assert site.slurm.read_default_accounts([ANN]) == {ANN: OLD}

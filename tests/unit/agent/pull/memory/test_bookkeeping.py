"""The ledger follows what Slurm shows, and outlives what an administrator changes."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind


@pytest.fixture
def site() -> Site:
    return new_site()


@pytest.mark.parametrize(
    ("by_hand", "restored"),
    [((3, 0), (3, 9)), ((0, 4), (5, 4)), ((None, 0), (None, 9)), ((3, 4), (3, 4))],
    ids=["jobs", "submissions", "jobs without end", "both"],
)
@pytest.mark.parametrize("is_paused_still", [True, False])
def test_what_an_administrator_changes_in_a_pause_does_not_hold_for_ever(
    site: Site,
    by_hand: tuple[int | None, int | None],
    restored: tuple[int | None, int | None],
    *,
    is_paused_still: bool,
) -> None:
    resource = served(site)
    name = site.account_of(resource.uuid).name
    site.slurm.put(replace(site.accounts()[name], grp_jobs=5, grp_submit_jobs=9))
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=True
    )
    site.settle()
    jobs, submissions = by_hand
    site.slurm.put(replace(site.accounts()[name], grp_jobs=jobs, grp_submit_jobs=submissions))
    if is_paused_still:
        site.settle()
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=False
    )

    site.settle()

    account = site.accounts()[name]
    assert (account.grp_jobs, account.grp_submit_jobs) == restored


def test_a_hold_that_a_lost_journal_no_longer_knows_is_shown_and_kept(site: Site) -> None:
    resource = served(site)
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=True
    )
    site.settle()
    site.state.documents.clear()
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=False
    )

    report = site.run()

    account = site.account_of(resource.uuid)
    assert (account.grp_jobs, account.grp_submit_jobs) == (0, 0)
    assert [(d.kind, d.subject) for d in report.drifts] == [(DriftKind.HOLD, account.name)]

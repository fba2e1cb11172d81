"""Accounts open only with what was ordered, and nothing that was forgotten gives more."""

from dataclasses import replace

import pytest

from tests.fakes.pull import COMPONENTS, Site, new_site, served
from tests.fakes.pull_sites import OLD, left_by_the_original
from waldur_slurm.agent.errors import RequestRefused
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.model.tres import tres_name

GPU = tres_name("gres/gpu")
WITHOUT_GPU = tuple(component for component in COMPONENTS if component.tres != GPU)


@pytest.fixture
def site() -> Site:
    return new_site()


def without_gpu(site: Site) -> PullCycle:
    """The next cycles, by a TRES file that has forgotten the GPUs."""
    cycle = site.cycle()
    cycle.components = WITHOUT_GPU
    return cycle


def test_an_adopted_account_whose_order_cannot_be_read_is_held_until_it_can(site: Site) -> None:
    resource = left_by_the_original(site, {"gpu": "many"})

    site.settle()

    held = site.account_of(resource.uuid)
    assert (held.grp_jobs, held.grp_submit_jobs) == (0, 0)

    site.waldur._change(resource, limits={"gpu": 1})
    site.settle()

    opened = site.account_of(resource.uuid)
    assert (opened.grp_jobs, opened.grp_submit_jobs) == (None, None)
    assert opened.limits[GPU] == 60


@pytest.mark.parametrize("is_enforcing", [False, True])
def test_a_component_that_the_file_forgot_keeps_its_limit_and_is_shown(
    site: Site, is_enforcing: bool
) -> None:
    resource = served(site, "ann", limits={"gpu": 1})
    site.change_policy(enforce_limits=is_enforcing)

    report = without_gpu(site).run()

    assert site.account_of(resource.uuid).limits[GPU] == 60
    assert [drift.wanted for drift in report.drifts] == ["none: gres/gpu is not in the TRES file"]


def test_an_update_lifts_no_limit_that_the_file_forgot(site: Site) -> None:
    resource = served(site, "ann", limits={"gpu": 1, "mem": 1})
    site.waldur.place_update(resource.uuid, {"mem": 2})

    without_gpu(site).run()

    limits = site.account_of(resource.uuid).limits
    assert (limits[GPU], limits[tres_name("mem")]) == (60, 2 * 61440)


def lost(site: Site) -> Resource:
    resource = served(site, "ann", limits={"gpu": 3})
    del site.slurm._accounts[site.account_of(resource.uuid).name]
    return site.waldur.resources[resource.uuid]


def test_a_lost_account_is_shown_and_made_again_only_by_a_persons_word(site: Site) -> None:
    resource = lost(site)

    report = site.run()
    assert [drift.kind for drift in report.drifts] == [DriftKind.MISSING]

    site.run(Consent(repair_missing=True))

    account = site.account_of(resource.uuid)
    assert account.name == resource.backend_id
    assert account.limits[GPU] == 180
    assert account.users == {"ann"}
    assert site.plan().plan.steps == ()


def test_a_lost_account_whose_order_cannot_be_read_is_not_made_again(site: Site) -> None:
    resource = lost(site)
    site.waldur._change(resource, limits={"gpu": "many"})

    report = site.run(Consent(repair_missing=True))

    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.SITE]


def test_adopting_by_hand_sets_what_was_ordered_first(site: Site) -> None:
    resource = left_by_the_original(site, {"gpu": 2})
    site.slurm.put(replace(site.accounts()[OLD], organization="theirs"))

    site.cycle().adopt(resource.uuid, OLD)

    assert site.account_of(resource.uuid).limits[GPU] == 120
    assert [event.name for event in site.events if event.is_change] == [
        "limits.set",
        "account.adopted",
    ]


def test_what_cannot_be_opened_with_its_limits_is_not_adopted_by_hand(site: Site) -> None:
    resource = left_by_the_original(site, {"gpu": "many"})

    with pytest.raises(RequestRefused, match="cannot be read"):
        site.cycle().adopt(resource.uuid, OLD)

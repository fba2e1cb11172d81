"""Paused and downscaled resources: held, and given back exactly as they were."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import OrderState, ResourceUuid
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind
from waldur_slurm.agent.pull.world.ledger import AccountHold, Ledger
from waldur_slurm.model.accounts import Account


@pytest.fixture
def site() -> Site:
    site = new_site()
    site.slurm.qos = site.slurm.qos | {"low", "high"}
    site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    site.settle()
    return site


def resource(site: Site) -> ResourceUuid:
    (uuid,) = site.waldur.resources
    return uuid


def account(site: Site) -> Account:
    return site.account_of(resource(site))


def flag(site: Site, *, paused: bool = False, downscaled: bool = False) -> None:
    held = site.waldur.resources[resource(site)]
    site.waldur.resources[resource(site)] = replace(
        held, is_paused=paused, is_downscaled=downscaled
    )
    site.settle()


def held(site: Site) -> AccountHold:
    return AccountHold(account(site).grp_jobs, account(site).grp_submit_jobs)


def test_a_pause_is_lifted_to_what_was_before(site: Site) -> None:
    site.slurm.set_account_hold(account(site).name, 7, None)

    flag(site, paused=True)
    assert held(site) == AccountHold(0, 0)

    flag(site)
    assert held(site) == AccountHold(7, None)


def test_the_value_before_is_in_the_journal_before_the_hold_is_in_slurm(site: Site) -> None:
    name = account(site).name
    site.slurm.set_account_hold(name, 7, None)
    uuid = resource(site)
    site.waldur.resources[uuid] = replace(site.waldur.resources[uuid], is_paused=True)
    site.slurm.fail_next(OSError("killed"), on="set_account_hold")  # type: ignore[arg-type]  # as sudden as a kill

    with pytest.raises(OSError, match="killed"):
        site.run()

    ledger = Ledger.from_document(site.state.documents["journal/ledger"])
    assert ledger.page(name).hold == AccountHold(7, None)


def test_an_administrators_hold_is_never_lifted(site: Site) -> None:
    site.slurm.set_account_hold(account(site).name, 0, 0)

    flag(site, paused=True)
    flag(site)

    assert held(site) == AccountHold(0, 0)


def test_a_hold_that_an_administrator_lifted_is_forgotten(site: Site) -> None:
    flag(site, paused=True)
    uuid = resource(site)
    site.waldur.resources[uuid] = replace(site.waldur.resources[uuid], is_paused=False)
    site.slurm.set_account_hold(account(site).name, None, None)
    site.settle()
    site.slurm.set_account_hold(account(site).name, 0, 0)

    site.settle()

    assert held(site) == AccountHold(0, 0), "the second hold is the administrator's own"


def test_downscaling_sets_list_and_default_together_and_back(site: Site) -> None:
    site.change_policy(downscaled_qos="low")
    site.slurm.set_qos(account(site).name, ["high", "normal"], "high")

    flag(site, downscaled=True)
    assert (account(site).qos, account(site).default_qos) == (("low",), "low")

    flag(site)
    assert (account(site).qos, account(site).default_qos) == (("high", "normal"), "high")


def test_without_a_qos_for_it_downscaling_is_only_shown(site: Site) -> None:
    before = account(site)

    flag(site, downscaled=True)

    assert account(site) == before
    assert [drift.kind for drift in site.plan().plan.drifts] == [DriftKind.QOS]


def test_a_termination_that_waldur_took_back_lets_people_work_again(site: Site) -> None:
    site.desk.is_behind = True
    order = site.waldur.place_terminate(resource(site))
    site.run()
    assert held(site) == AccountHold(0, 0)

    site.waldur.err(order.uuid)
    site.settle()

    assert site.waldur.orders[order.uuid].state is OrderState.ERRED
    assert held(site) == AccountHold(None, None)


def test_a_limit_changed_by_hand_is_shown_and_restored_only_where_the_site_wants_that(
    site: Site,
) -> None:
    name = account(site).name
    ordered = account(site).limits
    site.slurm.set_limits(name, dict.fromkeys(ordered, 5))
    assert site.run().is_idle
    assert [drift.kind for drift in site.plan().plan.drifts] == [DriftKind.LIMITS]

    site.change_policy(enforce_limits=True)
    site.settle()

    assert account(site).limits == ordered

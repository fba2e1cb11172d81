"""Limits go from Slurm to Waldur only as whole numbers of Waldur's units, and never by accident."""

from dataclasses import replace

import pytest

from tests.unit.agent.push.site import COMPONENTS, CPU, GPU, HOUR, NOON, Site
from waldur_slurm.agent.model.components import NotOrdered
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import tres_name


def enforce(site: Site, minutes: int | None) -> None:
    limits = {} if minutes is None else {tres_name("gres/gpu"): minutes}
    site.slurm.put(Account(AccountName("alpha"), parent=ROOT, limits=limits))


def test_a_limit_that_slurm_enforces_replaces_waldurs(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    enforce(site, 8 * 60)

    site.cycle().run()

    assert site.waldur.resources[alpha.uuid].limits == {GPU: 8}


def test_a_limit_that_waldur_keeps_as_its_own_is_told_once_and_is_drift(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    enforce(site, 8 * 60)
    site.waldur.governed = frozenset({GPU})

    first = site.cycle().run()
    second = site.cycle().run()

    assert len(site.waldur.written("tell_limits")) == 1
    assert site.heard("limits.reported") == []
    for report in (first, second):
        (drift,) = report.drifts
        assert (drift.subject, drift.found, drift.wanted) == ("alpha", "gres/gpu=480", "5")
    assert second.is_idle
    assert site.waldur.resources[alpha.uuid].limits == {GPU: 5}


def test_another_limit_than_the_one_that_was_not_taken_is_told_again(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    enforce(site, 8 * 60)
    site.waldur.governed = frozenset({GPU})
    site.cycle().run()
    site.waldur.governed = frozenset()

    enforce(site, 9 * 60)
    site.cycle().run()

    assert site.waldur.resources[alpha.uuid].limits == {GPU: 9}


def test_what_the_offering_sells_no_more_is_left_out_of_the_limits(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    site.waldur._change(alpha, limits={GPU: 5, "storage": 3})
    enforce(site, 8 * 60)

    report = site.cycle().run()

    assert report.failures == ()
    assert site.waldur.resources[alpha.uuid].limits == {GPU: 8}


def test_while_the_offering_is_unavailable_only_usage_is_told(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", gpu=5)
    for name in ("beta", "gamma", "delta", "epsilon"):
        today.allocation(name)
    today.drop_account("delta")
    enforce(today, 8 * 60)
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    today.waldur.offering = replace(today.waldur.offering, state="Unavailable")

    report = today.cycle().run()

    assert report.failures == ()
    assert today.held(alpha, CPU, Month(2026, 11)) == 2
    (refusal,) = report.refusals
    assert refusal.kind is RefusalKind.UNAVAILABLE
    assert "2 changes wait" in refusal.reason


def test_a_limit_that_no_order_ever_named_is_only_shown(site: Site) -> None:
    """As after a component was changed from usage to limit: the old cap is nobody's order."""
    alpha = site.allocation("alpha")
    enforce(site, 8 * 60)

    report = site.cycle().run()

    assert site.waldur.written("tell_limits") == []
    assert site.waldur.resources[alpha.uuid].limits == {}
    assert [(drift.found, drift.wanted) for drift in report.drifts] == [("gres/gpu=480", "none")]


def test_limits_that_agree_are_not_told(site: Site) -> None:
    site.allocation("alpha", gpu=5)

    site.cycle().run()

    assert site.waldur.written("tell_limits") == []


@pytest.mark.parametrize("minutes", [8 * 60 + 1, None])
def test_what_is_no_whole_number_of_units_is_only_shown(site: Site, minutes: int | None) -> None:
    alpha = site.allocation("alpha", gpu=5)
    enforce(site, minutes)

    report = site.cycle().run()

    assert site.waldur.resources[alpha.uuid].limits == {GPU: 5}
    assert [(drift.subject, drift.component) for drift in report.drifts] == [("alpha", GPU)]


def test_while_an_order_is_in_flight_limits_are_not_told(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    enforce(site, 8 * 60)
    site.waldur.place_update(alpha.uuid, {GPU: 9})

    site.cycle().run()

    assert site.waldur.written("tell_limits") == []


def test_limits_are_only_shown_where_telling_one_would_drop_another(site: Site) -> None:
    alpha = site.allocation("alpha", gpu=5)
    odd = {GPU: 5, "storage": 2.5}
    site.waldur._change(alpha, limits=odd)
    enforce(site, 8 * 60)

    report = site.cycle().run()

    assert site.waldur.resources[alpha.uuid].limits == odd
    assert [drift.component for drift in report.drifts] == [GPU]


@pytest.mark.parametrize("kind", [LimitsReported.SHOWN, LimitsReported.IGNORED])
def test_a_site_may_have_limits_shown_or_ignored(site: Site, kind: LimitsReported) -> None:
    site.policy["limits"] = kind
    site.allocation("alpha", gpu=5)
    enforce(site, 8 * 60)

    report = site.cycle().run()

    assert site.waldur.written("tell_limits") == []
    assert len(report.drifts) == (1 if kind is LimitsReported.SHOWN else 0)


@pytest.mark.parametrize(("rule", "minutes"), [(NotOrdered.UNLIMITED, None), (NotOrdered.ZERO, 0)])
def test_a_component_that_was_not_ordered_agrees_with_what_pull_made_of_it(
    site: Site, rule: NotOrdered, minutes: int | None
) -> None:
    site.allocation("alpha")
    enforce(site, minutes)
    cycle = site.cycle()
    cycle.components = [replace(component, when_not_ordered=rule) for component in COMPONENTS]

    report = cycle.run()

    assert site.waldur.written("tell_limits") == []
    assert report.drifts == ()


def test_limits_of_components_that_are_billed_by_usage_are_nobodys_order(site: Site) -> None:
    site.allocation("alpha")
    limits = {tres_name("cpu"): 600}
    site.slurm.put(Account(AccountName("alpha"), parent=ROOT, limits=limits))

    report = site.cycle().run()

    assert site.waldur.written("tell_limits") == []
    assert report.drifts == ()

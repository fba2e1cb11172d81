"""What Waldur holds after a push cycle, and what a cycle never does."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.slurm import FOREVER
from tests.unit.agent.push.site import COMPONENTS, CPU, GPU, HOUR, MEM, NOON, NOVEMBER, Site
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.errors import AccountingDown, SlurmError
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.period import Window


def test_a_job_arrives_as_usage_of_its_account_and_of_its_user(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4, mem=2048)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("8.00")
    assert site.held(alpha, MEM, NOVEMBER) == Decimal("4.00")
    assert site.held_by(alpha, "ann") == Decimal("8.00")
    assert report.failures == ()


def test_an_unchanged_cluster_costs_waldur_no_write(site: Site) -> None:
    site.allocation("alpha", "ann", gpu=7)
    site.allocation("idle")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4, mem=2048)
    site.cycle().run()
    site.forget()

    report = site.cycle().run()

    assert site.told == []
    assert report.is_idle
    assert site.events == []


def test_a_running_job_counts_up_to_now(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)
    site.cycle().run()

    site.move_to(NOON + 2 * HOUR)
    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("3.00")


@pytest.mark.parametrize("silent", ["read_outline", "read_queue", "read_job_records"])
def test_while_slurm_is_silent_nothing_is_told_and_the_next_cycle_is_right(
    site: Site, silent: str
) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.slurm.fail_next(AccountingDown(("sacct",), 1, "Connection refused"), silent)

    with pytest.raises(SlurmError):
        site.cycle().run()
    assert site.told == []

    site.cycle().run()
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_one_unreadable_record_keeps_back_its_own_account_only(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)
    site.slurm.unreadable = [UnreadableRecord(("7", "alpha", "ann", "??"), "no amount: '??'")]

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")
    (refusal,) = report.refusals
    assert (refusal.kind, refusal.subject) == (RefusalKind.IN_DOUBT, "alpha")
    assert "no amount: '??'" in refusal.reason


def test_an_account_that_two_resources_name_is_reported_for_neither(site: Site) -> None:
    alpha, twin = site.allocation("alpha", "ann"), site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(twin, CPU, NOVEMBER) is None
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.CONTESTED]


@pytest.mark.parametrize("wants_memberships", [True, False])
def test_a_cycle_makes_as_many_changes_as_its_plan_has_steps(
    site: Site, wants_memberships: bool
) -> None:
    site.waldur.offering = replace(site.waldur.offering, wants_memberships=wants_memberships)
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.allocation(account, user)
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)

    planned = site.cycle().plan().steps

    assert site.cycle().run().changes == len(planned) > 0


def test_push_writes_nothing_to_slurm(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.allocation("gone", "bob")
    site.drop_account("gone")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    site.cycle().run()

    assert {name for name in site.slurm.calls if not name.startswith("read_")} == set()


def test_a_plan_tells_nobody_and_remembers_nothing(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)

    plan = site.cycle().plan()

    assert plan.steps
    assert site.told == []
    assert site.state.read("journal/runs") == {}


def resized(site: Site) -> Resource:
    alpha = site.allocation("alpha", "ann")
    job = site.job("alpha", "ann", NOON - 30 * HOUR)
    job.submitted, job.resized = NOON - 40 * HOUR, NOON - 30 * HOUR
    return alpha


def test_a_job_that_was_made_smaller_goes_on_counting(site: Site) -> None:
    alpha = resized(site)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("30.00")
    assert report.runaways == ()


def test_a_job_that_was_made_smaller_and_is_suspended_does_not_count(site: Site) -> None:
    alpha = resized(site)
    (job,) = site.slurm.jobs
    job.state, job.paused = "SUSPENDED", [Window(NOON - 10 * HOUR, FOREVER)]

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("20.00")


def test_a_component_that_is_sold_from_today_on_has_its_past_days_too(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", gpu=5)
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON - 90 * HOUR, gpu=1)
    cycle = site.cycle()
    cycle.components = [component for component in COMPONENTS if component.type == CPU]
    cycle.run()

    site.cycle().run()

    assert site.held(alpha, GPU, NOVEMBER) == Decimal("10.00")


def test_yesterdays_record_that_arrives_late_is_in_todays_report(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.cycle().run()
    site.job("alpha", "ann", NOON - 20 * HOUR, NOON - 18 * HOUR)

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")

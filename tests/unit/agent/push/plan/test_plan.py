"""An account that is gone from Slurm, one that is back, and accounting that is not believed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.waldur import Write
from tests.unit.agent.push.site import CPU, HOUR, NOON, Site
from waldur_slurm.agent.errors import WaldurRejected
from waldur_slurm.agent.model.marketplace import ResourceState
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.model.period import Month

OK, ERRED = ResourceState.OK, ResourceState.ERRED


@pytest.fixture(autouse=True)
def others(request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue("site")
    for number in range(3):
        site.allocation(f"other{number}")


def test_a_resource_without_its_account_is_erred_after_its_last_usage_was_sent(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.drop_account("alpha")

    site.cycle().run()

    assert site.held(alpha, CPU, Month(2026, 11)) == Decimal("2.00")
    assert site.state_of(alpha) is ERRED
    (told,) = site.waldur.written("tell_resource_erred")
    assert "alpha does not exist in Slurm" in str(told.detail)


def test_when_its_account_is_back_the_resource_is_ok_again(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.drop_account("alpha")
    site.cycle().run()

    site.account("alpha", "ann")
    site.cycle().run()

    assert site.waldur.written("tell_resource_ok") == [Write("tell_resource_ok", alpha.uuid)]
    assert site.state_of(alpha) is OK
    assert site.cycle().run().is_idle


def test_a_resource_that_stays_erred_is_tried_and_told_in_every_cycle(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.drop_account("alpha")
    site.cycle().run()
    site.account("alpha", "ann")
    refused = WaldurRejected("set_as_ok", 400, "no")

    for _ in range(2):
        site.waldur.fail_next("tell_resource_ok", refused)
        report = site.cycle().run()
        assert [str(failure.error) for failure in report.failures] == [str(refused)]

    site.cycle().run()
    assert site.state_of(alpha) is OK


def test_a_resource_that_somebody_else_called_erred_stays_so(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, state=ERRED)

    site.cycle().run()

    assert site.state_of(alpha) is ERRED


def test_it_is_not_erred_while_its_usage_is_unsent(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.drop_account("alpha")
    site.waldur.fail_next("tell_usage", WaldurRejected("set usage", 400, "no"))

    site.cycle().run()
    assert site.state_of(alpha) is OK

    site.cycle().run()
    assert site.state_of(alpha) is ERRED


def test_what_waldur_will_not_call_erred_is_not_asked_for_again(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.drop_account("alpha")
    site.waldur.fail_next("tell_resource_erred", WaldurRejected("set erred", 403, "staff only"))

    first, second = site.cycle().run(), site.cycle().run()

    assert len(first.failures) == 1
    assert second.failures == ()
    assert site.state_of(alpha) is OK


def drop_all(site: Site) -> None:
    for resource in site.waldur.resources.values():
        site.drop_account(resource.backend_id)


def test_accounting_that_lost_most_accounts_at_once_is_not_believed(site: Site) -> None:
    drop_all(site)

    report = site.cycle().run()

    assert site.told == []
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.BRAKE]
    assert report.is_brake_active


def test_accounting_that_lost_a_quarter_of_the_accounts_at_once_is_not_believed(site: Site) -> None:
    for name in ("delta", "epsilon", "zeta", "eta", "theta"):
        site.allocation(name, "ann")
    for resource in list(site.waldur.resources.values())[:2]:
        site.drop_account(resource.backend_id)

    assert site.cycle().run().is_brake_active
    assert site.told == []


def test_it_is_believed_after_three_readings_over_half_an_hour(site: Site) -> None:
    drop_all(site)
    for minutes in (0, 10, 20, 25):
        site.move_to(NOON + timedelta(minutes=minutes))
        site.cycle().run()
    assert site.told == []

    site.move_to(NOON + timedelta(minutes=30))
    site.cycle().run()

    assert len(site.waldur.written("tell_resource_erred")) == 3


def test_accounts_that_come_back_start_the_count_again(site: Site) -> None:
    drop_all(site)
    for minutes in (0, 20):
        site.move_to(NOON + timedelta(minutes=minutes))
        site.cycle().run()
    for resource in site.waldur.resources.values():
        site.account(resource.backend_id)
    site.cycle().run()
    drop_all(site)
    site.move_to(NOON + timedelta(minutes=50))

    site.cycle().run()

    assert site.waldur.written("tell_resource_erred") == []


def test_a_plan_does_not_count_as_a_reading(site: Site) -> None:
    drop_all(site)
    site.cycle().run()
    site.move_to(NOON + timedelta(minutes=40))

    for _ in range(4):
        site.cycle().plan()
    site.cycle().run()

    assert site.told == []


def test_capitals_in_waldur_are_the_same_account(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, backend_id="Alpha")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    site.cycle().run()

    assert site.state_of(alpha) is OK
    assert site.held(alpha, CPU, Month(2026, 11)) == Decimal("2.00")

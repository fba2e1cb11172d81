"""What a token may not do keeps back no usage that it may tell; what stays untold says why."""

from datetime import timedelta
from decimal import Decimal

from tests.unit.agent.push.site import CPU, EDGE, GPU, HOUR, MEM, NOON, NOVEMBER, OCTOBER, Site
from waldur_slurm.agent.errors import WaldurRejected


def managed(site: Site) -> Site:
    """The token is that of a manager of the offering."""
    site.waldur.is_owned = False
    site.waldur.rights = ["OFFERING.MANAGER of offering Cluster"]
    site.waldur.managers_read_usage = True
    return site


def test_a_managers_token_reports_the_running_month(today: Site) -> None:
    alpha = managed(today).allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    report = today.cycle().run()

    assert report.failures == ()
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert today.held_by(alpha, "ann") == Decimal("2.00")


def test_what_a_managers_token_cannot_tell_of_a_closed_month_is_owed(today: Site) -> None:
    alpha = managed(today).allocation("alpha", "ann", gpu=5)
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE + HOUR, gpu=1)
    today.move_to(EDGE + 2 * HOUR)

    report = today.cycle().run()

    assert {(each.month, each.component) for each in report.owed} == {
        (OCTOBER, CPU),
        (OCTOBER, GPU),
    }
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("1.00")


def test_near_the_edge_of_a_month_an_owners_token_names_the_month_by_a_date(today: Site) -> None:
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    today.move_to(EDGE - timedelta(minutes=2))
    today.cycle().run()
    assert today.held(alpha, CPU, OCTOBER) == Decimal("2.00")

    near = managed(today).allocation("beta", "bob")
    today.job("beta", "bob", EDGE - 3 * HOUR, EDGE - HOUR)
    report = today.cycle().run()

    assert [failure.step.resource.uuid for failure in report.failures] == [near.uuid]


def test_usage_that_a_managers_token_may_not_read_back_is_a_refusal_with_its_remedy(
    today: Site,
) -> None:
    managed(today).waldur.managers_read_usage = False
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    report = today.cycle().run()

    assert today.waldur.usages[alpha.uuid, CPU, NOVEMBER].amount == Decimal("2.00")
    (failure,) = report.failures
    assert isinstance(failure.error, WaldurRejected)
    assert "an owner of the service provider" in str(failure.error)


def test_the_owner_of_another_organization_is_told_whose_token_is_wanted(today: Site) -> None:
    managed(today).waldur.managers_read_usage = False
    today.waldur.rights_elsewhere = ["CUSTOMER.OWNER of customer Arts"]
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    (failure,) = today.cycle().run().failures

    assert isinstance(failure.error, WaldurRejected)
    assert "an owner of the service provider" in str(failure.error)


def test_one_report_has_all_components_so_that_waldurs_page_forgets_none(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", gpu=5)
    site.job("alpha", "ann", NOON - 6 * HOUR, NOON - 5 * HOUR, gpu=1, mem=61440)
    site.cycle().run()
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=2, mem=0)

    site.cycle().run()

    assert site.waldur.current_usages[alpha.uuid] == {
        CPU: Decimal("5.00"),
        MEM: Decimal("60.00"),
        GPU: Decimal("1.00"),
    }


def test_what_was_never_used_is_given_no_row(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", gpu=5)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held(alpha, GPU, NOVEMBER) is None


def test_what_is_told_again_is_no_change_and_stays_out_of_the_audit_log(today: Site) -> None:
    today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    today.cycle().run()

    (reported,) = today.heard("usage.reported")
    assert reported.fields["amounts"] == {"cpu": "2.00"}

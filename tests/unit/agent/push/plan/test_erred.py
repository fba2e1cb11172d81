"""What stays Erred in Waldur is told in every plan, counted, and called OK at a person's word."""

import pytest

from tests.unit.agent.push.site import CPU, HOUR, NOON, NOVEMBER, Site
from waldur_slurm.agent.errors import WaldurRejected
from waldur_slurm.agent.model.marketplace import OrderState, Resource, ResourceState
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.policy import Consent
from waldur_slurm.agent.push.render import to_text
from waldur_slurm.agent.report.findings import Refusal

OK, ERRED = ResourceState.OK, ResourceState.ERRED


@pytest.fixture(autouse=True)
def others(request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue("site")
    for number in range(3):
        site.allocation(f"other{number}")


def erred_by_somebody(site: Site) -> Resource:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, state=ERRED)
    return alpha


def erred(site: Site) -> list[Refusal]:
    return [r for r in site.cycle().plan().refusals if r.kind is RefusalKind.ERRED]


def test_what_somebody_else_called_erred_is_told_in_every_plan_and_counted(site: Site) -> None:
    erred_by_somebody(site)

    for _ in range(2):
        report = site.cycle().run()
        assert report.standing.erred_resources == 1
        assert report.changes == 0
        assert "Not told (1)\n  erred: alpha: Waldur calls it Erred" in to_text(site.cycle().plan())
    (refusal,) = erred(site)
    assert "`once --repair erred` calls it OK" in refusal.reason


def test_a_persons_word_calls_it_ok_and_its_usage_is_told(site: Site) -> None:
    alpha = erred_by_somebody(site)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.cycle().run()
    assert site.held(alpha, CPU, NOVEMBER) is None

    report = site.cycle().run(Consent(repair_erred=True))

    assert site.state_of(alpha) is OK
    assert report.standing.erred_resources == 0
    site.cycle().run()
    assert str(site.held(alpha, CPU, NOVEMBER)) == "2.00"
    assert erred(site) == []


def test_an_account_that_stays_away_is_told_with_the_way_back(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.drop_account("alpha")
    site.cycle().run()

    assert site.cycle().run(Consent(repair_erred=True)).standing.erred_resources == 1
    (refusal,) = erred(site)
    assert refusal.subject == "alpha"
    assert "`once --repair missing` makes it again" in refusal.reason


def test_one_without_an_account_is_told_by_its_uuid(site: Site) -> None:
    resource = site.waldur.make_resource(site.waldur.make_project(), "failed", state=ERRED)

    (refusal,) = erred(site)

    assert refusal.subject == resource.uuid
    assert "terminate it in Waldur" in refusal.reason


def test_what_comes_back_by_itself_is_no_standing_trouble_unless_it_fails(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.drop_account("alpha")
    site.cycle().run()
    site.account("alpha", "ann")
    assert erred(site) == []

    site.waldur.fail_next("tell_resource_ok", WaldurRejected("set_as_ok", 400, "no"))

    assert site.cycle().run().standing.erred_resources == 1
    assert site.cycle().run().standing.erred_resources == 0


def test_one_that_an_order_will_settle_is_left_to_it(site: Site) -> None:
    alpha = erred_by_somebody(site)
    site.waldur.place_terminate(alpha.uuid, OrderState.PENDING_PROVIDER)

    assert erred(site) == []


def test_what_is_not_erred_is_not_called_ok_at_that_word(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, state=ResourceState.UPDATING)

    site.cycle().run(Consent(repair_erred=True))

    assert site.waldur.written("tell_resource_ok") == []

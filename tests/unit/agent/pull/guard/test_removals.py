"""What counts as taken away, and against which allowance."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
)
from waldur_slurm.agent.pull.world.choices import Allowance, JobPolicy
from waldur_slurm.agent.pull.world.taken import BrakeKind
from waldur_slurm.model.names import UserName
from waldur_slurm.model.tres import tres_name

GPU = tres_name("gres/gpu")


@pytest.fixture
def site() -> Site:
    return new_site()


@pytest.mark.parametrize("dialect", [Dialect.CLASSIC, Dialect.TRANSITION])
def test_a_brake_on_people_does_not_stop_an_order_of_their_resource(dialect: Dialect) -> None:
    site = new_site(dialect)
    resource = served(site, "ann", "bob", "cy")
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    for user in sorted(site.waldur.members[resource.project.uuid])[:2]:
        site.waldur.remove_member(resource.project, user)
    order = site.waldur.place_update(resource.uuid, {"gpu": 5})

    report = site.run()

    assert report.is_brake_active
    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert site.account_of(resource.uuid).limits[GPU] == 300
    assert site.account_of(resource.uuid).users == {"ann", "bob", "cy"}


@pytest.mark.parametrize("flag", ["is_paused", "is_downscaled"])
def test_more_holds_than_allowed_are_cut(site: Site, flag: str) -> None:
    resource = served(site)
    site.change_policy(max_removals=Allowance(0, Fraction(0)), downscaled_qos="normal")
    before = site.accounts()
    changes: dict[str, bool] = {flag: True}
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid],
        **changes,  # type: ignore[arg-type]  # a typo fails at once
    )

    report = site.run()

    assert site.accounts() == before
    assert [brake.kind for brake in report.brakes] == [BrakeKind.HOLDS]


@pytest.mark.parametrize("leavers", list(JobPolicy))
@pytest.mark.parametrize("is_held", [False, True])
def test_the_brake_covers_people_whose_jobs_still_run(
    site: Site, leavers: JobPolicy, *, is_held: bool
) -> None:
    resource = served(site, "ann", "bob", "cy")
    site.change_policy(max_removals=Allowance(0, Fraction(0)), leavers=leavers)
    account = site.account_of(resource.uuid)
    job = site.slurm.submit("ann", account.name)
    site.wait(timedelta(minutes=1))
    if is_held:
        site.slurm.set_user_hold(account.name, UserName("ann"), 0)
    ann = next(u for u, name in site.waldur.usernames.items() if name == "ann")
    site.waldur.remove_member(resource.project, ann)
    before = site.accounts()

    report = site.run()

    assert site.accounts() == before
    assert job.end is None
    assert bool(report.brakes) is not (is_held and leavers is JobPolicy.DRAIN)

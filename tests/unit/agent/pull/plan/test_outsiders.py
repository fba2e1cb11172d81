"""No access is loud: each member without it is named with what is lacking, and to be done."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Dialect, UserUuid
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import MakeOfferingUser
from waldur_slurm.telemetry.events import Level


@pytest.fixture(params=list(Dialect))
def site(request: pytest.FixtureRequest) -> Site:
    return new_site(request.param)


def lacking(site: Site) -> UserUuid:
    """A member of an allocation whom Waldur has made no offering user."""
    resource = served(site, "ann")
    eve = site.waldur.add_member(resource.project, "eve")
    del site.waldur.offering_users[eve]
    return eve


def without_access(site: Site) -> list[Refusal]:
    return [r for r in site.plan().plan.refusals if r.kind is RefusalKind.NO_ACCESS]


def test_a_member_without_an_offering_user_is_named_with_the_option_of_the_dialect(
    site: Site,
) -> None:
    eve = lacking(site)

    [refusal] = without_access(site)

    assert refusal.subject == eve
    assert refusal.reason.startswith(f"{eve[-4:]}-at-home: has no offering user")
    is_today = site.waldur.dialect is Dialect.TODAY
    assert ("plugin_options" in refusal.reason) is is_today
    assert ("secret_options" in refusal.reason) is not is_today


def test_a_member_without_a_user_name_and_one_who_waits_are_named_with_the_reason(
    site: Site,
) -> None:
    resource = served(site, "ann")
    no_name, waits = (site.waldur.add_member(resource.project, name) for name in ("", "bob"))
    reasons = {no_name: "the offering user has no user name", waits: "in state 'Creating'"}
    for user, why in reasons.items():
        known = site.waldur.offering_users[user]
        site.waldur.offering_users[user] = replace(known, is_usable=False, why_not=why)

    told = {refusal.subject: refusal.reason for refusal in without_access(site)}

    assert told.keys() == reasons.keys()
    assert all(why in told[user] for user, why in reasons.items())
    counts = {"no user name": 1, "not ready": 1}
    assert site.run().standing.members_without_access == counts


def test_who_is_on_the_way_out_and_who_is_in_no_allocation_lacks_nothing(site: Site) -> None:
    resource = served(site, "ann")
    gone = site.waldur.add_member(resource.project, "bob")
    site.waldur.offering_users[gone] = replace(
        site.waldur.offering_users[gone], is_usable=False, is_leaving=True
    )
    site.waldur.add_member(site.waldur.make_project("Empty"), "eve")

    assert without_access(site) == []


def test_it_is_a_warning_once_and_silence_afterwards(site: Site) -> None:
    lacking(site)
    cycle = site.cycle()
    for _ in range(3):
        cycle.run()

    told = [e for e in site.events if e.name == "step.refused" and e.level is Level.WARNING]
    assert [event.fields["kind"] for event in told] == ["no access"]


def test_missing_offering_users_are_made_only_where_the_site_says_so(site: Site) -> None:
    eve = lacking(site)
    assert site.run().is_idle
    site.change_policy(make_offering_users=True)
    [step] = site.plan().plan.steps
    assert isinstance(step, MakeOfferingUser)

    site.run()

    assert eve in site.waldur.offering_users
    assert [event.name for event in site.events][-1] != "step.failed"
    site.waldur.name_user(eve, "eve")
    site.settle()
    (resource,) = site.waldur.resources.values()
    assert site.account_of(resource.uuid).users == {"ann", "eve"}


def test_a_server_that_makes_no_offering_users_is_asked_again_after_growing_pauses(
    site: Site,
) -> None:
    lacking(site)
    site.waldur.lets_make_users = False
    site.change_policy(make_offering_users=True)

    failures = [len(site.run().failures) for _ in range(4)]

    assert failures[0] == 1
    assert failures[-1] == 0

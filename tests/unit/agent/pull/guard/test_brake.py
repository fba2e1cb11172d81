"""Removals beyond what the site allows are cut, and everything else goes on."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.pull_crash import Crash, Fuse, whole
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import OrderState, ProjectUuid
from waldur_slurm.agent.pull.news import CycleReport
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.agent.pull.world.taken import BrakeKind, still_counting
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName

PEOPLE = [f"user{number}" for number in range(6)]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    """One project with one allocation and six people in it."""
    site = new_site()
    served(site, *PEOPLE)
    site.events.clear()
    return site


def people(site: Site) -> int:
    return sum(len(a.users) for a in site.accounts().values() if a.name.startswith("hpc_"))


def test_half_of_all_people_gone_is_not_believed_at_once(site: Site) -> None:
    for team in site.waldur.members.values():
        for user in sorted(team)[:4]:
            team.discard(user)

    report = site.run()

    assert people(site) == 6
    assert report.doubts == ("people",)


def test_one_leaver_of_six_is_believed(site: Site) -> None:
    for team in site.waldur.members.values():
        team.discard(min(team))

    site.run()

    assert people(site) == 5


def empty_team(site: Site) -> None:
    for members in site.waldur.members.values():
        members.clear()


def test_a_person_may_say_yes_for_one_cycle(site: Site) -> None:
    empty_team(site)

    site.run(Consent(allow_removals=True))

    assert people(site) == 0


def test_an_empty_list_of_resources_changes_nothing(site: Site) -> None:
    before = site.accounts()
    site.waldur.resources.clear()

    report = site.run()

    assert site.accounts() == before
    assert "resources" in report.doubts


def test_more_removals_than_allowed_are_cut_and_the_rest_goes_on(site: Site) -> None:
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    (project,) = (resource.project for resource in site.waldur.resources.values())
    leaving = sorted(site.waldur.members[project.uuid])[:2]
    for user in leaving:
        site.waldur.remove_member(project, user)
    site.waldur.add_member(project, "newcomer")

    report = site.run()

    assert people(site) == 7
    assert [(brake.planned, brake.allowed) for brake in report.brakes] == [(2, 1)]


def the_project(site: Site) -> ProjectUuid:
    (resource,) = site.waldur.resources.values()
    return resource.project.uuid


def depart(site: Site, count: int = 1) -> None:
    """So many people leave the team."""
    team = site.waldur.members[the_project(site)]
    for user in sorted(team)[:count]:
        team.discard(user)


def leave_one_an_hour(site: Site, hours: int) -> list[CycleReport]:
    reports = []
    for _ in range(hours):
        depart(site)
        reports.append(site.run())
        site.wait(timedelta(hours=1))
    return reports


def test_many_small_cycles_may_not_do_what_one_big_one_may_not(site: Site) -> None:
    site.change_policy(max_removals=Allowance(2, Fraction(0)))

    reports = leave_one_an_hour(site, 4)

    assert people(site) == 4
    assert [len(report.brakes) for report in reports] == [0, 0, 1, 1]
    (brake,) = reports[-1].brakes
    assert (brake.planned, brake.taken, brake.allowed) == (2, 2, 2)
    (refusal,) = reports[-1].refusals
    assert refusal.reason == (
        "2 planned after 2 in the last 24 hours, 2 allowed in 24 hours;"
        " `once --allow-removals` carries them out"
    )


def test_a_day_later_as_many_may_leave_again(site: Site) -> None:
    site.change_policy(max_removals=Allowance(2, Fraction(0)))
    leave_one_an_hour(site, 3)
    assert people(site) == 4

    site.wait(timedelta(hours=22))
    site.run()

    assert people(site) == 3
    assert list(site.state.documents["journal/removals"]["people"]) != []


def test_the_share_is_one_of_what_there_was_before_the_first_went(site: Site) -> None:
    site.change_policy(max_removals=Allowance(0, Fraction(1, 2)))

    leave_one_an_hour(site, 4)

    assert people(site) == 3


def test_removals_that_a_kill_cut_short_are_counted(site: Site) -> None:
    site.change_policy(max_removals=Allowance(2, Fraction(0)))
    for _ in range(2):
        depart(site)
        site.wrap_slurm = Fuse(0, is_after=True).around
        with pytest.raises(Crash):
            site.run()
    site.wrap_slurm = whole
    depart(site)

    report = site.run()

    assert people(site) == 4
    assert report.is_brake_active


def test_what_a_kill_cut_short_is_finished_though_less_is_allowed_now(site: Site) -> None:
    site.change_policy(max_removals=Allowance(2, Fraction(0)))
    depart(site, 2)
    site.wrap_slurm = Fuse(0, is_after=False).around
    with pytest.raises(Crash):
        site.run()
    site.wrap_slurm = whole
    site.change_policy(max_removals=Allowance(1, Fraction(0)))

    report = site.run()

    assert people(site) == 4
    assert report.brakes == ()


def test_what_slurm_refused_to_remove_is_not_counted(site: Site) -> None:
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    depart(site)
    site.slurm.fail_next(refused("no"), on="remove_users")
    site.run()
    assert people(site) == 6

    assert (
        "journal/removals" not in site.state.documents
        or not (site.state.documents["journal/removals"])
    )


def test_who_was_held_on_one_day_counts_once_when_he_goes_on_the_same(site: Site) -> None:
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    (resource,) = site.waldur.resources
    leaver = site.waldur.usernames[min(site.waldur.members[the_project(site)])]
    job = site.slurm.submit(leaver, site.account_of(resource).name)
    site.wait(timedelta(minutes=1))
    depart(site)
    site.run()
    site.slurm.finish(job)
    site.wait(timedelta(hours=1))

    report = site.run()

    assert people(site) == 5
    assert report.brakes == ()


def test_what_a_person_allowed_leaves_the_days_measure_untouched(site: Site) -> None:
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    depart(site, 3)
    site.run(Consent(allow_removals=True))
    assert people(site) == 3

    depart(site)
    site.run()

    assert people(site) == 2


def test_approved_terminations_are_not_summed_up_over_the_day() -> None:
    site = new_site()
    site.change_policy(max_terminations=1, max_removals=Allowance(0, Fraction(0)))
    orders = []
    for number in range(3):
        project = site.waldur.make_project(f"P{number}", "one customer")
        orders.append(site.waldur.place_create(project, "alloc", {"gpu": 1}))
    site.settle()

    for order in orders:
        assert order.resource is not None
        site.waldur.place_terminate(order.resource)
        site.settle()

    assert {order.state for order in site.waldur.orders.values()} == {OrderState.DONE}


def test_a_clock_that_was_wrong_by_years_does_not_hold_the_brake_for_ever() -> None:
    later = NOON + timedelta(days=900)
    taken = {BrakeKind.PEOPLE: {"a/u": later, "a/v": NOON + timedelta(hours=5)}}

    assert still_counting(taken, NOON) == {BrakeKind.PEOPLE: {"a/v": NOON + timedelta(hours=5)}}


def test_the_share_counts_where_it_is_larger() -> None:
    assert Allowance(10, Fraction(1, 10)).among(50) == 10
    assert Allowance(10, Fraction(1, 10)).among(5000) == 500


def test_more_terminations_than_allowed_are_not_even_approved(site: Site) -> None:
    site.change_policy(max_terminations=0)
    (resource,) = site.waldur.resources
    order = site.waldur.place_terminate(resource)

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert people(site) == 6


def test_a_limit_that_would_be_lowered_too_often_leaves_the_order_alone(site: Site) -> None:
    site.change_policy(max_removals=Allowance(0, Fraction(0)))
    (resource,) = site.waldur.resources
    order = site.waldur.place_update(resource, {"gpu": 0})

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER


def test_a_database_that_lost_most_accounts_ends_no_allocation() -> None:
    site = new_site()
    project = site.waldur.make_project()
    for number in range(8):
        name = f"hpc_lost_{number}"
        site.waldur.make_resource(project, f"lost {number}", backend_id=name)
    order = site.waldur.place_terminate(next(iter(site.waldur.resources)))

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING


def test_foreign_accounts_below_an_empty_project_keep_it(site: Site) -> None:
    (resource,) = site.waldur.resources
    parent = site.account_of(resource).parent
    assert parent is not None
    site.slurm.put(Account(AccountName("side"), "an admin's", "x", parent=parent))
    site.waldur.place_terminate(resource)

    site.settle()
    site.run(Consent(remove_empty_now=True))

    assert parent in site.accounts()
    assert site.accounts()[AccountName("side")].parent == parent


def test_a_doubt_about_one_team_cuts_no_removal_of_another_team(site: Site) -> None:
    other = site.waldur.make_project("Other", "one customer")
    for number in range(12):
        site.waldur.add_member(other, f"other{number}")
    site.waldur.place_create(other, "second", {"gpu": 1})
    site.settle()
    first = next(iter(site.waldur.members))
    for user in sorted(site.waldur.members[first]):
        site.waldur.members[first].discard(user)
    site.waldur.remove_member(other, min(site.waldur.members[other.uuid]))

    report = site.run()

    assert [doubt.partition("/")[0] for doubt in report.doubts] == ["team"]
    assert people(site) == 6 + 11


def test_a_doubt_lets_newcomers_in(site: Site) -> None:
    (project,) = (resource.project for resource in site.waldur.resources.values())
    empty_team(site)
    site.waldur.add_member(project, "newcomer")

    report = site.run()

    assert report.doubts == ("people",)
    assert people(site) == 7

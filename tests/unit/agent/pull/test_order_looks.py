"""Between two cycles new orders are served at once, and nothing else changes by it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import WALDUR_ACCOUNT, Site, new_site, served
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    Project,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.order_looks import OrderLooks
from waldur_slurm.agent.report.look import Look
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName

ANN, BOB = UserName("ann"), UserName("bob")
NOTHING = Look()
DOWN = AccountingDown(("sacctmgr",), 1, "Connection refused")


@pytest.fixture(params=list(Dialect))
def site(request: pytest.FixtureRequest) -> Site:
    return new_site(request.param)


def after_a_cycle(site: Site) -> OrderLooks:
    looks = OrderLooks(site.cycle())
    looks.run()
    site.slurm.calls.clear()
    site.waldur.calls.clear()
    site.events.clear()
    return looks


def known_team(site: Site, *users: str) -> Project:
    """A project whose people have access already, as they are in another allocation of it."""
    return served(site, *users).project


def state_of(site: Site, resource: ResourceUuid | None) -> ResourceState:
    assert resource is not None
    return site.waldur.resources[resource].state


def test_an_order_that_comes_between_two_cycles_is_carried_out_by_a_look(site: Site) -> None:
    project = known_team(site, "ann", "bob")
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project, "more", {"gpu": 2})

    look = looks.look()

    account = site.account_of(order.resource)
    assert look.report is not None
    assert not look.report.failures
    assert account.users == {ANN, BOB}
    assert account.limits["gres/gpu"] == 120  # type: ignore[index]  # a TRES by its name
    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert state_of(site, order.resource) is ResourceState.OK


def test_where_nothing_is_new_orders_are_all_that_is_asked_for(site: Site) -> None:
    known_team(site, "ann")
    looks = after_a_cycle(site)

    assert looks.look() == looks.look() == NOTHING

    assert site.waldur.calls == Counter(read_orders=2)
    assert not site.slurm.calls


def test_a_look_reads_from_slurm_what_the_order_touches_and_no_more(site: Site) -> None:
    project = known_team(site, "ann")
    for other in range(3):
        served(site, f"eve{other}")
    looks = after_a_cycle(site)
    site.waldur.place_create(project, "more")

    looks.look()

    assert "read_snapshot" not in site.slurm.calls
    assert "read_resources" not in site.waldur.calls
    assert "read_offering_users" not in site.waldur.calls


def test_people_who_get_their_names_once_the_order_is_done_are_let_in_by_later_looks(
    site: Site,
) -> None:
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    late = site.waldur.add_member(project, "")
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project)

    looks.look()
    assert site.account_of(order.resource).users == set()
    looks.look()
    assert site.account_of(order.resource).users == {ANN}
    assert looks.look() == NOTHING
    site.waldur.name_user(late, "bob")
    looks.look()

    assert site.account_of(order.resource).users == {ANN, BOB}
    assert looks.look() == NOTHING
    assert site.said_at_info()
    assert not [event for event in site.events if event.name == "step.refused"]


def test_the_team_of_a_new_allocation_is_asked_about_for_two_minutes(site: Site) -> None:
    project = site.waldur.make_project()
    site.waldur.add_member(project, "")
    looks = after_a_cycle(site)
    site.waldur.place_create(project)
    looks.look()
    site.waldur.calls.clear()

    looks.look()
    site.wait(timedelta(minutes=2))
    looks.look()

    assert site.waldur.calls == Counter(read_orders=2, read_teams=1, read_offering_users_of=1)


def test_a_raised_limit_is_set_by_a_look_and_a_lowered_one_by_the_next_cycle(site: Site) -> None:
    higher, lower = served(site, limits={"gpu": 5}), served(site, limits={"gpu": 5})
    looks = after_a_cycle(site)
    raising = site.waldur.place_update(higher.uuid, {"gpu": 9})
    lowering = site.waldur.place_update(lower.uuid, {"gpu": 1})

    looks.look()
    assert site.waldur.orders[raising.uuid].state is OrderState.DONE
    assert site.waldur.orders[lowering.uuid].state is OrderState.PENDING_PROVIDER
    looks.run()

    assert site.waldur.orders[lowering.uuid].state is OrderState.DONE


def test_nothing_ends_by_a_look(site: Site) -> None:
    resource = served(site, "ann")
    looks = after_a_cycle(site)
    order = site.waldur.place_terminate(resource.uuid)

    assert looks.look() == NOTHING

    assert not site.slurm.calls
    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert site.account_of(resource.uuid).users == {ANN}


def test_nobody_leaves_by_a_look(site: Site) -> None:
    resource = served(site, "ann", "bob", limits={"gpu": 1})
    looks = after_a_cycle(site)
    gone = min(site.waldur.members[resource.project.uuid])
    site.waldur.remove_member(resource.project, gone)
    order = site.waldur.place_update(resource.uuid, {"gpu": 9})

    looks.look()

    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert site.account_of(resource.uuid).users == {ANN, BOB}
    assert "read_queue" not in site.slurm.calls


def test_an_account_that_is_to_be_held_gets_nothing_by_a_look(site: Site) -> None:
    resource = served(site, "ann", limits={"gpu": 1})
    looks = after_a_cycle(site)
    site.waldur.add_member(resource.project, "bob")
    paused = replace(site.waldur.resources[resource.uuid], is_paused=True)
    site.waldur.resources[resource.uuid] = paused
    order = site.waldur.place_update(resource.uuid, {"gpu": 9})
    before = site.account_of(resource.uuid)

    looks.look()
    assert site.account_of(resource.uuid) == before
    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    looks.run()

    assert site.account_of(resource.uuid).grp_jobs == 0
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


def test_an_account_of_the_original_agent_is_adopted_by_a_cycle_and_never_by_a_look(
    site: Site,
) -> None:
    project = known_team(site, "ann")
    name = AccountName("hpc_old_work")
    old = site.waldur.make_resource(project, "old", {"gpu": 1}, backend_id=name)
    looks = after_a_cycle(site)
    before = Account(name, "old", f"hpc_{project.uuid}", parent=ROOT)
    site.slurm.put(before)
    order = site.waldur.place_update(old.uuid, {"gpu": 2})

    looks.look()
    assert site.accounts()[name].description == "old"
    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    looks.run()

    assert site.account_of(old.uuid).name == name
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


def test_a_name_that_waldur_has_promised_to_another_allocation_is_not_given_away() -> None:
    site = new_site()
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project, "same")
    name = f"hpc_{str(order.resource)[:5]}_same"
    site.waldur.resources.pop(held(order.resource))
    other = site.waldur.make_resource(project, "lost", {"gpu": 1}, backend_id=name)
    site.waldur.orders.pop(order.uuid)
    looks.run()
    again = resource_again(site, project, order.resource)

    looks.look()

    assert site.account_of(again).name != name
    assert site.waldur.resources[other.uuid].backend_id == name


def held(uuid: ResourceUuid | None) -> ResourceUuid:
    assert uuid is not None
    return uuid


def resource_again(site: Site, project: Project, uuid: ResourceUuid | None) -> ResourceUuid:
    """Order an allocation under a uuid that is known before."""
    order = site.waldur.place_create(project, "same")
    made: Resource = site.waldur.resources.pop(held(order.resource))
    site.waldur.resources[held(uuid)] = replace(made, uuid=held(uuid))
    site.waldur.orders[order.uuid] = replace(order, resource=uuid)
    return held(uuid)


def test_what_is_remembered_of_everything_else_stays_remembered(site: Site) -> None:
    """An account that is being removed, an empty project, a doubt: a look sees none of them."""
    site.policy = replace(site.policy, empty_account_grace=timedelta(days=1))
    lost = served(site, "eve")
    project = known_team(site, "ann")
    site.waldur.place_terminate(lost.uuid)
    site.settle()
    looks = after_a_cycle(site)
    before = dict(site.state.documents)
    site.waldur.place_create(project, "more")
    served_ledger = before["journal/ledger"]["accounts"]

    looks.look()

    after = site.state.documents
    ledger = after["journal/ledger"]["accounts"]
    assert served_ledger.items() <= ledger.items()
    assert {**after, "journal/ledger": {}} == {**before, "journal/ledger": {}}
    assert any("empty_since" in page for page in ledger.values())


def test_standing_trouble_is_not_told_again_because_a_look_did_not_see_it(site: Site) -> None:
    site.waldur.make_resource(site.waldur.make_project(), "lost", backend_id="hpc_lost")
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    site.waldur.place_create(project, "more")

    looks.look()
    looks.run()

    assert not [event for event in site.events if event.name == "drift.found"]


def test_an_order_that_cannot_be_carried_out_is_looked_at_once_and_told_once(site: Site) -> None:
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    site.waldur.place_create(project, "more", {"gpu": "many"})

    looks.look()
    assert looks.look() == NOTHING
    looks.run()

    assert [event.name for event in site.events].count("step.refused") == 1


def test_an_order_that_awaits_a_person_is_new_when_he_has_approved_it(site: Site) -> None:
    project = known_team(site, "ann")
    site.change_policy(approve_orders=False)
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project, "more")

    assert looks.look() == NOTHING
    site.waldur.begin(order.uuid)
    looks.look()

    assert site.account_of(order.resource).users == {ANN}


def test_many_new_orders_are_left_to_a_cycle_at_once(site: Site) -> None:
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    for number in range(21):
        site.waldur.place_create(project, f"work {number}")

    assert looks.look() == Look(is_cycle_wanted=True)
    assert looks.look() == Look(is_cycle_wanted=True)
    looks.run()

    assert looks.look().is_cycle_wanted is False


def test_a_default_account_below_others_and_a_customer_that_was_moved_are_no_obstacle(
    site: Site,
) -> None:
    faculty, institute = (AccountName(name) for name in ("faculty", "institute"))
    project = known_team(site, "ann")
    site.slurm.put(Account(faculty, parent=ROOT))
    site.slurm.put(Account(institute, parent=faculty))
    for name in (WALDUR_ACCOUNT, AccountName(f"hpc_{project.customer_uuid}")):
        site.slurm.put(replace(site.accounts()[name], parent=institute))
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project, "more")

    assert looks.look().is_cycle_wanted is False

    assert site.account_of(order.resource).users == {ANN}


def test_an_account_that_hangs_where_nobody_looked_takes_a_cycle(site: Site) -> None:
    resource = served(site, "ann", limits={"gpu": 1})
    looks = after_a_cycle(site)
    elsewhere = Account(AccountName("elsewhere"), parent=ROOT)
    site.slurm.put(elsewhere)
    site.slurm.put(replace(site.account_of(resource.uuid), parent=elsewhere.name))
    order = site.waldur.place_update(resource.uuid, {"gpu": 9})

    assert looks.look() == Look(is_cycle_wanted=True)
    looks.run()

    assert site.waldur.orders[order.uuid].state is OrderState.DONE


def test_what_a_failed_look_was_about_is_still_new_for_the_next_one(site: Site) -> None:
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    order = site.waldur.place_create(project, "more")
    site.slurm.fail_next(DOWN, on="read_part")

    with pytest.raises(AccountingDown):
        looks.look()
    looks.look()

    assert site.account_of(order.resource).users == {ANN}


@pytest.mark.parametrize("error", [WaldurRejected("it", 404, "none"), UnexpectedPayload("odd")])
def test_a_resource_that_cannot_be_read_delays_no_other(site: Site, error: Exception) -> None:
    project = known_team(site, "ann")
    looks = after_a_cycle(site)
    unlucky = site.waldur.place_create(project, "one")
    other = site.waldur.place_create(project, "two")
    site.waldur.fail_next("read_resource", error)

    looks.look()

    assert site.waldur.orders[other.uuid].state is OrderState.DONE
    assert site.waldur.orders[unlucky.uuid].state is OrderState.PENDING_PROVIDER
    looks.run()
    assert {order.state for order in site.waldur.orders.values()} == {OrderState.DONE}


def test_a_look_forgets_nothing_of_what_rests_after_failures(site: Site) -> None:
    project = known_team(site, "ann")
    stuck = site.waldur.place_create(project, "stuck")
    site.waldur.fail_next("tell_backend_id", WaldurRejected("it", 400, "no"))
    looks = after_a_cycle(site)
    rests = dict(site.state.documents["journal/quarantine"])
    site.waldur.place_create(project, "more")

    looks.look()

    assert rests.keys() == {stuck.uuid}
    assert site.state.documents["journal/quarantine"] == rests

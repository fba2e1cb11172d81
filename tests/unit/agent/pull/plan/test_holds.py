"""Out is out, and not now is a hold: who may not work for a while keeps his place and his jobs."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import Resource, UserUuid
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.world.people import RESTRICTED, VANISHED
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Association
from waldur_slurm.model.names import UserName

ANN, BOB = UserName("ann"), UserName("bob")
WAITING = "the offering user in Waldur is in state 'Pending account linking'"


@pytest.fixture
def site() -> Site:
    return new_site()


def the(site: Site, resource: Resource, user: UserName) -> Association:
    (found,) = (a for a in site.account_of(resource.uuid).associations if a.user == user)
    return found


def person(site: Site, name: str) -> UserUuid:
    (found,) = (uuid for uuid, known in site.waldur.usernames.items() if known == name)
    return found


def lose_name(site: Site, _: Resource) -> None:
    site.waldur.name_user(person(site, ANN), "")


def lose_offering_user(site: Site, _: Resource) -> None:
    del site.waldur.offering_users[person(site, ANN)]


def wait_for_linking(site: Site, _: Resource) -> None:
    change(site, is_usable=False, why_not=WAITING)


def restrict(site: Site, resource: Resource) -> None:
    site.waldur.resources[resource.uuid] = replace(resource, is_restricted=True)


def change(site: Site, **changes: object) -> None:
    uuid = person(site, ANN)
    known = site.waldur.offering_users[uuid]
    site.waldur.offering_users[uuid] = replace(known, **changes)  # type: ignore[arg-type]  # a test's typo fails at once


REASONS: list[tuple[Callable[[Site, Resource], None], str]] = [
    (lose_name, VANISHED),
    (lose_offering_user, VANISHED),
    (wait_for_linking, WAITING),
    (restrict, RESTRICTED),
]


@pytest.mark.parametrize(
    ("befall", "reason"), REASONS, ids=lambda each: getattr(each, "__name__", "")
)
def test_who_may_not_work_now_submits_nothing_and_keeps_jobs_until_the_reason_passes(
    site: Site, befall: Callable[[Site, Resource], None], reason: str
) -> None:
    resource = served(site, ANN)
    account = site.account_of(resource.uuid)
    running, pending = (site.slurm.submit(ANN, account.name) for _ in range(2))
    running.state = "RUNNING"
    before = dict(site.waldur.offering_users), dict(site.waldur.resources)
    befall(site, resource)

    report = site.run()

    assert the(site, resource, ANN).max_submit_jobs == 0
    assert (running.state, pending.state) == ("RUNNING", "PENDING")
    held = [r for r in report.refusals if r.kind is RefusalKind.HELD]
    assert [(r.subject, r.reason) for r in held] == [(f"{account.name}/ann", reason)]
    assert site.run().is_idle
    with pytest.raises(CommandFailed):
        site.slurm.submit(ANN, account.name)

    site.waldur.offering_users, site.waldur.resources = before
    site.settle()

    assert the(site, resource, ANN).max_submit_jobs is None
    assert running.state == "RUNNING"


def test_the_limit_from_before_a_hold_comes_back_with_its_end(site: Site) -> None:
    resource = served(site, ANN)
    account = site.account_of(resource.uuid)
    site.slurm.put(replace(account, associations=(Association(ANN, max_submit_jobs=7),)))
    ann = person(site, ANN)
    lose_name(site, resource)
    site.settle()
    assert the(site, resource, ANN).max_submit_jobs == 0

    site.waldur.name_user(ann, ANN)
    site.settle()

    assert the(site, resource, ANN).max_submit_jobs == 7


def test_a_member_whom_waldur_takes_away_loses_the_place(site: Site) -> None:
    resource = served(site, ANN, BOB)
    change(site, is_usable=False, is_leaving=True)

    site.settle()

    assert site.account_of(resource.uuid).users == {BOB}


def test_a_held_member_who_leaves_the_team_goes(site: Site) -> None:
    resource = served(site, ANN, BOB)
    wait_for_linking(site, resource)
    site.settle()
    site.waldur.remove_member(resource.project, person(site, ANN))

    site.settle()

    assert site.account_of(resource.uuid).users == {BOB}


def test_a_hold_by_hand_is_not_the_agents_to_lift(site: Site) -> None:
    resource = served(site, ANN)
    account = site.account_of(resource.uuid)
    site.slurm.put(replace(account, associations=(Association(ANN, max_submit_jobs=0),)))
    wait_for_linking(site, resource)
    site.settle()
    change(site, is_usable=True, why_not="")

    site.settle()

    assert the(site, resource, ANN).max_submit_jobs == 0


def test_a_hold_that_slurm_refuses_stops_nobody_else(site: Site) -> None:
    first, second = served(site, ANN), served(site, BOB)
    for uuid in (first.uuid, second.uuid):
        site.waldur.resources[uuid] = replace(site.waldur.resources[uuid], is_restricted=True)
    site.slurm.fail_next(refused("no"), on="set_user_hold")

    report = site.run()

    assert len(report.failures) == 1
    held = [the(site, r, u).max_submit_jobs for r, u in ((first, ANN), (second, BOB))]
    assert sorted(held, key=str) == [0, None]


def test_when_most_names_vanish_at_once_nobody_is_held_before_it_is_believed(site: Site) -> None:
    people = [UserName(f"user{number}") for number in range(6)]
    resource = served(site, *people)
    site.waldur.offering_users.clear()

    report = site.run()

    assert report.is_brake_active
    assert {a.max_submit_jobs for a in site.account_of(resource.uuid).associations} == {None}

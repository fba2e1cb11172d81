"""Accounts of the original agent are adopted whole or not at all, whatever comes in between."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.pull_crash import Crash, Fuse, whole
from tests.fakes.pull_sites import ANN, OLD, left_by_the_original
from tests.fakes.pull_worlds import UNREADABLE, assert_open_only_with_limits
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import OrderState, Resource, ResourceState
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.agent.pull.world.taken import BrakeKind
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import UserName
from waldur_slurm.model.tres import tres_name

GPU, MEM = tres_name("gres/gpu"), tres_name("mem")
BOB, EVE = UserName("bob"), UserName("eve")
HELD, OPEN = (0, 0), (None, None)
NOBODY_MAY_LOSE = Allowance(0, Fraction(0))


@pytest.fixture
def site() -> Site:
    return new_site()


def account(site: Site) -> Account:
    return site.accounts()[OLD]


def hold(site: Site) -> tuple[int | None, int | None]:
    return account(site).grp_jobs, account(site).grp_submit_jobs


def is_marked(site: Site) -> bool:
    return account(site).description.startswith("waldur/resource/")


def inherited(site: Site, gpus: object = 1, **flags: bool) -> Resource:
    """ann is in it and in the team, eve has left the team, and bob has joined it."""
    there = (Association(ANN), Association(EVE))
    resource = left_by_the_original(site, {"gpu": gpus}, associations=there)
    eve = site.waldur.add_member(resource.project, EVE)
    site.waldur.remove_member(resource.project, eve)
    site.waldur.add_member(resource.project, BOB)
    site.waldur._change(resource, **flags)
    return site.waldur.resources[resource.uuid]


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("left", range(7))
@pytest.mark.parametrize(
    ("gpus", "is_paused"), [(1, False), (1, True), (UNREADABLE, False), (UNREADABLE, True)]
)
def test_an_adoption_that_a_crash_cut_short_is_finished_in_the_next_cycle(
    gpus: object, left: int, *, is_paused: bool, is_after: bool
) -> None:
    untroubled, crashed = new_site(), new_site()
    for each in (untroubled, crashed):
        inherited(each, gpus, is_paused=is_paused)
    untroubled.run()
    crashed.wrap_slurm = Fuse(left, is_after=is_after).around

    with suppress(Crash):
        crashed.run()
    assert_open_only_with_limits(crashed)
    crashed.wrap_slurm = whole
    crashed.run()

    assert is_marked(crashed)
    assert crashed.accounts() == untroubled.accounts()
    assert crashed.plan().plan.steps == untroubled.plan().plan.steps == ()


def test_what_people_wait_for_is_shown_before_the_adoption(site: Site) -> None:
    inherited(site)

    plan = site.plan().plan

    assert [step.event for step in plan.steps] == ["limits.set", "account.adopted"]
    waiting = RefusalKind.WAITING
    assert plan.refusals == (
        Refusal(waiting, f"{OLD}/bob", "comes in as soon as the account is adopted"),
        Refusal(waiting, f"{OLD}/eve", "leaves as soon as the account is adopted"),
    )
    site.run()
    assert account(site).users == {ANN, BOB}


def test_who_may_not_work_now_is_held_as_soon_as_the_account_is_adopted(site: Site) -> None:
    resource = left_by_the_original(site)
    site.waldur._change(resource, is_restricted=True)

    refusals = site.plan().plan.refusals
    (waiting,) = (each for each in refusals if each.kind is RefusalKind.WAITING)
    assert waiting.subject == f"{OLD}/ann"
    assert waiting.reason.startswith("is held as soon as the account is adopted: ")

    site.run()
    (association,) = account(site).associations
    assert association.max_submit_jobs == 0


@pytest.mark.parametrize("gpus", [1, UNREADABLE])
def test_an_adoption_that_slurm_refuses_lets_nobody_in_and_takes_nobody_out(
    site: Site, gpus: object
) -> None:
    inherited(site, gpus)
    before = site.accounts()
    site.slurm.fail_next(refused("no"), on="set_limits" if gpus == 1 else "set_account_hold")

    site.run()

    assert site.accounts() == before
    site.wait(timedelta(minutes=2))
    site.settle()
    assert account(site).users == {ANN, BOB}


@pytest.mark.parametrize(
    ("gpus", "kind"), [(1, BrakeKind.LIMITS), (UNREADABLE, BrakeKind.HOLDS)], ids=["limits", "hold"]
)
def test_the_brake_cuts_an_adoption_whole_and_a_person_finishes_it(
    site: Site, gpus: object, kind: BrakeKind
) -> None:
    inherited(site, gpus)
    before = site.accounts()
    site.change_policy(max_removals=NOBODY_MAY_LOSE)

    for _ in range(2):
        report = site.run()
        assert [brake.kind for brake in report.brakes] == [kind]
        assert site.accounts() == before

    site.run(Consent(allow_removals=True))
    assert is_marked(site)
    assert (account(site).limits.get(GPU), hold(site)) == (
        (60, OPEN) if gpus == 1 else (None, HELD)
    )
    assert account(site).users == {ANN, BOB}


def test_an_adoption_that_takes_nothing_away_passes_the_brake(site: Site) -> None:
    resource = left_by_the_original(site, limits={GPU: 60, MEM: 0, tres_name("cpu"): 960_000})
    site.change_policy(max_removals=NOBODY_MAY_LOSE)

    site.run()

    assert site.account_of(resource.uuid).name == OLD


def test_the_brake_on_limits_leaves_an_account_closed_that_waits_for_them(site: Site) -> None:
    resource = inherited(site, UNREADABLE)
    site.run()
    assert (is_marked(site), hold(site)) == (True, HELD)
    site.change_policy(max_removals=NOBODY_MAY_LOSE)
    site.waldur._change(resource, limits={"gpu": 1})

    report = site.run()

    assert [brake.kind for brake in report.brakes] == [BrakeKind.LIMITS]
    assert hold(site) == HELD
    site.run(Consent(allow_removals=True))
    assert (account(site).limits[GPU], hold(site)) == (60, OPEN)


def test_an_account_that_waits_for_its_limits_is_held_again_when_somebody_opens_it(
    site: Site,
) -> None:
    inherited(site, UNREADABLE)
    site.run()
    site.slurm.set_account_hold(OLD, None, None)

    site.run()

    assert hold(site) == HELD


def test_whoever_held_it_before_it_gets_its_limits_all_the_same(site: Site) -> None:
    resource = left_by_the_original(site, {"gpu": UNREADABLE}, grp_jobs=0, grp_submit_jobs=0)
    site.run()
    site.waldur._change(resource, limits={"gpu": 1})

    site.run()

    assert account(site).limits[GPU] == 60
    assert hold(site) == HELD, "it is an administrator's"


def test_a_limit_set_by_hand_stays_in_a_paused_allocation_that_was_ordered_without_any(
    site: Site,
) -> None:
    resource = served(site, limits={"gpu": 0})
    name = site.account_of(resource.uuid).name
    site.waldur._change(resource, is_paused=True)
    site.settle()
    document = site.state.documents["journal/ledger"]["accounts"][name]
    site.state.documents["journal/ledger"]["accounts"][name] = {"hold": document["hold"]}
    site.slurm.set_limits(name, {MEM: 5})

    report = site.run()

    assert site.accounts()[name].limits[MEM] == 5
    assert [drift.kind for drift in report.drifts] == [DriftKind.LIMITS]


def test_limits_set_by_hand_stay_once_what_was_ordered_has_stood(site: Site) -> None:
    resource = inherited(site, UNREADABLE, is_paused=True)
    site.run()
    site.waldur._change(resource, limits={"gpu": 1})
    site.settle()
    assert account(site).limits[GPU] == 60
    site.run()
    site.slurm.set_limits(OLD, {GPU: 7})

    report = site.run()

    assert account(site).limits[GPU] == 7
    assert [drift.kind for drift in report.drifts] == [DriftKind.LIMITS, DriftKind.PARENT]
    assert hold(site) == HELD


def test_an_account_whose_end_was_taken_back_opens_only_with_its_limits(site: Site) -> None:
    resource = left_by_the_original(site)
    site.desk.is_behind = True
    order = site.waldur.place_terminate(resource.uuid)
    site.run()
    assert (is_marked(site), hold(site)) == (True, HELD)

    site.waldur.orders[order.uuid] = replace(site.waldur.orders[order.uuid], state=OrderState.ERRED)
    site.waldur._move(resource.uuid, ResourceState.OK)
    site.change_policy(max_removals=NOBODY_MAY_LOSE)
    site.run()
    assert hold(site) == HELD
    site.change_policy(max_removals=Allowance(10, Fraction(0)))
    site.run()

    assert (account(site).limits[GPU], hold(site)) == (60, OPEN)

"""What the brake promises while no person said yes, whatever came before."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.pull import Site
from tests.fakes.pull_crash import Crash, Fuse, whole
from tests.fakes.pull_worlds import (
    A_PERSON_SAID_YES,
    ADMIN,
    GENEROUS,
    Deed,
    assert_open_only_with_limits,
    assert_reached,
    built,
    deeds,
    fingerprint,
    settle,
)
from tests.laws.test_plan_pull_laws import alone, foreign_accounts
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AdoptAccount,
    CancelJobs,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    SetDefaultAccount,
    SetLimits,
    SetQos,
    Step,
    TellNoAssociation,
    subject_of,
)
from waldur_slurm.agent.pull.world.choices import Allowance

LAW = settings(deadline=None, max_examples=40)
DIALECTS = st.sampled_from(list(Dialect))
ALLOWED = 1
STRICT = replace(GENEROUS, max_removals=Allowance(ALLOWED, Fraction(0)), max_terminations=1)
DAY = timedelta(hours=24)
TAKES_AWAY = (
    *(RemoveUser, HoldUser, CancelJobs, TellNoAssociation),
    *(RemoveAccount, HoldAccount, SetQos, SetLimits),
)
WAITS = st.lists(st.sampled_from([2, 35, 600, 1440]), min_size=1, max_size=8)

Place = tuple[str, str]


def braked(dialect: Dialect, done: Iterable[Deed], *, endings: bool = True) -> Site:
    """A world that was lived in, some of whose people left since, and whose brake is on."""
    site = built(dialect, [deed for deed in done if endings or deed.what != "terminate"])
    for team in site.waldur.members.values():
        for user in sorted(team)[:2]:
            team.discard(user)
    site.policy = STRICT
    return site


def places(site: Site) -> set[Place]:
    return {
        (name, user)
        for name, account in site.accounts().items()
        if name.startswith("hpc_")
        for user in account.users
    }


def gone_by(site: Site, waits: Sequence[int]) -> list[tuple[datetime, Place]]:
    """Run a cycle after each wait; who lost which place, and when."""
    gone = []
    for minutes in waits:
        before, now = places(site), site.waldur.now
        site.run()
        assert_open_only_with_limits(site)
        gone += [(now, place) for place in before - places(site)]
        site.wait(timedelta(minutes=minutes))
    return gone


def assert_within_the_allowance(gone: Sequence[tuple[datetime, Place]]) -> None:
    for start, _ in gone:
        within = {place for at, place in gone if start <= at < start + DAY}
        assert len(within) <= ALLOWED, within


@LAW
@given(dialect=DIALECTS, done=deeds(), waits=WAITS)
def test_no_day_takes_more_people_than_the_policy_allows(
    dialect: Dialect, done: list[Deed], waits: list[int]
) -> None:
    site = braked(dialect, done, endings=False)

    assert_within_the_allowance(gone_by(site, waits))


@LAW
@given(dialect=DIALECTS, done=deeds(), left=st.integers(0, 12), is_after=st.booleans())
def test_a_braked_cycle_may_stop_after_any_step(
    dialect: Dialect, done: list[Deed], left: int, is_after: bool
) -> None:
    site = braked(dialect, done, endings=False)
    before, now = places(site), site.waldur.now
    site.wrap_slurm = site.wrap_waldur = Fuse(left, is_after=is_after).around

    with suppress(Crash):
        site.run()
    assert_open_only_with_limits(site)
    site.wrap_slurm = site.wrap_waldur = whole

    gone = [(now, place) for place in before - places(site)]
    assert_within_the_allowance([*gone, *gone_by(site, [2, 35, 35])])
    settle(site)
    assert_reached(site)


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_what_is_cut_is_cut_with_its_whole_order_or_adoption(
    dialect: Dialect, done: list[Deed]
) -> None:
    site = braked(dialect, done)
    planned, left = both_plans(site)

    assert [step for step in left if step not in planned] == []
    for one in {step.order for step in planned} - {None} | adopted(planned):
        works = [step for step in planned if subject_of(step) == one and not is_only_told(step)]
        assert len([step for step in works if step in left]) in (0, len(works))


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_harmless_steps_go_on(dialect: Dialect, done: list[Deed]) -> None:
    planned, left = both_plans(braked(dialect, done))

    whole = adopted(planned)
    harmless = [
        step
        for step in planned
        if step.order is None and subject_of(step) not in whole and not isinstance(step, TAKES_AWAY)
    ]
    assert [step for step in harmless if step not in left] == []


def both_plans(site: Site) -> tuple[Sequence[Step], Sequence[Step]]:
    allowed, braked = site.plan(A_PERSON_SAID_YES), site.plan()
    return without_defaults(allowed.plan.steps), without_defaults(braked.plan.steps)


def without_defaults(steps: Iterable[Step]) -> list[Step]:
    """Which default account moves, and who leaves last, follows from what is left of a plan."""
    return [
        replace(step, stage=Stage.PEOPLE_OUT) if isinstance(step, RemoveUser) else step
        for step in steps
        if not isinstance(step, SetDefaultAccount)
    ]


def adopted(steps: Iterable[Step]) -> set[str]:
    return {subject_of(step) for step in steps if isinstance(step, AdoptAccount)}


def is_only_told(step: Step) -> bool:
    return isinstance(step, TellNoAssociation)


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_no_step_that_the_brake_leaves_is_idle(dialect: Dialect, done: list[Deed]) -> None:
    site = braked(dialect, done)

    for _ in range(60):
        steps = site.plan().plan.steps
        if not steps:
            return
        before = fingerprint(site), len(site.desk.reported)
        alone(site, steps[0])
        assert (fingerprint(site), len(site.desk.reported)) != before, steps[0]


@LAW
@given(dialect=DIALECTS, done=deeds(), waits=WAITS)
def test_what_is_not_the_agents_is_not_touched_with_the_brake_on(
    dialect: Dialect, done: list[Deed], waits: list[int]
) -> None:
    site = braked(dialect, done)
    before = foreign_accounts(site)
    admins = {a.name for a in site.accounts().values() if ADMIN in a.users}

    gone_by(site, waits)

    found = site.accounts()
    assert foreign_accounts(site) == before
    assert all(ADMIN in found[name].users for name in admins if name in found)

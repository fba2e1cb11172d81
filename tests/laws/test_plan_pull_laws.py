"""What every pull plan promises, whatever customers, administrators and crashes did before."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.pull import WALDUR_ACCOUNT, Site
from tests.fakes.pull_crash import Crash, Fuse, whole
from tests.fakes.pull_worlds import (
    A_PERSON_SAID_YES,
    ADMIN,
    FOREIGN,
    Deed,
    assert_open_only_with_limits,
    assert_reached,
    built,
    deeds,
    fingerprint,
    settle,
)
from waldur_slurm.agent.model.marketplace import Dialect, ResourceUuid
from waldur_slurm.agent.pull.apply import SlurmWriter
from waldur_slurm.agent.pull.guard.removals import brake_kind
from waldur_slurm.agent.pull.journal import Journal
from waldur_slurm.agent.pull.memory.bookkeeping import with_done, with_intent
from waldur_slurm.agent.pull.order_looks import OrderLooks
from waldur_slurm.agent.pull.sight import Part
from waldur_slurm.agent.pull.tell import WaldurWriter
from waldur_slurm.agent.pull.vocabulary.steps import Judgement, SlurmStep, Step, Telling
from waldur_slurm.agent.pull.world.policy import NO_CONSENT
from waldur_slurm.agent.pull.world.touched import background_of, newly_ordered
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT

DIALECTS = st.sampled_from(list(Dialect))


LAW = settings(deadline=None, max_examples=60)


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_cycles_reach_what_is_wanted(dialect: Dialect, done: list[Deed]) -> None:
    site = built(dialect, done)

    settle(site)

    assert_reached(site)


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_nothing_to_do_plans_nothing(dialect: Dialect, done: list[Deed]) -> None:
    site = built(dialect, done)
    settle(site)

    assert site.plan().plan.steps == ()


@LAW
@given(dialect=DIALECTS, done=deeds(), left=st.integers(0, 40), is_after=st.booleans())
def test_a_crash_after_any_effect_only_costs_a_cycle(
    dialect: Dialect, done: list[Deed], left: int, is_after: bool
) -> None:
    untroubled, crashed = built(dialect, done), built(dialect, done)
    settle(untroubled)
    fuse = Fuse(left, is_after=is_after)
    crashed.wrap_slurm = crashed.wrap_waldur = fuse.around

    with suppress(Crash):
        crashed.run(A_PERSON_SAID_YES)
    assert_open_only_with_limits(crashed)
    crashed.wrap_slurm = crashed.wrap_waldur = whole
    settle(crashed)

    *crashed_world, _ = fingerprint(crashed)
    *untroubled_world, _ = fingerprint(untroubled)
    assert crashed_world == untroubled_world, "but for jobs, which had more time to end"


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_no_step_is_idle(dialect: Dialect, done: list[Deed]) -> None:
    site = built(dialect, done)

    for _ in range(60):
        steps = site.plan(A_PERSON_SAID_YES).plan.steps
        if not steps:
            return
        before = fingerprint(site), len(site.desk.reported)
        alone(site, steps[0])
        assert (fingerprint(site), len(site.desk.reported)) != before, steps[0]


def alone(site: Site, step: Step) -> None:
    """Carry out one step as a cycle would."""
    journal = Journal(site.state)
    journal.keep_ledger(with_intent(journal.ledger, [step]))
    if isinstance(step, SlurmStep):
        slurm = SlurmWriter(
            accounting=site.slurm,
            offering=site.waldur.offering.uuid,
            report_final_usage=site.desk,
            done=lambda _step: None,
            is_stopping=lambda: False,
        )
        assert slurm.carry_out([step]) == []
    elif isinstance(step, Judgement | Telling):
        waldur = WaldurWriter(
            marketplace=site.waldur, done=lambda _step: None, is_stopping=lambda: False
        )
        assert waldur.tell([step]) == []
    journal.keep_ledger(with_done(journal.ledger, [step]))


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_what_is_not_the_agents_is_never_touched(dialect: Dialect, done: list[Deed]) -> None:
    site = built(dialect, done)
    before = foreign_accounts(site)
    admins = {a.name for a in site.accounts().values() if ADMIN in a.users}

    settle(site)

    found = site.accounts()
    assert foreign_accounts(site) == before
    assert all(ADMIN in found[name].users for name in admins if name in found)


def foreign_accounts(site: Site) -> list[Account]:
    return [site.accounts()[name] for name in (ROOT, FOREIGN, WALDUR_ACCOUNT)]


@LAW
@given(dialect=DIALECTS, done=deeds(), order=st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(
    dialect: Dialect, done: list[Deed], order: Any
) -> None:
    one, other = built(dialect, done), built(dialect, done)
    shuffled = list(other.waldur.resources.items())
    order.shuffle(shuffled)
    other.waldur.resources = dict(shuffled)

    assert one.plan().plan == other.plan().plan


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_a_look_at_new_orders_does_nothing_that_a_cycle_would_not_do(
    dialect: Dialect, done: list[Deed]
) -> None:
    site = built(dialect, done)
    whole_plan = site.plan(A_PERSON_SAID_YES).plan
    _, part = what_a_look_sees(site)

    partial = site.cycle().look(part, Journal(site.state), NO_CONSENT).guarded.plan

    assert set(map(repr, partial.steps)) <= set(map(repr, whole_plan.steps))
    assert not [step for step in partial.steps if brake_kind(step, frozenset()) is not None]


@LAW
@given(dialect=DIALECTS, done=deeds())
def test_a_look_touches_nothing_but_what_is_ordered_and_cycles_reach_the_same(
    dialect: Dialect, done: list[Deed]
) -> None:
    looked, untroubled = built(dialect, done), built(dialect, done)
    ordered, _ = what_a_look_sees(looked)
    before = looked.accounts()

    OrderLooks(looked.cycle()).look()

    marks = {f"/{uuid}" for uuid in ordered}
    for name, account in looked.accounts().items():
        is_ordered = any(mark in account.description for mark in marks)
        is_parent = account.description.startswith(("waldur/project/", "waldur/customer/"))
        assert is_ordered or is_parent or account == before[name]
        assert name not in before or before[name].users <= account.users
    assert before.keys() <= looked.accounts().keys()
    assert_open_only_with_limits(looked)
    settle(looked)
    settle(untroubled)
    assert_reached(looked)
    assert fingerprint(looked)[:1] == fingerprint(untroubled)[:1]


@LAW
@given(dialect=DIALECTS, done=deeds(), left=st.integers(0, 20), is_after=st.booleans())
def test_a_crash_in_a_look_only_costs_a_cycle(
    dialect: Dialect, done: list[Deed], left: int, is_after: bool
) -> None:
    untroubled, crashed = built(dialect, done), built(dialect, done)
    settle(untroubled)
    crashed.wrap_slurm = crashed.wrap_waldur = Fuse(left, is_after=is_after).around

    with suppress(Crash):
        OrderLooks(crashed.cycle()).look()
    assert_open_only_with_limits(crashed)
    crashed.wrap_slurm = crashed.wrap_waldur = whole
    settle(crashed)

    assert fingerprint(crashed)[:1] == fingerprint(untroubled)[:1]


def what_a_look_sees(site: Site) -> tuple[set[ResourceUuid], Part]:
    cycle = site.cycle()
    orders = site.waldur.read_orders()
    ordered = newly_ordered(orders, frozenset(), site.policy)
    everything = cycle.look(cycle.everything, Journal(site.state), NO_CONSENT)
    background = background_of(everything.world)
    return ordered, Part(site.slurm, site.waldur, site.policy, ordered, orders, background)


@pytest.mark.parametrize("broken", [Deed("create", 0, 1), Deed("create", 1, 2)])
def test_the_fuse_really_cuts_the_power(broken: Deed) -> None:
    site = built(Dialect.TODAY, [broken])
    site.wrap_slurm = Fuse(0, is_after=False).around

    with pytest.raises(Crash):
        site.run()

"""Decide what a pull cycle must change. Pure, total, deterministic: no clock, no log, no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from waldur_slurm.agent.pull.desired.allocations import Allocation, Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.accounts import (
    plan_account,
    plan_empty_parents,
    plan_parents,
    plan_project_places,
    plan_titles,
)
from waldur_slurm.agent.pull.plan.arrivals import plan_homes, plan_joiners, plan_returns
from waldur_slurm.agent.pull.plan.deletions import plan_deletions
from waldur_slurm.agent.pull.plan.departures import leaving, plan_ending, plan_leavers
from waldur_slurm.agent.pull.plan.flags import plan_flags
from waldur_slurm.agent.pull.plan.holds import plan_held
from waldur_slurm.agent.pull.plan.inherited import plan_inherited
from waldur_slurm.agent.pull.plan.outsiders import plan_outsiders
from waldur_slurm.agent.pull.plan.repairs import plan_default_associations, unlimited
from waldur_slurm.agent.pull.plan.reports import plan_reports
from waldur_slurm.agent.pull.vocabulary.findings import Drift, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser, Step, sort_key, subject_of
from waldur_slurm.agent.pull.world.ownership import name_in_waldur
from waldur_slurm.agent.pull.world.world import Answers, Questions


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which it is safe to stop after any, and what a person should know."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    drifts: tuple[Drift, ...] = ()


@dataclass(slots=True)
class _Draft:
    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)

    def take(self, items: Iterable[Step | Refusal | Drift]) -> list[Step]:
        """Sort `items` to where they belong and return the steps among them."""
        steps: list[Step] = []
        for item in items:
            match item:
                case Refusal():
                    self.refusals.append(item)
                case Drift():
                    self.drifts.append(item)
                case _:
                    steps.append(item)
        self.steps.extend(steps)
        return steps

    def set_aside(self, quarantined: Mapping[str, str]) -> None:
        """Leave alone for a while what failed again and again."""
        for step in self.steps:
            subject = subject_of(step)
            if subject in quarantined:
                refusal = Refusal(RefusalKind.QUARANTINED, subject, quarantined[subject])
                self.refusals.append(refusal)
        self.steps = [step for step in self.steps if subject_of(step) not in quarantined]

    def finish(self) -> Plan:
        return Plan(
            steps=tuple(sorted(self.steps, key=sort_key)),
            refusals=tuple(sorted(set(self.refusals))),
            drifts=tuple(sorted(set(self.drifts))),
        )


def questions(desired: Desired) -> Questions:
    """What only Slurm can tell about the people and jobs in question.

    Who sees a part takes nobody away, so of those who leave nothing need be known.
    """
    joiners = {user for each in desired.allocations for user in each.joiners}
    if desired.world.is_partial:
        return Questions(joiners=frozenset(joiners))
    accounts = {kept.account for kept in desired.kept if kept.turnover.leavers}
    for ending in desired.endings:
        name = ending.found.name if ending.found else name_in_waldur(ending.resource)
        if name is not None:
            accounts.add(name)
    departing = {user for _, user in leaving(desired)}
    if desired.world.consent.repair_default_associations:
        departing |= {user for _, user in unlimited(desired)}
    return Questions(
        accounts=frozenset(accounts), joiners=frozenset(joiners), leavers=frozenset(departing)
    )


def plan_desired(desired: Desired, answers: Answers) -> Plan:
    draft = _Draft(list(desired.judgements), list(desired.refusals), list(desired.drifts))
    draft.take(plan_titles(desired))
    draft.take(plan_outsiders(desired))
    draft.take(plan_deletions(desired))
    for kept in desired.kept:
        if kept.is_adopted:
            draft.take(plan_inherited(desired, kept))
    own: list[Allocation] = [*desired.new, *(kept for kept in desired.kept if not kept.is_adopted)]
    given = [(each, _plan_presence(desired, each, answers, draft)) for each in own]
    added = [step for step in draft.steps if isinstance(step, AddUser)]
    for allocation, steps in given:
        if isinstance(allocation, Kept):
            draft.take(plan_held(allocation))
            steps += draft.take(plan_leavers(desired, allocation, answers))
        draft.take(plan_reports(desired, allocation, steps))
    for ending in desired.endings:
        draft.take(plan_ending(desired, ending, answers))
    draft.take(plan_homes(desired, added))
    draft.take(plan_default_associations(desired))
    draft.take(plan_parents(desired))
    draft.take(plan_project_places(desired))
    draft.take(plan_empty_parents(desired))
    draft.set_aside(desired.world.quarantined)
    return draft.finish()


def _plan_presence(
    desired: Desired, allocation: Allocation, answers: Answers, draft: _Draft
) -> list[Step]:
    """What gives: the account, its limits and flags, and the people who come."""
    steps = draft.take(plan_account(desired, allocation))
    steps += draft.take(plan_joiners(desired, allocation, answers))
    if isinstance(allocation, Kept):
        steps += draft.take(plan_flags(desired, allocation))
        steps += draft.take(plan_returns(desired, allocation))
    return steps

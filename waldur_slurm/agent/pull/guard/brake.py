"""The brake: what takes away more than the site allows, or rests on a doubtful answer, is cut.

Removals are summed up over a day, so that many small cycles may not do what one big one may not.
Harmless steps go on. A doubt that lasts three readings over half an hour is taken for the truth,
and a person may overrule the brake for one cycle. Pure.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import compress
from operator import not_

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.guard.doubtful import find_doubts
from waldur_slurm.agent.pull.guard.removals import brake_kind, taken_by
from waldur_slurm.agent.pull.plan.plan import Plan
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import (
    AdoptAccount,
    CancelJobs,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    Step,
    TellNoAssociation,
    sort_key,
    subject_of,
)
from waldur_slurm.agent.pull.world.doubts import WHEN_BELIEVED, Doubt
from waldur_slurm.agent.pull.world.taken import BrakeKind


@dataclass(frozen=True, slots=True)
class Brake:
    """One kind of step that was cut, with the numbers."""

    kind: BrakeKind
    planned: int
    taken: int
    """What was taken away already in the last day."""
    allowed: int


@dataclass(frozen=True, slots=True)
class Guarded:
    plan: Plan
    brakes: tuple[Brake, ...]
    doubts: tuple[Doubt, ...]


def guard(desired: Desired, plan: Plan) -> Guarded:
    """Cut from the plan what the policy does not allow now, or what a part does not show."""
    if desired.world.is_partial:
        return Guarded(_only_giving(desired, plan), (), ())
    doubts = tuple(find_doubts(desired))
    if desired.world.consent.allow_removals:
        return Guarded(plan, (), doubts)
    believed = desired.world.believed
    open_doubts = [doubt for doubt in doubts if doubt.size > believed.get(doubt.key, 0)]
    plan = _cut_doubtful(plan, open_doubts, orders_ending(desired))
    brakes = tuple(_brakes(desired, plan))
    return Guarded(_cut_kinds(desired, plan, brakes), brakes, doubts)


def _only_giving(desired: Desired, plan: Plan) -> Plan:
    """Nothing is taken away, and nothing adopted, by who does not see what else there is.

    An account that is to be held gets nothing before it is. No word is lost about all that: the
    next cycle sees everything, and does it.
    """
    ending = orders_ending(desired)
    held = {step.account for step in plan.steps if isinstance(step, HoldAccount)}
    lost = [
        isinstance(step, AdoptAccount)
        or brake_kind(step, ending) is not None
        or _account_of(step) in held
        for step in plan.steps
    ]
    return _without(plan, lost, [])


def _account_of(step: Step) -> str:
    """The account that the step is about, or else something that is none."""
    _, account, *_ = sort_key(step)
    return account


def orders_ending(desired: Desired) -> frozenset[str]:
    """Orders whose removals were asked for; they count apart."""
    return frozenset(ending.order.uuid for ending in desired.endings)


def _brakes(desired: Desired, plan: Plan) -> Iterable[Brake]:
    """What the last 24 hours count already may be finished; only what is new can exceed."""
    planned = taken_by(plan.steps, orders_ending(desired))
    for kind in sorted(planned):
        taken = desired.world.taken.get(kind, {}).keys()
        new = len(planned[kind] - taken)
        allowed = _allowed(desired, kind, taken)
        if new and len(taken) + new > allowed:
            yield Brake(kind, new, len(taken), allowed)


def _allowed(desired: Desired, kind: BrakeKind, taken: Set[str]) -> int:
    """The share is a share of what was there before the last 24 hours' removals."""
    policy = desired.world.policy
    if kind is BrakeKind.TERMINATIONS:
        return policy.max_terminations
    accounts = {str(allocation.account) for allocation in desired.allocations}
    people = {f"{kept.account}/{user}" for kept in desired.kept for user in kept.found.users}
    managed = people if kind is BrakeKind.PEOPLE else accounts
    return policy.max_removals.among(len(managed | taken))


def _cut_kinds(desired: Desired, plan: Plan, brakes: Iterable[Brake]) -> Plan:
    cut = {brake.kind for brake in brakes}
    if not cut:
        return plan
    terminating = orders_ending(desired)
    refusals = [
        Refusal(
            RefusalKind.BRAKE,
            brake.kind,
            f"{_sum_of(brake)}; `once --allow-removals` carries them out",
        )
        for brake in brakes
    ]
    lost = [brake_kind(step, terminating) in cut for step in plan.steps]
    return _without(plan, lost, refusals)


def _sum_of(brake: Brake) -> str:
    if brake.kind is BrakeKind.TERMINATIONS:
        return f"{brake.planned} planned, {brake.allowed} allowed in one cycle"
    return (
        f"{brake.planned} planned after {brake.taken} in the last 24 hours,"
        f" {brake.allowed} allowed in 24 hours"
    )


def _cut_doubtful(plan: Plan, doubts: Iterable[Doubt], terminating: frozenset[str]) -> Plan:
    """Cut removals of people and of empty accounts that rest on a doubtful answer."""
    doubtful = (BrakeKind.PEOPLE, BrakeKind.ACCOUNTS)
    for doubt in doubts:
        lost = [
            brake_kind(step, terminating) in doubtful
            and (not doubt.account or _account_left(step) == doubt.account)
            for step in plan.steps
        ]
        if any(lost):
            reason = f"{doubt.reason}: {WHEN_BELIEVED}"
            plan = _without(plan, lost, [Refusal(RefusalKind.BRAKE, doubt.key, reason)])
    return plan


def _account_left(step: Step) -> str:
    """The account from which the step takes somebody away, or which it removes."""
    match step:
        case RemoveUser() | HoldUser() | CancelJobs() | TellNoAssociation() | RemoveAccount():
            return step.account
        case _:
            return ""


def _without(plan: Plan, lost: Sequence[bool], refusals: list[Refusal]) -> Plan:
    """Drop the lost of the plan's steps, and with them the rest of their orders and adoptions.

    A mark without the limits that were to come with it would say that they stand.
    """
    told_only = TellNoAssociation  # dropping it must not drop the order it belongs to
    dropped = [step for step in compress(plan.steps, lost) if not isinstance(step, told_only)]
    adoptions = {subject_of(step) for step in plan.steps if isinstance(step, AdoptAccount)}
    whole = {subject_of(step) for step in dropped if step.order or subject_of(step) in adoptions}
    left = compress(plan.steps, map(not_, lost))
    steps = tuple(step for step in left if subject_of(step) not in whole)
    return replace(plan, steps=steps, refusals=tuple(sorted({*plan.refusals, *refusals})))

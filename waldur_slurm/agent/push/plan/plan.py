"""Decide what a push cycle tells Waldur. Pure: no clock, no log, no I/O.

Only differences are told. What is wrong with one allocation is a `Refusal` of that one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import Resource, ResourceState, ResourceUuid
from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.plan.erred import plan_returned, stay_erred
from waldur_slurm.agent.push.plan.findings import LimitDrift, Owed, RefusalKind, Unlisted
from waldur_slurm.agent.push.plan.limits import plan_limits
from waldur_slurm.agent.push.plan.steps import (
    Step,
    TellAssociation,
    TellErred,
    TellMemberships,
)
from waldur_slurm.agent.push.plan.untaken import without_untaken
from waldur_slurm.agent.push.plan.usage import UsagePlan, plan_usage
from waldur_slurm.agent.push.plan.world import World, missing_accounts, takes_usage
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.model.counting import counted
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which it is safe to stop after any of them, and all that is said."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...] = ()
    drifts: tuple[LimitDrift, ...] = ()
    owed: tuple[Owed, ...] = ()
    judged: frozenset[tuple[Month, ResourceUuid]] = frozenset()
    """Whose debts `owed` knows; those of others stay as they are."""
    unlisted: tuple[Unlisted, ...] = ()
    runaways: tuple[Runaway, ...] = ()


def plan_push(world: World) -> Plan:
    """Usage first, then what it is made of, then the state of the resource it was sent for."""
    usage = plan_usage(world)
    limits = without_untaken(world, plan_limits(world))
    gone, doubts = _plan_missing(world, usage)
    found = {runaway for m in world.measured.values() for runaway in m.runaways}
    returned = tuple(plan_returned(world))
    erred = stay_erred(world, {step.resource.uuid for step in returned})
    changes = (*limits.steps, *_plan_people(world), *returned, *gone)
    held = _held_back(world, changes)
    refusals = {*_contested(world), *usage.refusals, *limits.refusals, *doubts, *erred, *held}
    return Plan(
        steps=(*usage.totals, *usage.users, *(() if held else changes)),
        refusals=tuple(sorted(refusals)),
        drifts=limits.drifts,
        owed=usage.owed,
        judged=frozenset(usage.judged),
        unlisted=usage.unlisted,
        runaways=tuple(sorted(found, key=lambda runaway: runaway.run)),
    )


def _held_back(world: World, changes: Sequence[Step]) -> tuple[Refusal, ...]:
    """Said once for all that Waldur would refuse, one by one, while the offering is closed."""
    if not changes or not world.waldur.is_unavailable:
        return ()
    reason = (
        "the offering is unavailable in Waldur, which takes no change of its resources:"
        f" {counted(len(changes), 'change waits', 'changes wait')} until it is active again"
    )
    return (Refusal(RefusalKind.UNAVAILABLE, "all", reason),)


def _contested(world: World) -> Iterator[Refusal]:
    for name in sorted(world.contested):
        yield Refusal(RefusalKind.CONTESTED, name, "two resources in Waldur name this account")


def _plan_missing(world: World, usage: UsagePlan) -> tuple[Sequence[Step], Sequence[Refusal]]:
    """Resources whose account is gone, unless so many are that the accounting may be at fault."""
    missing = [r for r in missing_accounts(world) if r.uuid not in world.ledger.unerrable]
    if not world.believes_missing:
        found = counted(len(missing), "account is missing", "accounts are missing at once")
        reason = f"{found}; not believed yet"
        return [], [Refusal(RefusalKind.BRAKE, "all", reason)] if missing else []
    unsent = {refusal.subject for refusal in usage.refusals}
    steps: list[Step] = [
        TellErred(resource=resource, message=_gone(resource))
        for resource in missing
        if resource.backend_id not in unsent and resource.uuid not in usage.waiting
    ]
    return steps, []


def _gone(resource: Resource) -> str:
    return f"The account {resource.backend_id} does not exist in Slurm."


def _plan_people(world: World) -> Iterator[Step]:
    """Today's Waldur moves a resource as soon as a change is ordered, older ones once it begins."""
    is_told = _is_ok if world.waldur.associations is not None else takes_usage
    for resource in world.told:
        if not is_told(resource) or not world.has_account(resource):
            continue
        account = world.snapshot.accounts[AccountName(resource.backend_id)]
        found = frozenset(map(str, account.users))
        if world.waldur.associations is None:
            is_known = world.ledger.members.get(resource.uuid) == found
            if world.waldur.wants_memberships and not is_known:
                yield TellMemberships(resource=resource, usernames=found)
            continue
        held = world.waldur.associations.get(resource.uuid)
        if held is None:
            continue
        for username in sorted(found ^ held):
            is_there = username in found
            yield TellAssociation(resource=resource, username=username, is_there=is_there)


def _is_ok(resource: Resource) -> bool:
    return resource.state is ResourceState.OK

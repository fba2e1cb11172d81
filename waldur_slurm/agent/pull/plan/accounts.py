"""How accounts come to be, are described, moved and limited. Pure."""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.allocations import Allocation, Kept, New
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.desired.hierarchy import NoPlace
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.limits import LimitChange, limit_change
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddAccount,
    AdoptAccount,
    DescribeAccount,
    MoveAccount,
    RemoveAccount,
    SetLimits,
)
from waldur_slurm.agent.pull.vocabulary.words import show_change, show_found
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.model.accounts import Account, is_in_cluster
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import Tres, TresName


def plan_parents(desired: Desired) -> Iterator[AddAccount]:
    for stage, new in desired.new_parents:
        yield AddAccount(stage=stage, new=new)


def plan_account(
    desired: Desired, allocation: Allocation
) -> Iterator[
    AddAccount | AdoptAccount | DescribeAccount | MoveAccount | SetLimits | Refusal | Drift
]:
    match allocation:
        case New(new=new, order=order):
            yield AddAccount(stage=Stage.ALLOCATIONS, new=new, order=order.uuid if order else None)
        case Kept():
            yield from _plan_description(allocation)
            wanted = allocation.parent
            yield from _plan_place(desired, allocation.found, wanted, "the project's account")
            yield from _plan_limits(desired, allocation)


def plan_titles(desired: Desired) -> Iterator[DescribeAccount]:
    """The agent's own project and customer accounts follow their names in Waldur."""
    titles: dict[tuple[MarkKind, str], str] = {}
    for project in {r.project.uuid: r.project for r in desired.world.waldur.resources}.values():
        titles[MarkKind.PROJECT, project.uuid] = project.name
        titles[MarkKind.CUSTOMER, project.customer_uuid] = project.customer_name
    for account, mark in desired.ownership.own(MarkKind.PROJECT, MarkKind.CUSTOMER):
        title = titles.get((mark.kind, mark.uuid))
        if title is None or desired.world.policy.protects_account(account.name):
            continue
        description = mark.describe(title)
        if description != account.description:
            yield DescribeAccount(
                account=account.name, description=description, before=account.description
            )


def plan_empty_parents(desired: Desired) -> Iterator[RemoveAccount]:
    """Remove what this agent made and nobody has needed for long enough."""
    world = desired.world
    for name, stage in empty_parents(desired).items():
        since = world.ledger.page(name).empty_since or world.now
        if world.consent.remove_empty_now or world.now - since >= world.policy.empty_account_grace:
            yield RemoveAccount(stage=stage, account=name, reason="empty, and made by this agent")


def empty_parents(desired: Desired) -> dict[AccountName, Stage]:
    """None where only a part was read: what hangs on an account may be in the other."""
    if desired.world.is_partial:
        return {}
    stages = {
        MarkKind.PROJECT: Stage.PROJECTS_OUT,
        MarkKind.CUSTOMER: Stage.CUSTOMERS_OUT,
    }
    return {
        account.name: stages[mark.kind]
        for account, mark in desired.ownership.own(*stages)
        if _is_or_was_here(desired, account)
        and not account.associations
        and not desired.ownership.children(account.name)
        and account.name not in desired.needed_parents
        and not desired.world.policy.protects_account(account.name)
    }


def _is_or_was_here(desired: Desired, account: Account) -> bool:
    """A record without a place here is another cluster's, or was left by a removal cut short."""
    return is_in_cluster(account) or desired.world.ledger.page(account.name).empty_since is not None


def limits_stand(desired: Desired, kept: Kept) -> bool:
    """Whether Slurm holds what was ordered, as far as that can be read."""
    return kept.limits is not None and not _limits_left(desired, kept, kept.limits)


def _plan_description(kept: Kept) -> Iterator[AdoptAccount | DescribeAccount]:
    found = kept.found
    if kept.is_adopted:
        yield AdoptAccount(
            account=found.name,
            description=kept.description,
            before=found.description,
            awaits_limits=kept.limits is None,
            order=kept.order.uuid if kept.order else None,
        )
    elif found.description != kept.description:
        yield DescribeAccount(
            account=found.name, description=kept.description, before=found.description
        )


def plan_project_places(desired: Desired) -> Iterator[MoveAccount | Refusal | Drift]:
    """A project that Waldur has given to another customer takes its allocations along."""
    for each in desired.misplaced:
        yield from _plan_place(desired, each.account, each.customer, "the customer's account")


def _plan_place(
    desired: Desired, found: Account, wanted: AccountName | NoPlace | None, missing: str
) -> Iterator[MoveAccount | Refusal | Drift]:
    match wanted:
        case NoPlace(reason=reason):
            yield Refusal(RefusalKind.SITE, found.name, reason)
        case None:
            yield Drift(DriftKind.PARENT, found.name, found.parent or "", missing)
        case parent if found.parent == parent:
            return
        case parent if desired.world.consent.repair_parents:
            yield MoveAccount(account=found.name, parent=parent, before=found.parent)
        case parent:
            yield Drift(DriftKind.PARENT, found.name, found.parent or "", parent)


def _sold(desired: Desired) -> frozenset[TresName]:
    return frozenset(component.tres for component in desired.world.components)


def _limits_left(desired: Desired, kept: Kept, wanted: Tres) -> LimitChange:
    return limit_change(wanted, kept.found.limits, _sold(desired))


def _plan_unsold(desired: Desired, kept: Kept) -> Iterator[Drift]:
    """A limit of the agent's own that the file has forgotten stays: lifting it would give more."""
    ours = desired.world.ledger.page(kept.found.name).tres
    for tres in sorted((ours - _sold(desired)) & kept.found.limits.keys()):
        found = f"{tres}={kept.found.limits[tres]}"
        yield Drift(
            DriftKind.LIMITS, kept.found.name, found, f"none: {tres} is not in the TRES file"
        )


def _plan_limits(desired: Desired, kept: Kept) -> Iterator[SetLimits | Drift]:
    """Orders set limits; without one a difference is only shown, unless the site wants more.

    What comes to be the agent's gets what was ordered, be it long ago.
    """
    world, found = desired.world, kept.found
    if kept.limits is None:
        return
    yield from _plan_unsold(desired, kept)
    change = _limits_left(desired, kept, kept.limits)
    if not change:
        return
    is_set = kept.order is not None or world.policy.enforce_limits
    if is_set or kept.is_adopted or world.ledger.page(found.name).awaits_limits:
        order = kept.order.uuid if kept.order else None
        yield SetLimits(account=found.name, limits=change, before=found.limits, order=order)
    else:
        shown = show_found(change, found.limits)
        yield Drift(DriftKind.LIMITS, found.name, shown, show_change(change))

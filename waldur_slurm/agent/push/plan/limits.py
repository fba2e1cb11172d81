"""Tell Waldur the limits that Slurm enforces, where they are whole numbers of Waldur's units. Pure.

Only what is ordered as a limit has one in Waldur. While an order is in flight its limits are on
their way, and nothing is told.
"""

from dataclasses import dataclass

from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType, NotOrdered
from waldur_slurm.agent.model.marketplace import Resource, ResourceState
from waldur_slurm.agent.push.plan.findings import DriftKind, LimitDrift
from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.agent.push.plan.steps import Step, TellLimits
from waldur_slurm.agent.push.plan.world import World
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName


@dataclass(frozen=True, slots=True)
class LimitsPlan:
    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    drifts: tuple[LimitDrift, ...] = ()


def plan_limits(world: World) -> LimitsPlan:
    if world.policy.limits is LimitsReported.IGNORED:
        return LimitsPlan()
    steps: list[Step] = []
    drifts: list[LimitDrift] = []
    for resource in world.told:
        if not _is_settled(resource) or not world.has_account(resource):
            continue
        account = world.snapshot.accounts[AccountName(resource.backend_id)]
        differing = _differing(world, resource, account)
        told = {
            kind: units
            for kind, units in differing.items()
            if units is not None and _was_ordered(resource, kind)
        }
        if world.policy.limits is LimitsReported.SHOWN or not _is_whole(resource):
            told = {}
        if told:
            steps.append(TellLimits(resource=resource, limits=_held_whole(resource) | told))
        drifts += [_drift(world, resource, account, kind) for kind in differing if kind not in told]
    drifts.sort(key=lambda drift: (drift.subject, drift.component))
    return LimitsPlan(steps=tuple(steps), drifts=tuple(drifts))


def _is_settled(resource: Resource) -> bool:
    return resource.state is ResourceState.OK and not resource.has_order_in_flight


def _differing(
    world: World, resource: Resource, account: Account
) -> dict[ComponentType, int | None]:
    """Slurm's limits that differ from Waldur's, in units; None where no number can say it."""
    return {
        component.type: _units(component, account)
        for component in world.components
        if component.accounting_type is AccountingType.LIMIT
        and component.type in world.waldur.offered
        and not _agrees(component, resource, account)
    }


def _was_ordered(resource: Resource, kind: ComponentType) -> bool:
    """A limit that no order ever named is not told, whatever Slurm enforces: it would be billed."""
    return kind in resource.limits


def _units(component: Component, account: Account) -> int | None:
    enforced = account.limits.get(component.tres)
    return None if enforced is None else component.to_whole_units(enforced)


def _agrees(component: Component, resource: Resource, account: Account) -> bool:
    """Whether both say the same, where Waldur may say it by holding no limit at all."""
    enforced = account.limits.get(component.tres)
    ordered = resource.limits.get(component.type)
    if ordered is None:
        return enforced == (0 if component.when_not_ordered is NotOrdered.ZERO else None)
    return enforced is not None and component.to_whole_units(enforced) == ordered


def _is_whole(resource: Resource) -> bool:
    """Whether all that Waldur holds can be told again: telling replaces it all."""
    return all(isinstance(units, int) for units in resource.limits.values())


def _held_whole(resource: Resource) -> dict[ComponentType, int]:
    return {
        ComponentType(kind): units
        for kind, units in resource.limits.items()
        if isinstance(units, int)
    }


def _drift(world: World, resource: Resource, account: Account, kind: ComponentType) -> LimitDrift:
    component = next(component for component in world.components if component.type == kind)
    enforced = account.limits.get(component.tres)
    found = "unlimited" if enforced is None else f"{component.tres}={enforced}"
    held = str(resource.limits.get(kind, "none"))
    return LimitDrift(DriftKind.LIMITS, resource.backend_id, found, held, kind)

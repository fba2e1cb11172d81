"""Limits that Waldur cannot hold, or did not take when it was told: shown, not told again. Pure.

Waldur answers as if all were well where a usage policy governs a component, or a bound clamps it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import RawLimits, ResourceUuid
from waldur_slurm.agent.push.plan.findings import DriftKind, LimitDrift
from waldur_slurm.agent.push.plan.limits import LimitsPlan
from waldur_slurm.agent.push.plan.steps import Step, TellLimits
from waldur_slurm.agent.push.plan.world import World
from waldur_slurm.model.names import AccountName

Limits = Mapping[ComponentType, int]


def without_untaken(world: World, plan: LimitsPlan) -> LimitsPlan:
    """Other limits than those that Waldur did not take are told anew."""
    steps: list[Step] = []
    drifts = list(plan.drifts)
    for step in plan.steps:
        if not isinstance(step, TellLimits):
            steps.append(step)
            continue
        telling = replace(step, limits=_offered(world, step.limits))
        if world.ledger.untaken.get(step.resource.uuid) == telling.limits:
            drifts += _drifts(world, telling)
        else:
            steps.append(telling)
    return replace(plan, steps=tuple(steps), drifts=tuple(sorted(drifts)))


def differ(told: Limits, held: RawLimits) -> bool:
    return any(held.get(kind) != units for kind, units in told.items())


def still_untaken(world: World) -> Mapping[ResourceUuid, Limits]:
    """What is worth remembering: Waldur still holds something else."""
    held = {resource.uuid: resource.limits for resource in world.waldur.resources}
    untaken = world.ledger.untaken.items()
    return {uuid: told for uuid, told in untaken if uuid in held and differ(told, held[uuid])}


def _offered(world: World, limits: Limits) -> Limits:
    """Today's Waldur refuses all for one component that the offering does not have as a limit."""
    offered = world.waldur.offered
    return {
        kind: units
        for kind, units in limits.items()
        if kind in offered and offered[kind].billing_type == AccountingType.LIMIT
    }


def _drifts(world: World, step: TellLimits) -> Iterator[LimitDrift]:
    resource = step.resource
    enforced = world.snapshot.accounts[AccountName(resource.backend_id)].limits
    for component in world.components:
        kind = component.type
        held = resource.limits.get(kind)
        if kind in step.limits and step.limits[kind] != held:
            found = f"{component.tres}={enforced.get(component.tres)}"
            wanted = "none" if held is None else str(held)
            yield LimitDrift(DriftKind.LIMITS, resource.backend_id, found, wanted, kind)

"""Resources that Waldur calls Erred: who comes back, and what keeps the others. Pure.

Waldur takes no usage of an erred resource. Push calls OK what it had called erred itself, when the
account is back; what somebody else called so, only with `once --repair erred`.
"""

from collections.abc import Collection, Iterator

from waldur_slurm.agent.model.marketplace import Resource, ResourceState, ResourceUuid
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.steps import TellOk
from waldur_slurm.agent.push.plan.world import World
from waldur_slurm.agent.report.findings import Refusal

COMING_BACK = (ResourceState.ERRED, ResourceState.UPDATING)
"""Where a resource is that was called erred: the older dialects lead it back by an update."""


def plan_returned(world: World) -> Iterator[TellOk]:
    for resource in world.told:
        if _comes_back(world, resource) and world.has_account(resource):
            yield TellOk(resource=resource)


def stay_erred(world: World, returned: Collection[ResourceUuid]) -> Iterator[Refusal]:
    """What an order in flight will settle is left out, as is what comes back now."""
    for resource in world.waldur.resources:
        is_left = resource.state is ResourceState.ERRED and not resource.has_order_in_flight
        if is_left and resource.uuid not in returned:
            subject = resource.backend_id or resource.uuid
            yield Refusal(
                RefusalKind.ERRED, subject, f"Waldur calls it Erred: {_why(world, resource)}"
            )


def _comes_back(world: World, resource: Resource) -> bool:
    if resource.state not in COMING_BACK or resource.has_order_in_flight:
        return False
    is_word = world.consent.repair_erred and resource.state is ResourceState.ERRED
    return is_word or resource.uuid in world.ledger.erred


def _why(world: World, resource: Resource) -> str:
    if not resource.backend_id:
        return "it has no account, as after an order that failed; terminate it in Waldur"
    if not world.has_account(resource):
        return (
            "its account is missing from Slurm; with pull.env, `once --repair missing` makes it"
            " again, or terminate it in Waldur"
        )
    return (
        "its account is there, but its usage is not taken, and it was not push that called it so;"
        " see why, then `once --repair erred` calls it OK"
    )

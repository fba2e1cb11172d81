"""An account that an order ends and Slurm does not list: gone, or left out of a short answer.

What an order ends is ended for good, so only what the agent removed itself is gone at once.
Anything else is believed as late as every other answer that is too small. Pure.
"""

from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.model.names import AccountName


def doubt_of(resource: Resource) -> str:
    """The name under which the readings of its absence are counted."""
    return f"absent/{resource.uuid}"


def is_gone(world: World, resource: Resource) -> bool:
    """Whether it is certain that a resource whose account Slurm does not list has none."""
    return (
        not resource.backend_id
        or world.consent.allow_removals
        or world.ledger.page(AccountName(resource.backend_id)).is_removed
        or doubt_of(resource) in world.believed
    )

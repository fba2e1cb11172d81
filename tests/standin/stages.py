"""The stage each kind of exchange needs, by collection."""

from collections.abc import Callable

from tests.standin import stage_orders, stage_people, stage_resources, stage_usage
from tests.standin.rebuild import World, query_of
from tests.standin.recordings import Recording

Stage = Callable[[World, Recording], None]


def set_stage(world: World, recording: Recording) -> None:
    query = query_of(recording)
    if query.get("offering_uuid", "xx") != "xx":
        world.offering = query["offering_uuid"]
    for doc in recording.documents:
        if "offering_uuid" in doc and "provider_uuid" in doc:
            world.places(doc)
    world.places({})
    STAGES.get(recording.collection, _nothing)(world, recording)
    world.usual_roles()


def _nothing(_world: World, _recording: Recording) -> None:
    """A route that needs no rows."""


STAGES: dict[str, Stage] = {
    "marketplace-orders": stage_orders.orders,
    "marketplace-resources": stage_resources.resources,
    "marketplace-provider-resources": stage_resources.resources,
    "marketplace-slurm-remote": stage_resources.slurm_remote,
    "slurm-allocations": stage_resources.allocations,
    "slurm-associations": stage_resources.associations,
    "marketplace-offering-users": stage_people.offering_users,
    "marketplace-component-usages": stage_usage.usages,
    "marketplace-component-user-usages": stage_usage.user_usages,
    "marketplace-public-offerings": stage_people.offerings,
    "marketplace-provider-offerings": stage_people.offerings,
    "marketplace-service-providers": stage_people.service_providers,
    "users": stage_people.users,
}

"""The stage each kind of exchange needs, by collection."""

from collections.abc import Callable

from tests.standin import stage_orders, stage_people, stage_resources, stage_usage
from tests.standin.rebuild import World, query_of
from tests.standin.recordings import Recording

Stage = Callable[[World, Recording], None]


FIRST_OF_THE_AGENT = 429
"""Recordings from here on are of an offering that began with nothing."""


def set_stage(world: World, recording: Recording) -> None:
    query = query_of(recording)
    world.is_bare = recording.id >= FIRST_OF_THE_AGENT
    if query.get("offering_uuid", "xx") != "xx":
        world.offering = query["offering_uuid"]
    for doc in recording.documents:
        names_places = {"offering_uuid", "provider_uuid"} <= doc.keys()
        if names_places or (world.is_bare and {"project_uuid", "limits"} <= doc.keys()):
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
    "marketplace-plans": stage_people.plans,
    "users": stage_people.users,
}

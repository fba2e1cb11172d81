"""Allocations made just now, whose people are still on their way.

Waldur makes offering users, and gives them names, only after the order is done. So for a while the
agent asks about the teams of such allocations alone. Values.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waldur_slurm.agent.model.marketplace import (
    OfferingUser,
    Resource,
    ResourceUuid,
    UserUuid,
)
from waldur_slurm.agent.pull.world.world import WaldurSide

PATIENCE = timedelta(minutes=2)
"""Who comes later is let in by a cycle, as everybody is who joins a team."""

Teams = Mapping[ResourceUuid, frozenset[UserUuid]]


@dataclass(frozen=True, slots=True)
class Awaited:
    """`known`: who of the team could be let in when it was last looked at."""

    resource: Resource
    until: datetime
    known: frozenset[UserUuid]


def still_awaited(
    before: Iterable[Awaited], made: Collection[ResourceUuid], waldur: WaldurSide, now: datetime
) -> tuple[Awaited, ...]:
    """What is awaited after a look at `waldur`, in which these resources were made."""
    since = {each.resource.uuid: each.until for each in before}
    since |= dict.fromkeys(made, now + PATIENCE)
    usable = usable_of(waldur.offering_users)
    seen = {resource.uuid: resource for resource in waldur.resources if resource.uuid in since}
    looked_at = [
        Awaited(resource, since[uuid], waldur.members[uuid] & usable)
        for uuid, resource in seen.items()
        if not waldur.members.get(uuid, frozenset()) <= usable
    ]
    others = [each for each in before if each.resource.uuid not in seen]
    return tuple(each for each in (*others, *looked_at) if now < each.until <= now + PATIENCE)


def arrived(
    awaited: Iterable[Awaited], teams: Teams, offering_users: Iterable[OfferingUser]
) -> set[ResourceUuid]:
    """Where somebody can be let in who could not before."""
    usable = usable_of(offering_users)
    return {
        each.resource.uuid
        for each in awaited
        if (teams.get(each.resource.uuid, frozenset()) & usable) - each.known
    }


def usable_of(offering_users: Iterable[OfferingUser]) -> frozenset[UserUuid]:
    return frozenset(person.user for person in offering_users if person.is_usable)

"""Who should be in which account, by the names that Waldur gives them in this offering."""

from collections.abc import Mapping
from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import Resource, ResourceUuid, UserUuid
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import UserName, user_name


@dataclass(frozen=True, slots=True)
class Roster:
    """`usable` names may be added; `known` are all that Waldur ever gave, in whatever state."""

    usable: Mapping[UserUuid, UserName]
    known: frozenset[str]
    unsafe: tuple[UserUuid, ...]

    def wanted(
        self, resource: Resource, members: Mapping[ResourceUuid, frozenset[UserUuid]]
    ) -> frozenset[UserName] | None:
        """People of the account, or None while the team is unknown."""
        if resource.is_restricted:
            return frozenset()
        team = members.get(resource.uuid)
        if team is None:
            return None
        return frozenset(self.usable[uuid] for uuid in team if uuid in self.usable)

    def nameless(self, members: Mapping[ResourceUuid, frozenset[UserUuid]]) -> int:
        """How many members have no user name that can be used."""
        return len(frozenset[UserUuid]().union(*members.values()) - self.usable.keys())


@dataclass(frozen=True, slots=True)
class Turnover:
    """How the people of one account change; whoever is in neither stays."""

    joiners: tuple[UserName, ...]
    leavers: tuple[Association, ...]


def roster_of(world: World) -> Roster:
    usable: dict[UserUuid, UserName] = {}
    unsafe: list[UserUuid] = []
    for person in sorted(world.waldur.offering_users, key=lambda person: person.username):
        if not person.is_usable:
            continue
        try:
            name = user_name(person.username)
        except InvalidName:
            unsafe.append(person.user)
            continue
        if name.isdecimal():  # Slurm takes a number for a uid: `0` would be root
            unsafe.append(person.user)
        else:
            usable[person.user] = name
    known = frozenset(person.username for person in world.waldur.offering_users if person.username)
    return Roster(usable, known, tuple(unsafe))


def turnover(
    world: World, roster: Roster, account: Account, wanted: frozenset[UserName]
) -> Turnover:
    policy, added = world.policy, world.ledger.page(account.name).people
    joiners = sorted(u for u in wanted - account.users if not policy.protects_user(u))
    leavers = [
        association
        for association in account.associations
        if not association.partition
        and association.user not in wanted
        and not policy.protects_user(association.user)
        and (
            policy.remove_unknown_users
            or association.user in roster.known
            or association.user in added
        )
    ]
    return Turnover(tuple(joiners), tuple(sorted(leavers, key=lambda a: a.user)))

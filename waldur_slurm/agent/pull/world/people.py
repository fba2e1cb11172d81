"""Who should be in which account, by the names that Waldur gives them in this offering.

Out is out, and not now is a hold: only who left the team, or is being deleted, loses access.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import (
    OfferingUser,
    Resource,
    ResourceUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import UserName, user_name

Team = frozenset[UserUuid]

RESTRICTED = "Waldur restricts the access of the resource's members"
VANISHED = (
    "nobody has this user name in Waldur any more, and a member of the team has none:"
    " it may be theirs"
)


@dataclass(frozen=True, slots=True)
class Roster:
    """`usable` names may be added; `known` are all that Waldur ever gave, in whatever state."""

    usable: Mapping[UserUuid, UserName]
    known: frozenset[str]
    unsafe: tuple[UserUuid, ...]
    persons: Mapping[UserUuid, OfferingUser]
    unreadable: tuple[Unreadable, ...] = ()
    """Offering users of whom nobody knows who they are, or what they may do."""

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

    def is_in_doubt(self, name: UserName) -> bool:
        """Whether the name is, or may be, that of an offering user who cannot be read."""
        named = any(each.username == name for each in self.unreadable)
        return named or (bool(self.unreadable) and name not in self.known)

    def why_held(self, resource: Resource, team: Team | None, name: UserName) -> str:
        """Why somebody who is not wanted now is held; empty for who left, or is blocked."""
        if team is None:
            return RESTRICTED
        persons = [self.persons[uuid] for uuid in team if uuid in self.persons]
        theirs = [person for person in persons if person.username == name]
        for person in theirs:
            if not person.is_leaving:
                return RESTRICTED if person.is_usable and resource.is_restricted else person.why_not
        is_somebodys = name in self.known
        has_names = len(persons) == len(team) and all(person.username for person in persons)
        return "" if is_somebodys or has_names else VANISHED


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody who may not work now and has not left: the association stays, and is held."""

    association: Association
    reason: str


@dataclass(frozen=True, slots=True)
class Turnover:
    """How the people of one account change; whoever is in none of them stays."""

    joiners: tuple[UserName, ...] = ()
    leavers: tuple[Association, ...] = ()
    held: tuple[Held, ...] = ()


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
    persons = {person.user: person for person in world.waldur.offering_users}
    kinds = (RowKind.OFFERING_USER, RowKind.PROJECT_ACCOUNT)
    unreadable = tuple(row for row in world.waldur.unreadable if row.kind in kinds)
    return Roster(usable, known, tuple(unsafe), persons, unreadable)


def turnover(
    world: World,
    roster: Roster,
    account: Account,
    resource: Resource,
    wanted: frozenset[UserName],
) -> Turnover:
    policy, added = world.policy, world.ledger.page(account.name).people
    joiners = sorted(u for u in wanted - account.users if not policy.protects_user(u))
    unwanted = [
        association
        for association in account.associations
        if not association.partition
        and association.user not in wanted
        and not policy.protects_user(association.user)
        and not roster.is_in_doubt(association.user)
        and (
            policy.remove_unknown_users
            or association.user in roster.known
            or association.user in added
        )
    ]
    team = world.waldur.members.get(resource.uuid)
    leavers: list[Association] = []
    held: list[Held] = []
    for association in sorted(unwanted, key=lambda association: association.user):
        reason = roster.why_held(resource, team, association.user)
        if reason:
            held.append(Held(association, reason))
        else:
            leavers.append(association)
    return Turnover(tuple(joiners), tuple(leavers), tuple(held))

"""Members of teams without access, and what each lacks for it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from waldur_slurm.agent.model.marketplace import Resource, UserUuid
from waldur_slurm.agent.pull.world.people import Roster
from waldur_slurm.agent.pull.world.world import World


class Lack(StrEnum):
    """The words of the metric."""

    OFFERING_USER = "no offering user"
    USERNAME = "no user name"
    READINESS = "not ready"
    SAFE_NAME = "unsafe name"
    UNIX_USER = "no unix user"


@dataclass(frozen=True, slots=True)
class Outsider:
    """A member of a team without access to any of its allocations."""

    user: UserUuid
    name: str
    lack: Lack
    why: str


def find_outsiders(world: World, roster: Roster, served: Iterable[Resource]) -> Iterator[Outsider]:
    """In the teams of the `served` resources; who is blocked counts as gone."""
    teams = (world.waldur.members.get(resource.uuid, frozenset()) for resource in served)
    for user in sorted(frozenset[UserUuid]().union(*teams) - roster.usable.keys()):
        if any(row.user in ("", user) for row in roster.unreadable):
            continue  # it may be the one that cannot be read, which is told already
        person = roster.persons.get(user)
        name = world.waldur.names.get(user, "somebody")
        if person is None:
            why = f"has no offering user: it takes {world.dialect.users_option}, and whoever was"
            why += " in the team before needs one made"
            yield Outsider(user, name, Lack.OFFERING_USER, why)
        elif not person.is_leaving:
            lack = Lack.USERNAME if not person.username else Lack.READINESS
            is_unsafe = person.is_usable
            why = person.why_not or "the offering user has no user name that can be used"
            yield Outsider(user, name, Lack.SAFE_NAME if is_unsafe else lack, why)

"""Who somebody is to this machine, and whether anything may be done as him at all. Blocks."""

import grp
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass

from waldur_slurm.gateway.doors.decide import No, Yes, decide_acting
from waldur_slurm.gateway.doors.peers import OVERFLOW_UID, find_uid
from waldur_slurm.gateway.doors.principals import Principal, is_user
from waldur_slurm.gateway.doors.shown import NO_OWNER, Connection, Owner
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Person:
    name: UserName
    uid: int
    gid: int
    groups: tuple[str, ...]


Find = Callable[[UserName], Person | None]


class People:
    """`find` says who somebody is where things are done, which may be another host.

    `slurm_user` runs Slurm's daemons and is never acted as, nor is root.

    Nor is `own_uid`, the gateway's own, where it acts as others.
    """

    def __init__(
        self,
        min_uid: int,
        max_uid: int,
        slurm_user: str,
        own_uid: int | None = None,
        find: Find | None = None,
    ) -> None:
        self._find_actor = find or find_here
        self._min_uid = min_uid
        self._max_uid = max_uid
        self._slurm_user = slurm_user
        self._own_uid = own_uid

    def find_actor(self, principal: Principal, name: str) -> Person:
        """Return whom he acts as, or raise `Denied`, with the same words for who is not there."""
        user = UserName(name)
        answer = decide_acting(principal, user)
        if isinstance(answer, No) and not (principal.run_as.groups and is_user(user)):
            raise Denied(answer.why)
        person = self._bounded(user, self._find_actor)
        if person is None:
            raise Denied(f"nothing is done here as {name!r}")
        answer = decide_acting(principal, user, person.groups)
        if not isinstance(answer, Yes):
            raise Denied(answer.why)
        return person

    def owner_of(self, connection: Connection) -> Owner:
        """Find whose the other end of a connection on this machine is."""
        if connection.peer is None or connection.listener is None:
            return NO_OWNER
        uid = find_uid(connection.peer, connection.listener)
        if uid is None:
            return NO_OWNER
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            return Owner(uid, None)
        person = self._bounded(UserName(name), find_here)
        return Owner(uid, person.name if person and person.uid == uid else None)

    def _bounded(self, name: UserName, find: Find) -> Person | None:
        """Find who is called so, where jobs may be run as him."""
        person = find(name) if is_user(name) else None
        if person is None or not self._is_user(person.uid) or person.gid == 0:
            return None
        return person

    def _is_user(self, uid: int) -> bool:
        never = {0, OVERFLOW_UID, _uid_of(self._slurm_user), self._own_uid}
        return self._min_uid <= uid <= self._max_uid and uid not in never


def find_here(name: UserName) -> Person | None:
    """Ask this machine, by no other than his own name."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    if entry.pw_name != name:
        return None
    groups = os.getgrouplist(name, entry.pw_gid)
    return Person(name, entry.pw_uid, entry.pw_gid, tuple(_names(groups)))


def _uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _names(gids: list[int]) -> list[str]:
    found = []
    for gid in gids:
        try:
            found.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return found

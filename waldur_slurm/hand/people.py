"""Who somebody is, and whether root lets him be acted as."""

import grp
import os
import pwd
import re
from typing import NamedTuple

from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.errors import Refused

NAME = r"[a-z_][a-z0-9_.-]{0,31}"
"""No number, which is a uid to Slurm; nothing that a path or a shell may misread."""


class Person(NamedTuple):
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def is_name(text: str) -> bool:
    return re.fullmatch(NAME, text, re.ASCII) is not None


def find_person(conf: Conf, name: str, *, by_caller: bool = True) -> Person:
    """Return who is called so, where root lets him be acted as.

    Where it is not the caller who acts, but the user himself, he may be the caller.
    """
    if not is_name(name):
        raise Refused(f"{name[:40]!r} is not a user's name")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Refused(f"there is no user {name}") from None
    groups = tuple(sorted(os.getgrouplist(entry.pw_name, entry.pw_gid)))
    person = Person(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir, entry.pw_shell)
    _check(conf, name, person)
    if by_caller and person.uid == uid_of(conf.caller):
        raise Refused(f"{name} is the caller, and nobody to act as")
    return person


def told_of(person: Person) -> dict[str, object]:
    """Say who somebody is, with his groups by those names that this host has for them."""
    groups = [name for gid in person.groups if (name := _group(gid)) is not None]
    return {"uid": person.uid, "gid": person.gid, "groups": groups, "home": person.home}


def uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _check(conf: Conf, name: str, person: Person) -> None:
    if person.name != name:
        raise Refused(f"{name} is called {person.name}")
    if person.uid in (0, uid_of(conf.slurm_user)) or person.gid == 0:
        raise Refused(f"{name} is nobody to act as")
    if not conf.min_uid <= person.uid <= conf.max_uid:
        raise Refused(f"{name} has uid {person.uid}, not {conf.min_uid} to {conf.max_uid}")
    if not _is_listed(conf.users, person):
        raise Refused(f"{name} is not listed in hand.conf")


def _is_listed(users: tuple[str, ...], person: Person) -> bool:
    if "*" in users or person.name in users:
        return True
    return any(_gid(word[1:]) in person.groups for word in users if word.startswith("@"))


def _group(gid: int) -> str | None:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None

"""What a fresh login has, and nothing of who asked: ids, groups, umask, environment, limits."""

import os

from waldur_slurm.hand import limits
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.people import Person

MOST_DESCRIPTORS = 65_536


def become(person: Person, conf: Conf) -> None:
    """Be the user for good, as root can; then prove that root cannot be had back."""
    limits.set_as_root(conf.limits)
    os.initgroups(person.name, person.gid)
    os.setresgid(person.gid, person.gid, person.gid)
    os.setresuid(person.uid, person.uid, person.uid)
    check_is(person)


def check_is(person: Person) -> None:
    """Refuse unless this process is that user in every respect that the kernel knows."""
    ids = (*os.getresuid(), *os.getresgid())
    if ids != (person.uid,) * 3 + (person.gid,) * 3:
        raise Refused(f"this process is not {person.name}: its ids are {ids}")
    if {*os.getgroups()} | {person.gid} != {*person.groups} | {person.gid}:
        raise Refused(f"this process is not in the groups of {person.name}")
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise Refused("root can be had back")


def settle(person: Person, conf: Conf) -> None:
    """Take a login's umask, and its directory: home, or / where there is none."""
    os.umask(conf.umask)
    try:
        os.chdir(person.home)
    except OSError:
        os.chdir("/")


def environment(person: Person, conf: Conf) -> dict[str, str]:
    """All that a tool is given; texts in English, which those who read them expect."""
    environ = {
        "HOME": person.home,
        "LOGNAME": person.name,
        "USER": person.name,
        "SHELL": person.shell or "/bin/sh",
        "PATH": conf.path,
        "LANG": "C.UTF-8",
    }
    if conf.slurm_conf:
        environ["SLURM_CONF"] = conf.slurm_conf
    return environ


def close_all_but(kept: int) -> None:
    """Close every descriptor from `kept` on."""
    os.closerange(kept, MOST_DESCRIPTORS)

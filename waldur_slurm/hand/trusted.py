"""A file that nobody but its owners can have written: every directory on the way is looked at.

No link is followed, so what was looked at is what is read. A directory that others may write to
must be sticky: there they cannot take away what is not theirs.
"""

import os
import stat
from collections.abc import Container

from waldur_slurm.hand.conf import BadConf, Conf, parse_conf
from waldur_slurm.hand.errors import Refused

MOST = 64 * 1024
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def read_conf(path: str, owners: Container[int]) -> Conf:
    """Read hand.conf, which only its owners can have written."""
    try:
        return parse_conf(read_trusted(path, owners))
    except BadConf as error:
        raise Refused(f"{path}: {error}") from error


def read_trusted(path: str, owners: Container[int]) -> str:
    """Return the text of the file, or refuse to believe it."""
    descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    names = path.split("/")[1:]
    try:
        for at, name in enumerate(names):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            flags |= os.O_DIRECTORY if at < len(names) - 1 else 0
            beneath = os.open(name, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = beneath
            _look(descriptor, "/" + "/".join(names[: at + 1]), owners)
        return os.read(descriptor, MOST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read; links are not followed: {error}") from error
    finally:
        os.close(descriptor)


def _look(descriptor: int, shown: str, owners: Container[int]) -> None:
    found = os.fstat(descriptor)
    is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        raise Refused(f"{shown} is neither a file nor a directory")
    if found.st_uid not in owners:
        raise Refused(f"{shown} belongs to uid {found.st_uid}: only root may write what it says")
    if found.st_mode & OTHERS_WRITE and not is_sticky:
        raise Refused(f"{shown} may be written by others: chmod go-w it")
    if stat.S_ISREG(found.st_mode) and found.st_size >= MOST:
        raise Refused(f"{shown} is larger than {MOST} bytes")

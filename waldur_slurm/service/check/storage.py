"""Could a service write where it must? Asked without writing, so that nothing is left behind.

Whoever types `check` is seldom who runs the service: where the service's unit is known, its user
and its sandbox are asked about as well.
"""

import os
import pwd
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.unit import Unit

ROOM = 1024 * 1024
"""So many bytes are wanted: nobody should have to stop in the midst of his notes."""

_LOCK = "lock"
_ACCESS_LIST = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A directory that a service makes, with all that is in it, or a file in one that is there."""

    path: Path
    is_directory: bool

    @property
    def directory(self) -> Path:
        return self.path if self.is_directory else self.path.parent

    @property
    def nearest(self) -> Path:
        """The path itself, or what is there of the way to it."""
        return next(each for each in (self.path, *self.path.parents) if each.exists())

    def uses(self) -> Iterator[tuple[Path, int]]:
        """What is there already that must be used, and how."""
        nearest = self.nearest
        yield from ((each, os.X_OK) for each in reversed(nearest.parents))
        if nearest == self.path and self.is_directory:
            yield from _inside(nearest)
        else:
            yield nearest, os.W_OK | (os.X_OK if nearest.is_dir() else 0)

    def given_to(self, user: str) -> str:
        """The command that gives it to the user, and nothing else with it."""
        if self.path.exists():
            return f"chown -R {user}: {self.path}"
        if self.is_directory:
            return f"install -d -m 0700 -o {user} {self.path}"
        return f"install -m 0600 -o {user} /dev/null {self.path}"


def obstacle(wanted: Wanted, made: Collection[Path], unit: Unit | None = None) -> str | Obstacle:
    """Say how it is with what must be written; `made` are directories that units make."""
    place = wanted.nearest
    if unit and not unit.may_write_below(wanted.path):
        return _outside(wanted, unit)
    later = [each for each in made if wanted.path.is_relative_to(each) and not each.exists()]
    if later:
        return _lack_of_room(place) or f"{later[0]} is made when the service starts"
    if not wanted.is_directory and place not in (wanted.path, wanted.directory):
        owner = unit.user if unit else _me()
        cure = f"install -d -m 0700 -o {owner} {wanted.directory}"
        return Obstacle(f"{wanted.directory} does not exist", cure)
    if not place.is_dir() and (wanted.is_directory or place != wanted.path):
        return Obstacle(f"{place} is not a directory")
    refused = _refused_to_me(wanted) or (_refused_to_unit(wanted, unit) if unit else None)
    return refused or _lack_of_room(place) or "can be written"


def _outside(wanted: Wanted, unit: Unit) -> Obstacle:
    """A path that is to be opened has to be there when systemd starts the service."""
    directory = wanted.directory
    cure = "" if unit.hides(directory) else (
        f"install -d -m 0700 -o {unit.user} {directory}; then systemctl edit {unit.name} with the"
        f" lines [Service] and ReadWritePaths={directory}"
    )  # fmt: skip
    return Obstacle(f"the sandbox of {unit.name} lets nothing be written to {directory}", cure)


def _lack_of_room(place: Path) -> Obstacle | None:
    disk = os.statvfs(place)
    free = disk.f_bavail if os.geteuid() else disk.f_bfree
    is_out_of_names = bool(disk.f_files) and not disk.f_ffree
    if free * disk.f_frsize >= ROOM and not is_out_of_names:
        return None
    what = "files" if is_out_of_names else "space"
    return Obstacle(
        f"no {what} left on the file system of {place}",
        f"make room there (df -h {place}; df -i {place})",
    )


def _inside(directory: Path) -> Iterator[tuple[Path, int]]:
    """Directories are written to; of files the lock alone is, the others are replaced."""
    yield directory, os.R_OK | os.W_OK | os.X_OK
    if not os.access(directory, os.R_OK | os.X_OK):
        return
    for each in sorted(directory.iterdir()):
        if each.is_dir():
            yield from _inside(each)
        else:
            yield each, os.R_OK | (os.W_OK if each.name == _LOCK else 0)


# Modes and owners


def _refused_to_me(wanted: Wanted) -> Obstacle | None:
    for path, use in wanted.uses():
        if os.access(path, use):
            continue
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return Obstacle(f"{path} lies on a file system that is read-only")
        by_root = f"as root, {wanted.given_to(_me())}" if os.geteuid() else ""
        is_on_the_way = use == os.X_OK
        return Obstacle(f"this user may not use {path}", "" if is_on_the_way else by_root)
    return None


def _refused_to_unit(wanted: Wanted, unit: Unit) -> Obstacle | None:
    """Judge as the kernel would, but for access lists, which are trusted."""
    if unit.ignores_modes:
        return None
    try:
        entry = pwd.getpwnam(unit.user)
    except KeyError:
        return Obstacle(
            f"{unit.name} runs as {unit.user!r}, and there is no such user",
            f"useradd --system {unit.user}",
        )
    tops = [top for top in unit.makes(wanted.path) if top.exists()]
    if any(top.stat().st_uid != entry.pw_uid for top in tops):
        return None  # systemd gives all of it to the user when the service starts
    groups = os.getgrouplist(unit.user, entry.pw_gid)
    for path, use in wanted.uses():
        if not _may(entry.pw_uid, groups, path, use):
            whole = [f"chown -R {unit.user}: {top}" for top in tops if path.is_relative_to(top)]
            cure = "" if use == os.X_OK else wanted.given_to(unit.user)
            found = f"{unit.name} runs as {unit.user!r}, who may not use {path}"
            return Obstacle(found, whole[0] if whole else cure)
    return None


def _may(uid: int, groups: Collection[int], path: Path, use: int) -> bool:
    status = path.stat()
    if _ACCESS_LIST in os.listxattr(path):
        return True
    shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
    return (status.st_mode >> shift) & use == use  # R_OK, W_OK and X_OK are the mode's own bits


def _me() -> str:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)

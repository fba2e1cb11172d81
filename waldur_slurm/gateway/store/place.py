"""The folder of what the gateway remembers: it belongs to whoever runs the gateway."""

import os
import pwd
from pathlib import Path

from waldur_slurm.errors import StateError


def ensure_own(folder: Path) -> None:
    """Make it where it is missing; a command typed as root must not leave files of root there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise StateError(f"cannot use the state directory {folder}: {error.strerror}") from error
    if owner != os.geteuid():
        name = _name_of(owner)
        raise StateError(
            f"the state directory {folder} belongs to {name}; run this as {name}, such as by"
            f" `sudo -u {name}`"
        )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"

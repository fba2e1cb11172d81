"""Could the agent write where it must? Asked without writing, so that nothing is left behind."""

import os
from pathlib import Path

from waldur_slurm.errors import StateError


def obstacle(path: Path, *, is_directory: bool) -> StateError | None:
    """What keeps this user from making or writing `path`, a directory or a file."""
    place = path if is_directory else path.parent
    while not place.exists() and place != place.parent:
        if not is_directory:
            return StateError(f"{place} does not exist")
        place = place.parent
    if not is_directory and path.exists():
        place = path
    elif not place.is_dir():
        return StateError(f"{place} is not a directory")
    if not os.access(place, os.W_OK):
        return StateError(f"this user may not write to {place}")
    return None

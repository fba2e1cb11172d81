"""One agent for one offering and direction on one host."""

from contextlib import AbstractContextManager
from pathlib import Path

from waldur_slurm.service.lock import only_one


def only_agent(state_dir: Path) -> AbstractContextManager[None]:
    """Hold the state directory's lock, or raise `AlreadyRunning` at once."""
    return only_one(
        state_dir,
        "serves this offering and direction",
        "stop it, or send it SIGUSR1 to run a cycle now",
    )

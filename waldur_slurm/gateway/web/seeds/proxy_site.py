"""What the third original's surface is told by the settings."""

from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.slurm.rest.passing import Passing


@dataclass(frozen=True, slots=True)
class Proxy:
    """Without `slurmrestd` nothing is handed on to it."""

    reading: Reading = Reading.DOCUMENT
    slurmrestd: Passing | None = None
    reach: timedelta = timedelta(days=14)
    """How far back jobs are looked for by their state."""

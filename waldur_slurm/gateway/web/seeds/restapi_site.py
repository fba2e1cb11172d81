"""What the second original's surface is told by the settings."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from waldur_slurm.gateway.load.archive import Samples
from waldur_slurm.gateway.records.port import Records
from waldur_slurm.gateway.records.record import FOREVER


@dataclass(frozen=True, slots=True)
class RestApi:
    """What is switched off is 404. `origins` may read it from within a browser; `*` is any."""

    has_accounting: bool = True
    has_index: bool = False
    origins: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    """Partitions that `/partitions`, `/usage` and `/load` leave out."""
    hides_everywhere: bool = False
    """Whether `/queue`, `/history` and `/nodes` leave them out too."""
    archive: Samples | None = None
    wait_s: int = 60
    reach: timedelta = FOREVER
    records: Mapping[str, Records] = field(default_factory=dict)
    """By cluster, where the accounting is asked otherwise than by sacct."""
    clock: Callable[[], float] = time.time

    @property
    def hidden_everywhere(self) -> frozenset[str]:
        return self.hidden if self.hides_everywhere else frozenset()

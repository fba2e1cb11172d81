"""What the load's archive is asked; whoever keeps it implements this."""

from collections.abc import Collection, Sequence
from typing import Protocol

from waldur_slurm.gateway.load.plan import Span
from waldur_slurm.gateway.load.sample import Sample


class Samples(Protocol):
    """Samples of several clusters, each under its time. What was added is kept when it returns."""

    def add(self, cluster: str, slot: int, sample: Sample) -> bool:
        """Keep it, unless there is one of this slot or second already; say which it was."""
        ...

    def add_all(self, cluster: str, samples: Collection[Sample]) -> int:
        """Keep those of whose second there is none yet, and return how many those were."""
        ...

    def read(self, cluster: str, span: Span) -> Sequence[Sample]:
        """Return the samples of a span, the oldest first."""
        ...

    def read_newest(self, cluster: str, span: Span) -> Sample | None: ...

    def read_times(self, cluster: str) -> Sequence[int]:
        """Return the time of every sample, the oldest first."""
        ...

    def drop(self, cluster: str, times: Collection[int]) -> None: ...

"""Samples of the load in memory, held to the real store by `tests/unit/gateway/store`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.load.plan import Span
from waldur_slurm.gateway.load.sample import Sample


@dataclass
class FakeSamples:
    """A `Samples`; `broken` is why none of it works."""

    kept: dict[str, dict[int, Sample]] = field(default_factory=lambda: defaultdict(dict))
    slots: set[tuple[str, int]] = field(default_factory=set)
    broken: str = ""

    def add(self, cluster: str, slot: int, sample: Sample) -> bool:
        self._demand()
        if (cluster, slot) in self.slots or sample.time in self.kept[cluster]:
            return False
        self.slots.add((cluster, slot))
        self.kept[cluster][sample.time] = sample
        return True

    def add_all(self, cluster: str, samples: Collection[Sample]) -> int:
        self._demand()
        before = len(self.kept[cluster])
        self.kept[cluster] = {each.time: each for each in samples} | self.kept[cluster]
        return len(self.kept[cluster]) - before

    def read(self, cluster: str, span: Span) -> Sequence[Sample]:
        self._demand()
        times = [time for time in self.read_times(cluster) if span.begin <= time <= span.end]
        return [self.kept[cluster][time] for time in times]

    def read_newest(self, cluster: str, span: Span) -> Sample | None:
        found = self.read(cluster, span)
        return found[-1] if found else None

    def read_times(self, cluster: str) -> Sequence[int]:
        self._demand()
        return sorted(self.kept[cluster])

    def drop(self, cluster: str, times: Collection[int]) -> None:
        self._demand()
        for time in times:
            self.kept[cluster].pop(time, None)

    def _demand(self) -> None:
        if self.broken:
            raise StateError(self.broken)

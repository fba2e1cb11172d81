"""Takes a sample of each cluster's load once a wait time, from the pictures that all are shown.

What Slurm does not tell is no sample: an archive has a gap where Slurm was silent, never a guess.
Several gateways over one archive take one sample a wait time together.
"""

import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from threading import Event as Bell
from typing import TypeVar

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.beside import beside
from waldur_slurm.gateway.load.archive import Samples
from waldur_slurm.gateway.load.plan import plan_thinning, slot_of, until_next_s
from waldur_slurm.gateway.load.sample import sample_of
from waldur_slurm.gateway.load.usage import usage_of
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.telemetry.events import Event, Level, Sink

THIN_EVERY_S = 3600

Value = TypeVar("Value")


class Sampler:
    """A thread of its own; what it asks Slurm is what everybody is shown, at most as old."""

    def __init__(
        self,
        clusters: Iterable[ClusterPictures],
        samples: Samples,
        tell: Sink,
        *,
        wait_s: int,
        keep_s: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clusters = tuple(clusters)
        self._samples = samples
        self._tell = tell
        self._wait_s = wait_s
        self._keep_s = keep_s
        self._clock = clock
        self._thinned: float | None = None
        self._troubled: set[str] = set()
        self._leaving = Bell()

    def running(self) -> AbstractContextManager[None]:
        return beside("sampler", self._run, self._leaving.set)

    def _run(self) -> None:
        """A start asks Slurm for nothing: the first sample comes with the next wait time."""
        while not self._leaving.wait(until_next_s(self._clock(), self._wait_s)):
            self.take_all()

    def take_all(self) -> None:
        """Take a sample of every cluster; what fails for one, the others do not notice."""
        for pictures in self._clusters:
            try:
                self._take(pictures)
            except ExpectedError as error:
                self._note_trouble(pictures.name, str(error))
            except Exception:  # noqa: BLE001 - a defect must not end the archive for good
                fields = {"cluster": pictures.name, "traceback": traceback.format_exc()}
                self._tell(Event(name="load.crashed", level=Level.ERROR, fields=fields))
            else:
                self._troubled.discard(pictures.name)

    def _take(self, pictures: ClusterPictures) -> None:
        now = self._clock()
        jobs, details = pictures.jobs.fresh(), pictures.details.fresh()
        partitions, nodes = pictures.partitions.fresh(), pictures.nodes.fresh()
        usage = usage_of(partitions, nodes, jobs.jobs, details)
        self._samples.add(pictures.name, slot_of(now, self._wait_s), sample_of(usage, int(now)))
        if self._thinned is None or now - self._thinned >= THIN_EVERY_S:
            self._thin(int(now))

    def _thin(self, now: int) -> None:
        self._thinned = now
        for pictures in self._clusters:
            times = self._samples.read_times(pictures.name)
            old = [*plan_thinning(times, now, self._keep_s)]
            if old:
                self._samples.drop(pictures.name, old)

    def _note_trouble(self, cluster: str, error: str) -> None:
        """Say it once, until it goes well again."""
        if cluster not in self._troubled:
            self._troubled.add(cluster)
            fields = {"cluster": cluster, "error": error}
            self._tell(Event(name="load.no_sample", level=Level.WARNING, fields=fields))

"""What stands in the way, told once while it lasts: of one SlurmJob, of a cluster, or a defect.

A defect in one SlurmJob's turn is told, and the others go on.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from waldur_slurm.operator.model.slurm_job import SlurmJob
from waldur_slurm.telemetry.events import Event, Level, Sink


class Troubles:
    def __init__(self, tell: Sink, cluster: str) -> None:
        self._tell = tell
        self._cluster = cluster
        self._told: frozenset[tuple[str, str]] = frozenset()
        self._now: set[tuple[str, str]] = set()
        self._is_silent = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """What was told in the turn before, and is so still, is not told again."""
        self._now = set()
        yield
        self._told = frozenset(self._now)

    def of_job(self, job: SlurmJob, error: Exception) -> None:
        self._warn("slurmjob.trouble", f"{job.namespace}/{job.name}", str(error))

    def note(self, what: str) -> None:
        self._warn("cluster.trouble", self._cluster, what)

    def note_silence(self, why: str) -> None:
        """Once for as long as it lasts, though the words may change meanwhile."""
        if why and not self._is_silent:
            fields = {"cluster": self._cluster, "why": why}
            self._tell(Event(name="cluster.silent", level=Level.WARNING, fields=fields))
        elif not why and self._is_silent:
            self._tell(Event(name="cluster.answers", fields={"cluster": self._cluster}))
        self._is_silent = bool(why)

    @contextmanager
    def catching(self, job: SlurmJob) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - a defect in one SlurmJob's turn must not end the others'
            where, trace = f"{job.namespace}/{job.name}", traceback.format_exc()
            if self._is_new("slurmjob.crashed", where):
                fields = {"slurmjob": where, "traceback": trace}
                self._tell(Event(name="slurmjob.crashed", level=Level.ERROR, fields=fields))

    def _warn(self, name: str, where: str, what: str) -> None:
        if self._is_new(where, what):
            fields = {"where": where, "what": what}
            self._tell(Event(name=name, level=Level.WARNING, fields=fields))

    def _is_new(self, *what: str) -> bool:
        key = (what[0], what[1])
        is_new = key not in self._told | self._now
        self._now.add(key)
        return is_new

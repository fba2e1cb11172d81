"""All objects of one kind, kept true by a list and a watch, which say how old the knowledge is.

A watch is ended by the server after half a minute, and begun again where it ended: so even where
nothing changes, something is heard of in time. What is older than `TOO_OLD` is not known any more.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition, Thread
from threading import Event as Bell
from typing import Any

from waldur_slurm.operator.errors import Gone, KubeError
from waldur_slurm.operator.jobs.kube import TOO_OLD, Snapshot
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.slurm_job import CLUSTER, LOGIN, from_wire
from waldur_slurm.telemetry.events import Event, Level, Sink

WATCH_S = 25
PAUSES_S = (0.5, 1.0, 2.0, 5.0)
_LEAVES_IN_S = 5.0

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """Objects by their uid, as they were `age` ago at the latest."""

    objects: Mapping[str, Found]
    age: timedelta

    @property
    def is_too_old(self) -> bool:
        return self.age > TOO_OLD


NEVER = timedelta.max


def slurm_jobs(known: Known, tell: Sink) -> Snapshot:
    """Read what is known as SlurmJobs; one that no schema would let in stops no other."""
    jobs = []
    for uid, found in known.objects.items():
        try:
            jobs.append(from_wire(found))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            fields = {"uid": uid, "what": f"it is no SlurmJob: {error!r}"}
            tell(Event(name="slurmjob.unreadable", level=Level.DEBUG, fields=fields))
    return Snapshot(tuple(jobs), known.age)


def is_news(before: Found | None, now: Found) -> bool:
    """Whether somebody asks for something else: what operators write of it asks for nothing.

    A turn that is begun by what the last one wrote would look at Slurm, and find what it knows.
    """
    return before is None or _asked(before) != _asked(now)


def _asked(found: Found) -> tuple[object, ...]:
    """Its spec, by its generation; that it is to go; what people say beside, such as to abandon."""
    meta = found["metadata"]
    annotations = meta.get("annotations") or {}
    said = {name: text for name, text in annotations.items() if name not in (CLUSTER, LOGIN)}
    return meta.get("generation"), meta.get("deletionTimestamp"), said


def _kept(found: Found) -> Found:
    """Leave out who wrote which field when, which nobody asks and is the most of an object."""
    meta = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    return {**found, "metadata": meta}


class Store:
    """`talk` is its own; `on_change` is called after whatever is news, on its thread."""

    def __init__(
        self,
        talk: Talk,
        path: str,
        on_change: Callable[[], None],
        tell: Sink,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._talk = talk
        self._path = path
        self._on_change = on_change
        self._tell = tell
        self._clock = clock
        self._changed = Condition()
        self._objects: dict[str, Found] = {}
        self._version = ""
        self._heard: float | None = None
        self._leaving = Bell()
        self._is_silent = False

    def read(self) -> Known:
        with self._changed:
            age = NEVER if self._heard is None else timedelta(seconds=self._clock() - self._heard)
            return Known(dict(self._objects), age)

    def wait_known(self, seconds: float) -> bool:
        """Wait until all of it was listed once."""
        with self._changed:
            return self._changed.wait_for(lambda: self._heard is not None, seconds)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = Thread(target=self._run, name=f"watch {self._path}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._leaving.set()
            thread.join(_LEAVES_IN_S)

    def _run(self) -> None:
        failures = 0
        while not self._leaving.is_set():
            try:
                self.follow()
                failures = 0
            except KubeError as error:
                if isinstance(error, Gone) and self._version:
                    self._version = ""  # what happened since is not told any more: list it anew
                    continue
                self._note_silence(str(error))
                self._leaving.wait(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
            except Exception:  # noqa: BLE001 - a defect must not end the watch for good
                fields = {"traceback": traceback.format_exc()}
                self._tell(Event(name="kube.crashed", level=Level.ERROR, fields=fields))
                self._version = ""
                self._leaving.wait(PAUSES_S[-1])

    def follow(self) -> None:
        """Watch once, from where the last watch ended; first list all, where there was none."""
        if not self._version:
            self._replace(*self._talk.list(self._path))
        for event in self._talk.watch(self._path, self._version, WATCH_S):
            self._take(event["type"], event["object"])
            if self._leaving.is_set():
                return
        self._hear()

    def _replace(self, found: list[dict[str, Any]], version: str) -> None:
        with self._changed:
            self._objects = {each["metadata"]["uid"]: _kept(each) for each in found}
            self._version = version
        self._hear()
        self._on_change()

    def _take(self, kind: str, found: dict[str, Any]) -> None:
        """About what is gone there is nothing to be done."""
        meta, is_there = found["metadata"], kind not in ("BOOKMARK", "DELETED")
        with self._changed:
            before = self._objects.get(meta.get("uid", ""))
            if is_there:
                self._objects[meta["uid"]] = _kept(found)
            elif kind == "DELETED":
                self._objects.pop(meta["uid"], None)
            self._version = meta["resourceVersion"]
        self._hear()
        if is_there and is_news(before, found):
            self._on_change()

    def _hear(self) -> None:
        with self._changed:
            self._heard = self._clock()
            self._changed.notify_all()
        if self._is_silent:
            self._is_silent = False
            self._tell(Event(name="kube.answers", fields={"path": self._path}))

    def _note_silence(self, error: str) -> None:
        """Say it once, until something is heard again."""
        if not self._is_silent:
            self._is_silent = True
            fields = {"path": self._path, "error": error}
            self._tell(Event(name="kube.silent", level=Level.WARNING, fields=fields))

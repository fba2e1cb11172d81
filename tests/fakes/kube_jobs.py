"""SlurmJobs of a Kubernetes in memory, as the cycle of SlurmJobs has it."""

import copy
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError
from waldur_slurm.operator.jobs.kube import Snapshot, Told
from waldur_slurm.operator.model.slurm_job import CLUSTER, FINALIZER, LOGIN, SlurmJob, from_wire

KUBERNETES = "5b7c1d2e-0000-4000-8000-000000000001"
Found = dict[str, Any]


@dataclass
class FakeKube:
    """`jobs.kube.Kube`, and what an API server does of its own accord.

    `failing` raises at whatever method is named there.
    """

    objects: dict[str, Found] = field(default_factory=dict)
    """By uid."""
    events: Counter[tuple[str, Told]] = field(default_factory=Counter)
    maps: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    failing: dict[str, KubeError] = field(default_factory=dict)
    age: timedelta = timedelta()
    writes: list[str] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=lambda: count(1))
    _uids: Iterator[int] = field(default_factory=lambda: count(1))
    """None comes again."""

    # What people do

    def apply(self, name: str = "cow", namespace: str = "physics", **spec: Any) -> str:
        """Make one, or change its spec; returns its uid."""
        found = self._named(namespace, name)
        if found is None:
            uid = str(uuid.UUID(int=next(self._uids)))
            meta = {"name": name, "namespace": namespace, "uid": uid, "generation": 0}
            found = self.objects[uid] = {"metadata": meta, "spec": {}}
        spec = {"batch": "#!/bin/sh\necho moo\n", **spec}
        if found["spec"] != spec:
            found["spec"] = spec
            found["metadata"]["generation"] += 1
        self._touch(found)
        return str(found["metadata"]["uid"])

    def delete(self, uid: str) -> None:
        found = self.objects[uid]
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z"
            self._touch(found)
        else:
            del self.objects[uid]

    def annotate(self, uid: str, name: str, value: str) -> None:
        self.objects[uid]["metadata"].setdefault("annotations", {})[name] = value
        self._touch(self.objects[uid])

    # What tests look at

    def job(self, uid: str) -> SlurmJob:
        return from_wire(copy.deepcopy(self.objects[uid]))

    def status(self, uid: str) -> Found:
        found: Found = self.objects[uid].get("status", {})
        return found

    def condition(self, uid: str, kind: str) -> tuple[str, str] | None:
        for each in self.status(uid).get("conditions", []):
            if each["type"] == kind:
                return each["status"], each["reason"]
        return None

    def message(self, uid: str, kind: str) -> str:
        conditions = self.status(uid)["conditions"]
        return next(str(each["message"]) for each in conditions if each["type"] == kind)

    def reasons(self, uid: str) -> list[str]:
        """Say of which events it was told, in their order."""
        return [told.reason for about, told in self.events if about == uid]

    # The port

    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(map(self.job, self.objects)), self.age)

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        self._fail("read_config_map")
        try:
            return self.maps[namespace, name]
        except KeyError:
            raise Gone(f'configmaps "{name}" not found') from None

    def accept(self, job: SlurmJob, cluster: str, login: str) -> None:
        found = self._as_read("accept", job)
        meta = found["metadata"]
        meta["finalizers"] = [*{*meta.get("finalizers", ()), FINALIZER}]
        written = {CLUSTER: cluster} | ({LOGIN: login} if login else {})
        meta["annotations"] = {**meta.get("annotations", {}), **written}
        self._touch(found)

    def let_go(self, job: SlurmJob) -> None:
        found = self._as_read("let_go", job)
        meta = found["metadata"]
        meta["finalizers"] = [each for each in meta["finalizers"] if each != FINALIZER]
        self._touch(found)
        if "deletionTimestamp" in meta and not meta["finalizers"]:
            del self.objects[job.uid]

    def patch_status(self, job: SlurmJob, status: Mapping[str, Any]) -> None:
        self._write("patch_status")
        if job.uid not in self.objects:
            raise Gone("there is no such SlurmJob")
        self.objects[job.uid]["status"] = copy.deepcopy(dict(status))
        self._touch(self.objects[job.uid])

    def tell(self, job: SlurmJob, told: Told) -> None:
        self._write("tell")
        self.events[job.uid, told] += 1

    def read_kept(self) -> Mapping[str, str]:
        self._fail("read_kept")
        return dict(self.kept)

    def keep(self, uid: str, cluster: str) -> None:
        self._write("keep")
        self.kept[uid] = cluster

    def forget_kept(self, uids: Collection[str]) -> None:
        self._write("forget_kept")
        for uid in uids:
            self.kept.pop(uid, None)

    def _named(self, namespace: str, name: str) -> Found | None:
        for found in self.objects.values():
            if (found["metadata"]["namespace"], found["metadata"]["name"]) == (namespace, name):
                return found
        return None

    def _as_read(self, what: str, job: SlurmJob) -> Found:
        self._write(what)
        if job.uid not in self.objects:
            raise Gone("there is no such SlurmJob")
        found = self.objects[job.uid]
        if found["metadata"]["resourceVersion"] != job.resource_version:
            raise ChangedMeanwhile("it was changed meanwhile")
        return found

    def _write(self, what: str) -> None:
        self._fail(what)
        self.writes.append(what)

    def _fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]

    def _touch(self, found: Found) -> None:
        found["metadata"]["resourceVersion"] = str(next(self._versions))

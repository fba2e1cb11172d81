"""The operator's questions and writes, in the API server's words.

A patch names the version of what it was decided on where another's change in between matters; the
server then refuses it, and the next cycle decides anew.
"""

import base64
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone
from waldur_slurm.operator.jobs.kube import Told
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.patches import merge_patch
from waldur_slurm.operator.kube.talk import Patch, Talk
from waldur_slurm.operator.model.slurm_job import (
    CLUSTER,
    FINALIZER,
    GROUP,
    KIND,
    LOGIN,
    VERSION,
    SecretKey,
    SlurmJob,
)
from waldur_slurm.operator.nodes.plan import APPLIED, Node, SetCapacity, SetMeta, Step

COMPONENT = "slurm-operator"
LONGEST_NOTE = 1024
"""Characters of an event's sentence that Kubernetes takes."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """The ConfigMap that says of which deleted SlurmJobs the jobs were left running."""

    namespace: str
    name: str = "slurm-operator-kept"

    @property
    def path(self) -> str:
        return paths.within(self.namespace, "configmaps", self.name)


class KubeClient:
    """`jobs.kube.Kube` and `nodes.port.Nodes`."""

    def __init__(
        self, talk: Talk, now: Callable[[], datetime] = utc_now, kept: Kept = Kept("default")
    ) -> None:
        self._talk = talk
        self._now = now
        self._kept = kept

    def read_cluster_id(self) -> str:
        """Return what tells this Kubernetes from all others: the uid of kube-system."""
        return str(self._talk.get(paths.namespace("kube-system"))["metadata"]["uid"])

    def accept(self, job: SlurmJob, cluster: str, login: str) -> None:
        held = job.finalizers if job.is_held else [*job.finalizers, FINALIZER]
        annotations = {CLUSTER: cluster} | ({LOGIN: login} if login else {})
        self._patch_meta(job, finalizers=[*held], annotations=annotations)

    def let_go(self, job: SlurmJob) -> None:
        left = [each for each in job.finalizers if each != FINALIZER]
        try:
            self._patch_meta(job, finalizers=left)
        except Gone:
            return

    def patch_status(self, job: SlurmJob, status: Mapping[str, Any]) -> None:
        patch = merge_patch(job.status, status)
        self._talk.patch(f"{_path(job)}/status", {"status": patch, "metadata": {"uid": job.uid}})

    def read_kept(self) -> Mapping[str, str]:
        try:
            found = self.read_config_map(self._kept.namespace, self._kept.name)
        except Gone:
            return {}
        return {uid: said.partition(" ")[0] for uid, said in found.items()}

    def keep(self, uid: str, cluster: str) -> None:
        said = {uid: f"{cluster} {self._now().isoformat(timespec='seconds')}"}
        try:
            self._talk.patch(self._kept.path, {"data": said})
        except Gone:
            meta = {"name": self._kept.name, "namespace": self._kept.namespace}
            there = paths.within(self._kept.namespace, "configmaps")
            self._talk.post(there, {"metadata": meta, "data": said})

    def forget_kept(self, uids: Collection[str]) -> None:
        self._talk.patch(self._kept.path, {"data": dict.fromkeys(uids)})

    def tell(self, job: SlurmJob, told: Told) -> None:
        """Its name follows from what it says of whom: told again, it is counted."""
        events, name = paths.within(job.namespace, "events"), _event_name(job, told)
        now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._add_event(events, name, now, job, told):
            return
        known = self._talk.get(paths.within(job.namespace, "events", name))
        again = {"count": int(known.get("count") or 1) + 1, "lastTimestamp": now}
        self._talk.patch(paths.within(job.namespace, "events", name), again)

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        return self._talk.get(paths.within(namespace, "configmaps", name)).get("data") or {}

    def read_secret(self, namespace: str, wanted: SecretKey) -> str:
        """Return one value of a Secret; empty where the Secret has no such key."""
        found = self._talk.get(paths.within(namespace, "secrets", wanted.name)).get("data") or {}
        return base64.b64decode(found.get(wanted.key, "")).decode("utf-8", "replace")

    def list_nodes(self) -> tuple[Node, ...]:
        found, _ = self._talk.list(paths.NODES)
        return tuple(map(read_node, found))

    def change_node(self, node: str, step: Step) -> None:
        match step:
            case SetMeta(labels, applied):
                annotations = {APPLIED: applied}
                meta = {"labels": dict(labels), "annotations": annotations}
                self._talk.patch(paths.node(node), {"metadata": meta})
            case SetCapacity(resources):
                capacity = {"capacity": dict(resources)}
                self._talk.patch(f"{paths.node(node)}/status", {"status": capacity})

    def _patch_meta(self, job: SlurmJob, **changed: object) -> None:
        """Change it only if it is still as it was read, and not another of the same name."""
        meta = {**changed, "uid": job.uid, "resourceVersion": job.resource_version}
        self._talk.patch(_path(job), {"metadata": meta}, Patch.MERGE)

    def _add_event(self, path: str, name: str, now: str, job: SlurmJob, told: Told) -> bool:
        """Return whether it is told for the first time."""
        about = {
            "kind": KIND,
            "apiVersion": f"{GROUP}/{VERSION}",
            "namespace": job.namespace,
            "name": job.name,
            "uid": job.uid,
        }
        event = {
            "metadata": {"name": name, "namespace": job.namespace},
            "involvedObject": about,
            "reason": told.reason,
            "message": told.sentence[:LONGEST_NOTE],
            "type": told.kind,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            self._talk.post(path, event)
        except ChangedMeanwhile:
            return False
        return True


def read_node(found: Mapping[str, Any]) -> Node:
    meta, status = found["metadata"], found.get("status") or {}
    return Node(
        name=meta["name"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        capacity=status.get("capacity") or {},
    )


def _path(job: SlurmJob) -> str:
    return paths.job(job.namespace, job.name)


def _event_name(job: SlurmJob, told: Told) -> str:
    said = f"{job.uid}\n{told.kind}\n{told.reason}\n{told.sentence}"
    return f"{job.name[:220]}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"

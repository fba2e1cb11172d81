"""A SlurmJob as its user wrote it, and what the API server adds to it.

Read from what the API server has, which the schema of deploy/crds has judged: what a user may write
wrongly all the same (two meanings at once, an environment of a key) is judged in `placement`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

GROUP, VERSION, KIND, PLURAL = "slurm.sylabs.io", "v1alpha1", "SlurmJob", "slurmjobs"
FINALIZER = f"{GROUP}/job"
ABANDON = f"{GROUP}/abandon"
"""The annotation that lets a SlurmJob go though nobody can say what became of its job."""
CLUSTER = f"{GROUP}/cluster"
"""The annotation that says for which cluster it was accepted: once and for all, whatever is edited
or configured afterwards, since two clusters would make two jobs of it."""
LOGIN = f"{GROUP}/login"
"""The annotation that says over whose ssh account: his journal knows of the job, and no other's."""
OURS = f"{GROUP}/operator"
"""Who manages a SlurmJob that does not say so."""

_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NO_SOURCES = frozenset({"name", "persistentVolumeClaim"})
"""What a mount has besides the kinds of volumes that are mounted for nobody."""


class CancelPolicy(StrEnum):
    """What becomes of the job in Slurm when its SlurmJob is deleted."""

    CANCEL = "Cancel"
    ORPHAN = "Orphan"


class When(StrEnum):
    """After which ends results are collected."""

    SUCCEEDED = "Succeeded"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One value of a Secret in the SlurmJob's own namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Ssh:
    """Over which account of the login host the job is handed in; how it is opened, where said."""

    user: str
    key: SecretKey | None = None
    password: SecretKey | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What is collected: a path or a glob below the job's folder, into a claim."""

    source: str = ""
    claim: str = ""
    when: When = When.SUCCEEDED
    others: tuple[str, ...] = ()
    """What its mount names that is no claim, such as hostPath, where no schema kept that out."""

    @property
    def is_claim(self) -> bool:
        """Whether it is a claim by its name alone, which can be one of its own namespace only."""
        return not self.others and _CLAIM.fullmatch(self.claim) is not None


@dataclass(frozen=True, slots=True)
class Spec:
    batch: str
    node_selector: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    results: Results | None = None
    ssh: Ssh | None = None
    cluster: str = ""
    options: Mapping[str, str | int | bool] = field(default_factory=dict)
    suspend: bool = False
    managed_by: str = OURS
    cancel_policy: CancelPolicy = CancelPolicy.CANCEL


@dataclass(frozen=True, slots=True)
class SlurmJob:
    namespace: str
    name: str
    uid: str
    spec: Spec
    resource_version: str = ""
    generation: int = 1
    created: datetime | None = None
    is_deleted: bool = False
    """Its deletion was asked for; it stays until nobody holds it any longer."""
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    """As it stands, to be compared with what it should say; a tenant may have written it."""

    @property
    def is_held(self) -> bool:
        """Whether it stays until its job is over."""
        return FINALIZER in self.finalizers

    @property
    def is_ours(self) -> bool:
        return self.spec.managed_by == OURS

    @property
    def login(self) -> str:
        """Whose ssh account it was accepted for, where it was for one."""
        return self.annotations.get(LOGIN, "")

    @property
    def place(self) -> str:
        """The cluster that it was accepted for; empty before that.

        Where somebody replaced all of it, and what was written there with it, its status tells.
        """
        told = self.annotations.get(CLUSTER) or self.status.get("cluster")
        return told if isinstance(told, str) else ""


def from_wire(there: Mapping[str, Any]) -> SlurmJob:
    meta = there["metadata"]
    return SlurmJob(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        spec=_spec(there.get("spec") or {}),
        resource_version=meta.get("resourceVersion", ""),
        generation=meta.get("generation", 1),
        created=_moment(meta.get("creationTimestamp")),
        is_deleted="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers") or ()),
        annotations=meta.get("annotations") or {},
        status=there.get("status") or {},
    )


def _moment(told: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(told))
    except ValueError:
        return None


def _spec(there: Mapping[str, Any]) -> Spec:
    return Spec(
        batch=there.get("batch", ""),
        node_selector=there.get("nodeSelector") or {},
        resources=there.get("resources") or {},
        results=_results(there["results"]) if there.get("results") else None,
        ssh=_ssh(there["ssh"]) if there.get("ssh") else None,
        cluster=there.get("cluster", ""),
        options=there.get("options") or {},
        suspend=there.get("suspend", False),
        managed_by=there.get("managedBy") or OURS,
        cancel_policy=CancelPolicy(there.get("cancelPolicy") or CancelPolicy.CANCEL),
    )


def _results(there: Mapping[str, Any]) -> Results:
    mount = there.get("mount") or {}
    claim = (mount.get("persistentVolumeClaim") or {}).get("claimName", "")
    when = When(there.get("when") or When.SUCCEEDED)
    return Results(there.get("from", ""), claim, when, tuple(sorted(mount.keys() - _NO_SOURCES)))


def _ssh(there: Mapping[str, Any]) -> Ssh:
    return Ssh(there["user"], _secret(there.get("key")), _secret(there.get("password")))


def _secret(there: Mapping[str, Any] | None) -> SecretKey | None:
    named = (there or {}).get("secretKeyRef")
    return SecretKey(named["name"], named["key"]) if named else None

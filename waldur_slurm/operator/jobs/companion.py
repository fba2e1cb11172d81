"""The job-companion of a SlurmJob: its pod and its Secret as they are made. Pure.

The pod is nobody: no account of Kubernetes, no root, nothing of its node, one claim of the user's.
What opens the gateway is in the Secret, good for this one job, and gone when the pod is done.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waldur_slurm.operator.model.order import ORDER, TOKEN, TRUST, Order
from waldur_slurm.operator.model.slurm_job import GROUP, KIND, VERSION, Results, SlurmJob

Manifest = Mapping[str, Any]

COMPANION_OF = f"{GROUP}/companion-of"
"""The label that has the SlurmJob's uid: by it our pods are listed."""
ATTEMPT = f"{GROUP}/attempt"
"""The annotation that says the how manieth companion of its SlurmJob a pod is."""

CONTAINER = "job-companion"
TOLD, COLLECT = "/companion", "/collect"
NOBODY = 65532
LONGEST_NAME, LONGEST_LABEL = 253, 63
_SUFFIX = "-job"


@dataclass(frozen=True, slots=True)
class Means:
    """What all companions of one cluster are made with."""

    image: str
    url: str
    trust: str = ""
    """The certificates to trust, as PEM, where the system's are not enough."""
    cluster: str = ""
    """What the gateway calls it, where it has several."""


def pod_name(job_name: str) -> str:
    """Return `<name>-job`; a name that leaves no room for that is cut, and told apart by a hash."""
    return _cut(job_name, LONGEST_NAME - len(_SUFFIX)) + _SUFFIX


def secret_of(job: SlurmJob, results: Results, means: Means, job_id: str, token: str) -> Manifest:
    order = Order(means.url, job_id, job.name, results.source, results.when, means.cluster)
    trust = {TRUST: means.trust} if means.trust else {}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _meta(job, {}),
        "immutable": True,
        "type": "Opaque",
        "stringData": {ORDER: order.to_text(), TOKEN: token, **trust},
    }


def pod_of(job: SlurmJob, results: Results, means: Means, attempt: int = 1) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _meta(job, {ATTEMPT: str(attempt)}),
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "hostNetwork": False,
            "hostPID": False,
            "hostIPC": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": NOBODY,
                "runAsGroup": NOBODY,
                "fsGroup": NOBODY,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(means)],
            "volumes": [
                {
                    "name": "told",
                    "secret": {"secretName": pod_name(job.name), "defaultMode": 0o440},
                },
                {"name": "claim", "persistentVolumeClaim": {"claimName": results.claim}},
            ],
        },
    }


def _container(means: Means) -> Manifest:
    return {
        "name": CONTAINER,
        "image": means.image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["companion", f"--told={TOLD}", f"--into={COLLECT}"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "20m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "volumeMounts": [
            {"name": "told", "mountPath": TOLD, "readOnly": True},
            {"name": "claim", "mountPath": COLLECT},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _meta(job: SlurmJob, annotations: Mapping[str, str]) -> Manifest:
    owner = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": job.name,
        "uid": job.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "name": pod_name(job.name),
        "namespace": job.namespace,
        "labels": {
            COMPANION_OF: job.uid,
            f"{GROUP}/job": _cut(job.name, LONGEST_LABEL),
            "app.kubernetes.io/name": CONTAINER,
            "app.kubernetes.io/managed-by": "slurm-operator",
        },
        "annotations": {**annotations},
        "ownerReferences": [owner],
    }


def _cut(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    told_apart = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: longest - 17].rstrip('.-')}-{told_apart}"

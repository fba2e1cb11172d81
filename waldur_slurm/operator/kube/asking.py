"""What `check` asks an API server about itself, and about what the operator may there."""

from collections.abc import Iterable
from typing import Any

from waldur_slurm.operator.check.facts import Right
from waldur_slurm.operator.errors import Gone
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.slurm_job import GROUP, PLURAL, VERSION

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def read_version(talk: Talk) -> str:
    return str(talk.get("/version").get("gitVersion", "of an unknown version"))


def knows_slurm_jobs(talk: Talk) -> bool:
    try:
        found = talk.get(f"/apis/{GROUP}/{VERSION}").get("resources") or []
    except Gone:
        return False
    return {PLURAL, f"{PLURAL}/status"} <= {each.get("name") for each in found}


def lacking(talk: Talk, rights: Iterable[Right]) -> tuple[Right, ...]:
    """Return those that the account does not have."""
    return tuple(right for right in rights if not _is_allowed(talk, right))


def _is_allowed(talk: Talk, right: Right) -> bool:
    resource, _, part = right.resource.partition("/")
    asked: dict[str, Any] = {"verb": right.verb, "resource": resource, "group": right.group}
    more = {"subresource": part, "namespace": right.namespace, "name": right.name}
    asked |= {name: value for name, value in more.items() if value}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    return bool((talk.post(_REVIEWS, review).get("status") or {}).get("allowed"))

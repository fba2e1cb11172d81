"""What the API server says that an account in `default` may: as `kubectl auth can-i` asks it."""

from sandbox.kube import Bed

ACCOUNTS = "system:serviceaccounts"


def is_allowed(bed: Bed, account: str, **asked: str) -> bool:
    """`asked` are a verb, group, resource, subresource, name and namespace."""
    who = {
        "user": f"system:serviceaccount:default:{account}",
        "groups": [ACCOUNTS, f"{ACCOUNTS}:default", "system:authenticated"],
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {**who, "resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(bed.api.must("POST", path, review).json["status"]["allowed"])

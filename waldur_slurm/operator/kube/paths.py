"""Where things are at an API server. Pure."""

from urllib.parse import quote

from waldur_slurm.operator.model.slurm_job import GROUP, PLURAL, VERSION

NODES = "/api/v1/nodes"
JOBS = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
"""Those of all namespaces."""


def job(namespace: str, name: str = "") -> str:
    """Return where the SlurmJobs of a namespace are, or one of them."""
    jobs = f"/apis/{GROUP}/{VERSION}/namespaces/{_spelt(namespace)}/{PLURAL}"
    return f"{jobs}/{_spelt(name)}" if name else jobs


def node(name: str) -> str:
    return f"{NODES}/{_spelt(name)}"


def namespace(name: str) -> str:
    return f"/api/v1/namespaces/{_spelt(name)}"


def within(namespace_name: str, kind: str, name: str = "") -> str:
    """Return where things of a core kind are in a namespace, or one of them."""
    kinds = f"{namespace(namespace_name)}/{kind}"
    return f"{kinds}/{_spelt(name)}" if name else kinds


def lease(namespace_name: str, name: str = "") -> str:
    """Return where the Leases of a namespace are, or one of them."""
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{_spelt(namespace_name)}/leases"
    return f"{leases}/{_spelt(name)}" if name else leases


def _spelt(text: str) -> str:
    return quote(text, safe="")

"""The operator's variables, declared once: read, shown and documented from here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from waldur_slurm.variables.choices import LogFormat, LogLevel
from waldur_slurm.variables.declared import declared_by, read_declared
from waldur_slurm.variables.places import Address, address, path
from waldur_slurm.variables.readers import duration, named, one_of, whole
from waldur_slurm.variables.variable import Variable, variable


def _name(text: str) -> str:
    if not text.replace("-", "").replace(".", "").isalnum() or len(text) > 253:
        raise ValueError("a name of Kubernetes, such as slurm-config")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the operator was told, already typed and checked."""

    # Kubernetes
    kubeconfig: Path | None = variable(
        "KUBECONFIG",
        path,
        "the kubeconfig that says where the API server is",
        unset_means="in a pod: its own account",
    )
    api_host: str | None = variable(
        "KUBERNETES_SERVICE_HOST", str, "the API server, as every pod is told it"
    )
    api_port: int = variable(
        "KUBERNETES_SERVICE_PORT", whole(1, 65535), "its port, as every pod is told it", "443"
    )
    namespace: str = variable(
        "OPERATOR_NAMESPACE", named(_name), "where the ConfigMap lies", "default"
    )
    config_map: str = variable(
        "OPERATOR_CONFIG_MAP", named(_name), "the ConfigMap that the site writes", "slurm-config"
    )
    nodes_every: timedelta = variable(
        "OPERATOR_NODES_EVERY",
        duration(timedelta(seconds=1)),
        "how often nodes are looked at: a kubelet that starts anew has forgotten its resources",
        "10s",
    )

    # SlurmJobs
    tick: timedelta = variable(
        "OPERATOR_TICK",
        duration(timedelta(seconds=1)),
        "how often a cluster is looked at where nothing changes in Kubernetes",
        "5s",
    )
    config_every: timedelta = variable(
        "OPERATOR_CONFIG_EVERY",
        duration(timedelta(seconds=1)),
        "how often it is looked whether the ConfigMap names other clusters",
        "10s",
    )
    lease: str | None = variable(
        "OPERATOR_LEASE",
        named(_name),
        "the Lease in its namespace that says which of several operators works",
        unset_means="it is the only one",
    )
    secrets_dir: Path = variable(
        "OPERATOR_SECRETS_DIR",
        path,
        "where the Secrets are mounted that clusters name as their token: NAME/token",
        "/etc/slurm-operator/secrets",
    )

    image: str = variable(
        "OPERATOR_IMAGE",
        str,
        "the image of the pods that collect results: this program's own",
        "slurm-operator:latest",
    )

    # Those who watch
    http_listen: Address | None = variable(
        "OPERATOR_HTTP_LISTEN",
        address,
        "where `/metrics`, `/healthz` and `/readyz` are served, such as `127.0.0.1:8090`; they need"
        " no password, so keep them from strangers",
    )

    # The log
    log_level: LogLevel = variable("LOG_LEVEL", one_of(LogLevel), "the least that is told", "INFO")
    log_format: LogFormat = variable(
        "LOG_FORMAT", one_of(LogFormat), "lines for people, or JSON", "text"
    )

    @classmethod
    def variables(cls) -> Iterator[Variable]:
        return declared_by(cls)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read them all, or raise `SettingsError` with every mistake."""
        return read_declared(cls, environ, _mistakes_across)


def _mistakes_across(_environ: Mapping[str, str], values: dict[str, Any]) -> Iterator[str]:
    if not values.get("KUBECONFIG") and not values.get("KUBERNETES_SERVICE_HOST"):
        yield "KUBECONFIG is not set, and this is no pod: set it to a kubeconfig file"

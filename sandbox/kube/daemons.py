"""How each part of a Kubernetes is started, in the order of their needs."""

from collections.abc import Iterator
from pathlib import Path

from sandbox.kube import node
from sandbox.kube.place import SERVICES, Place

SERVER = ("etcd", "kube-apiserver")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")


def groups(place: Place) -> list[tuple[str, ...]]:
    """Name what may start together, one group after the other; a node's parts come after these."""
    return [SERVER, *([CONTROLLERS] if place.options.with_controllers else [])]


def names(place: Place) -> tuple[str, ...]:
    started = [name for group in groups(place) for name in group]
    return (*started, *(node.NAMES if place.options.with_node else ()))


def argv(place: Place, name: str, programs: Path) -> list[str]:
    flags = {
        "etcd": _etcd,
        "kube-apiserver": _api_server,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }
    return [str(programs / name), *(f"--{flag}" for flag in flags[name](place))]


def _etcd(place: Place) -> Iterator[str]:
    clients, peers = f"http://127.0.0.1:{place.etcd_port}", f"http://127.0.0.1:{place.peer_port}"
    yield f"data-dir={place.directory}/etcd"
    yield f"listen-client-urls={clients}"
    yield f"advertise-client-urls={clients}"
    yield f"listen-peer-urls={peers}"
    yield f"initial-advertise-peer-urls={peers}"
    yield f"initial-cluster=default={peers}"
    yield "unsafe-no-fsync"  # survives kill -9, though not a power cut
    yield "log-level=error"


def _api_server(place: Place) -> Iterator[str]:
    keys = place.keys
    yield f"etcd-servers=http://127.0.0.1:{place.etcd_port}"
    yield "bind-address=127.0.0.1"
    yield "advertise-address=127.0.0.1"
    yield f"secure-port={place.api_port}"
    yield f"tls-cert-file={keys}/server.crt"
    yield f"tls-private-key-file={keys}/server.key"
    yield f"client-ca-file={keys}/authority.crt"
    yield "authorization-mode=Node,RBAC"
    yield "enable-admission-plugins=NodeRestriction"
    yield "allow-privileged"
    yield f"service-account-key-file={keys}/accounts.key"
    yield f"service-account-signing-key-file={keys}/accounts.key"
    yield "service-account-issuer=https://kubernetes.default.svc"
    yield f"service-cluster-ip-range={SERVICES}"
    yield "endpoint-reconciler-type=none"
    yield f"kubelet-client-certificate={keys}/to-kubelet.crt"
    yield f"kubelet-client-key={keys}/to-kubelet.key"
    yield f"kubelet-certificate-authority={keys}/authority.crt"


def _controller_manager(place: Place) -> Iterator[str]:
    yield f"kubeconfig={place.kubeconfig('kube-controller-manager')}"
    yield f"service-account-private-key-file={place.keys}/accounts.key"
    yield f"root-ca-file={place.keys}/authority.crt"
    yield "use-service-account-credentials"
    yield "port=0"
    yield "secure-port=0"
    yield "leader-elect=false"
    yield "node-monitor-period=1s"


def _scheduler(place: Place) -> Iterator[str]:
    yield f"kubeconfig={place.kubeconfig('kube-scheduler')}"
    yield "port=0"
    yield "secure-port=0"
    yield "leader-elect=false"

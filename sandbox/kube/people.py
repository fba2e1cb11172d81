"""Who is somebody in a bed: each one's certificate, and what he speaks to the server with."""

import base64
import json

from sandbox.kube.authority import Authority, Signed, make_token_key
from sandbox.kube.place import FIRST_SERVICE, Place

ADMIN = "admin"
NODE = "127.0.0.1"

_SERVED_AT = ("127.0.0.1", FIRST_SERVICE, "localhost", "kubernetes.default.svc")
_PEOPLE = {
    ADMIN: ("admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}


def make_keys(place: Place) -> None:
    """Make all of them, once in a bed's life."""
    place.keys.mkdir(mode=0o700)
    authority = Authority(place.keys)
    authority.sign("server", "kube-apiserver", at=_SERVED_AT)
    authority.sign("to-kubelet", "kube-apiserver-to-kubelet", "system:masters")
    make_token_key(place.keys / "accounts.key")
    trusted = base64.b64encode(authority.certificate.read_bytes()).decode()
    for file, (person, group) in _PEOPLE.items():
        at = (NODE,) if file == "kubelet" else ()
        signed = authority.sign(file, person, group, at)
        config = place.kubeconfig(file)
        config.touch(mode=0o600)
        config.write_text(_kubeconfig(place.server, trusted, signed))


def _kubeconfig(server: str, trusted: str, signed: Signed) -> str:
    """Write it as JSON, which YAML is a superset of."""
    certificate, key = signed.encoded()
    user = {"client-certificate-data": certificate, "client-key-data": key}
    cluster = {"server": server, "certificate-authority-data": trusted}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bed", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "me"}}],
        "current-context": "bed",
    }
    return json.dumps(config, indent=1) + "\n"

"""What a cluster's network would do: lets the demo's pods reach API server and gateway.

Both listen on loopback, so pods are put into this machine's network, by a webhook that the API
server asks before it takes one. The operator and its manifests stay as they are.
"""

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from sandbox.kube import Bed
from sandbox.kube.authority import Authority
from sandbox.kube.place import PORTS

HERE = "127.0.0.1"


@contextmanager
def pods_on_this_machine(bed: Bed, place: Path) -> Iterator[None]:
    place.mkdir(mode=0o700)
    authority = Authority(place)
    signed = authority.sign("webhook", "webhook", at=(HERE,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    with ThreadingHTTPServer(
        (HERE, 0), _answering(bed.place.api_port, bed.place.first_port + PORTS)
    ) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"https://{HERE}:{server.server_port}/"
        bed.must("apply", "-f", "-", said=json.dumps(_configuration(url, authority)))
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _configuration(url: str, authority: Authority) -> Mapping[str, Any]:
    trusted = base64.b64encode(authority.certificate.read_bytes()).decode()
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "network-of-the-demo"},
        "webhooks": [
            {
                "name": "network.demo.local",
                "clientConfig": {"url": url, "caBundle": trusted},
                "rules": [{**pods, "resources": ["pods"]}],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


def _answering(api_port: int, pages_port: int) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(asked, api_port, pages_port)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            """Nobody reads it."""

    return Answering


def _put(index: int, what: str, value: object) -> Mapping[str, Any]:
    return {"op": "add", "path": f"/spec/containers/{index}/{what}", "value": value}


def answer(asked: Mapping[str, Any], api_port: int, pages_port: int) -> Mapping[str, Any]:
    """Let the pod in, in this machine's network, and tell it where the API server is there.

    What it serves, it serves on loopback, at a port that is the bed's.
    """
    containers = asked["request"]["object"]["spec"]["containers"]
    told = [
        {"name": "KUBERNETES_SERVICE_HOST", "value": HERE},
        {"name": "KUBERNETES_SERVICE_PORT", "value": str(api_port)},
    ]
    patch: list[Mapping[str, Any]] = [{"op": "add", "path": "/spec/hostNetwork", "value": True}]
    for index, each in enumerate(containers):
        env = [*each.get("env", ()), *told]
        if each.get("ports"):
            env.append({"name": "OPERATOR_HTTP_LISTEN", "value": f"{HERE}:{pages_port}"})
            port = {**each["ports"][0], "containerPort": pages_port, "hostPort": pages_port}
            patch.append(_put(index, "ports", [port]))
        patch.append(_put(index, "env", env))
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": asked["request"]["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        },
    }

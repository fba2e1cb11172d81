"""Asks a bed's API server from this very process: a kubectl costs more than what it is asked.

Each question has a connection of its own, so that a server that was killed is no lost one.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote

from sandbox.kube.place import Place
from sandbox.slurm.errors import SandboxError

APPLY = "application/apply-patch+yaml"
"""As `kubectl apply --server-side` does: what is written becomes so, and the rest stays."""
MERGE = "application/merge-patch+json"

_LONGEST_ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asking:
    """Does so as the administrator."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._trust: ssl.SSLContext | None = None

    def ask(self, method: str, path: str, body: object = None, meant: str = "") -> Answer:
        """Return the answer, whatever it is; OSError where there is none."""
        sent = None if body is None else json.dumps(body).encode()
        told = {"Content-Type": meant or "application/json"}
        connection = HTTPSConnection(
            "127.0.0.1", self._place.api_port, timeout=_LONGEST_ANSWER_S, context=self._shown()
        )
        try:
            connection.request(method, path, sent, told)
            with connection.getresponse() as response:
                return Answer(response.status, response.read())
        except HTTPException as error:
            raise ConnectionError(f"the API server's answer was cut: {error!r}") from error
        finally:
            connection.close()

    def must(self, method: str, path: str, body: object = None, meant: str = "") -> Answer:
        """Ask what has to be granted."""
        answer = self.ask(method, path, body, meant)
        if answer.status >= 300:
            raise SandboxError(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def find(self, path: str) -> dict[str, Any]:
        """Return what lies there; nothing where nothing does."""
        answer = self.ask("GET", path)
        if answer.status == 404:
            return {}
        if answer.status >= 300:
            raise SandboxError(f"GET {path}: {answer.status} {answer.text}")
        found: dict[str, Any] = answer.json
        return found

    def apply(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Let it be as it is written there, and return what is there now."""
        path = f"{path_of(manifest)}?fieldManager=somebody&force=true"
        applied: dict[str, Any] = self.must("PATCH", path, manifest, APPLY).json
        return applied

    def _shown(self) -> ssl.SSLContext:
        if self._trust is None:
            keys = self._place.keys
            self._trust = ssl.create_default_context(cafile=str(keys / "authority.crt"))
            self._trust.load_cert_chain(keys / "admin.crt", keys / "admin.key")
        return self._trust


def path_of(manifest: Mapping[str, Any]) -> str:
    """Return where an object lies; the names of all kinds that are used here end so."""
    version, meta = manifest["apiVersion"], manifest["metadata"]
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    within = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{group}{within}/{manifest['kind'].lower()}s/{quote(meta['name'])}"

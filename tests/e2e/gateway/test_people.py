"""People of an issuer, over HTTP from end to end: it publishes keys, or nothing of use."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import Answer, Gateway
from tests.e2e.program import Program
from tests.fakes.issuer import AUDIENCE, FakeIssuer, made, signed


@dataclass
class Served:
    """An issuer at an address; `bodies` replace what it would say."""

    issuer: FakeIssuer
    bodies: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    location: str = ""


@contextmanager
def serving(served: Served) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"{served.issuer.url}{self.path}"
            body = served.bodies.get(self.path)
            body = served.issuer.fetch(url) if body is None else body
            self.send_response(served.status)
            if served.location:
                self.send_header("Location", served.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served.issuer.url
        finally:
            server.shutdown()


@contextmanager
def gateway_for(issuer: str, directory: Path) -> Iterator[Gateway]:
    claimed = claim_ports(2)
    try:
        environ = {
            "PATH": os.defpath,
            "GATEWAY_CLUSTERS": "lab",
            "GATEWAY_LISTEN": f"127.0.0.1:{claimed.first}",
            "GATEWAY_STATE_DIR": str(directory / "state"),
            "SLURM_BIN_PATH": str(directory / "nowhere"),
            "GATEWAY_OIDC_ISSUER": issuer,
            "GATEWAY_OIDC_AUDIENCE": AUDIENCE,
            "GATEWAY_ROLES": "* may jobs:read; admins may jobs:read:all as any",
        }
        program = Program(environ, directory, module="waldur_slurm.gateway.main")
        with program.daemon() as daemon:
            daemon.hears("READY=1")
            yield Gateway(program, daemon, claimed.first)
    finally:
        claimed.claim.close()


def me(gateway: Gateway, issuer: str, *groups: str, number: int = 0) -> Answer:
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "exp": time.time() + 300,
        "preferred_username": "ann",
        "groups": list(groups),
    }
    token = signed(claims, made("P-256", number), "ES256")
    return gateway.get("/api/v1/me", Authorization=f"Bearer {token}")


def test_a_person_signs_in_by_the_keys_that_the_issuer_publishes(tmp_path: Path) -> None:
    served = Served(FakeIssuer(keys=[made("P-256")]))
    with serving(served) as issuer, gateway_for(issuer, tmp_path) as gateway:
        who = me(gateway, issuer, "admins").json

        assert "kind" in who, (who, gateway.daemon.log)
        assert (who["kind"], who["user"], who["run_as"]) == ("person", "ann", "any")
        assert me(gateway, issuer).json["run_as"] == ""
        for _ in range(5):
            assert me(gateway, issuer, number=1).status == 401
        assert me(gateway, f"{issuer}/").status == 401
        assert served.issuer.fetched[f"{issuer}/keys"] == 1


@pytest.mark.parametrize("how", ["an error", "elsewhere", "endless", "no JSON"])
@pytest.mark.fault("the issuer of OpenID Connect is gone")
def test_an_issuer_that_says_nothing_of_use_lets_nobody_in_and_is_told_of_once(
    tmp_path: Path, how: str
) -> None:
    served = Served(FakeIssuer(keys=[made("P-256")]))
    with serving(served) as issuer, gateway_for(issuer, tmp_path) as gateway:
        match how:
            case "an error":
                served.status = 500
            case "elsewhere":
                served.status, served.location = 302, f"{issuer}/keys"
            case "endless":
                served.bodies["/keys"] = b" " * 2_000_000
            case _:
                served.bodies["/keys"] = b"<html>"

        for _ in range(3):
            answer = me(gateway, issuer)
            assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert gateway.daemon.log.count("issuer.silent") == 1
        assert sum(served.issuer.fetched.values()) <= 2

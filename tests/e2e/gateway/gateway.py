"""The real gateway in a process of its own, in front of a real Slurm, asked over HTTP."""

import json
import os
import re
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.program import Daemon, Program

EVERYTHING_TO_READ = "cluster:read,jobs:read:all,history:read,accounts:read,metrics:read"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    """One that runs; ports are its own as long as it does."""

    program: Program
    daemon: Daemon
    port: int
    tls: ssl.SSLContext | None = None

    def get(self, path: str, **headers: str) -> Answer:
        """`headers` are names with _ for -."""
        return self.ask("GET", path, None, headers)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        with self.opened(method, path, body, headers) as response:
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        """Ask, and leave the body to be read."""
        with closing(self._connection()) as connection:
            named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
            connection.request(method, path, body, named)
            with closing(connection.getresponse()) as response:
                yield response

    def ask_with(
        self, method: str, path: str, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> Answer:
        """Ask with headers of which some may come twice."""
        with closing(self._connection()) as connection:
            connection.putrequest(method, path)
            for name, value in headers:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            with closing(connection.getresponse()) as response:
                named = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, named, response.read())

    def _connection(self) -> HTTPConnection:
        if self.tls:
            return HTTPSConnection("127.0.0.1", self.port, timeout=90, context=self.tls)
        return HTTPConnection("127.0.0.1", self.port, timeout=90)


def program_for(
    cluster: Cluster, tools: Path, directory: Path, port: int, **changes: str
) -> Program:
    directory.mkdir(parents=True, exist_ok=True)
    environ = {
        "PATH": os.defpath,
        "SLURM_CONF": cluster.environ["SLURM_CONF"],
        "SLURM_BIN_PATH": str(tools),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_ANONYMOUS_SCOPES": EVERYTHING_TO_READ,
        "GATEWAY_JOBS_AGE": "1s",
        "GATEWAY_STATE_DIR": str(directory / "state"),
    }
    return Program(environ | changes, directory, module="waldur_slurm.gateway.main")


@contextmanager
def running(
    cluster: Cluster,
    tools: Path,
    directory: Path,
    tls: ssl.SSLContext | None = None,
    **changes: str,
) -> Iterator[Gateway]:
    """Serve until the body ends."""
    claimed = claim_ports(2)
    try:
        program = program_for(cluster, tools, directory, claimed.first, **changes)
        with program.daemon() as daemon:
            daemon.hears("READY=1")
            yield Gateway(program, daemon, claimed.first, tls)
    finally:
        claimed.claim.close()


def listings_asked(cluster: Cluster) -> int:
    """How often slurmctld was asked for all jobs, by its own count."""
    return questions_asked(cluster)["REQUEST_JOB_INFO"]


def questions_asked(cluster: Cluster) -> Counter[str]:
    """How often slurmctld was asked what, by its own count."""
    found = re.findall(r"(REQUEST_\w+)\s+\(\s*\d+\) count:(\d+)", cluster.must("sdiag"))
    return Counter({name: int(count) for name, count in found})

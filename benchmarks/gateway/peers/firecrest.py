"""FirecREST v2 asked for all jobs, by one client and by six, where a checkout of it is at hand.

`FIRECREST_SOURCE` names the checkout. What it needs is installed from PyPI into an environment
below `.cache/peers`, nothing of it comes into this tree, and it reaches Slurm as it does at sites:
by ssh, to an sshd of the benchmark's own on loopback, with a key, and a token of a key that it is
shown in a file.
"""

import base64
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.gateway.bed import BOUND, Bed, NotServed
from benchmarks.peers.environments import CACHE
from benchmarks.proc import peak_megabytes
from benchmarks.progress import say
from benchmarks.read_queue import seconds_of_squeue
from benchmarks.rows import Row, Said
from benchmarks.scale import Scale
from sandbox.slurm.ports import claim_ports
from sandbox.ssh import SshServer, running_sshd

SOURCE = "FIRECREST_SOURCE"
LEFT_OUT = f"FirecREST is left out: {SOURCE} names no checkout of it."
JOBS = "/compute/lab/jobs?allusers=true"
ALONE, TOGETHER = 1, 6
TURNS = {ALONE: 3, TOGETHER: 1}
PATIENCE_S = 120.0
READY_S = 60.0
TOKEN_S = 3600
KEY = b"of no use to anybody but this run"
USER = "root"
PROGRAM = ("-m", "uvicorn", "firecrest.main:app", "--host", "127.0.0.1", "--port")


@dataclass(frozen=True)
class FirecRest:
    port: int
    pid: int
    token: str

    def get(self, path: str) -> tuple[int, float]:
        """Read the whole answer; return its status, and how long it took."""
        began = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        return answer.status, time.monotonic() - began


def measure_firecrest(bed: Bed, _scale: Scale) -> Iterator[Said]:
    source = Path(os.environ.get(SOURCE, ""))  # noqa: TID251 - where somebody has it
    if not (source / "src" / "firecrest" / "main.py").is_file():
        yield LEFT_OUT
        return
    python = _python(source / "requirements.txt")
    bare = [seconds_of_squeue(bed.environ) for _ in range(TURNS[ALONE])]
    for clients, turns in TURNS.items():
        with _running(bed, source, python) as peer:
            before = bed.listings_asked()
            answers = [each for _ in range(turns) for each in _ask_all(peer, clients)]
            asked = (bed.listings_asked() - before) / len(answers)
            peak = peak_megabytes(peer.pid)
        served = [seconds for status, seconds in answers if status == 200]
        whom = "1 client" if clients == 1 else f"{clients} clients"
        name = f"FirecREST: {whom}, {bed.jobs:,} jobs"
        yield Row(name=f"{name}: not served", unit="", samples=[len(answers) - len(served)])
        if served:
            yield Row(
                name=f"{name}: the slowest served", unit="s", samples=[max(served)], floor=bare
            )
        yield Row(name=f"{name}: REQUEST_JOB_INFO a request", unit="", samples=[asked])
        yield Row(name=f"{name}: peak", unit="MB", samples=[peak])


def _ask_all(peer: FirecRest, clients: int) -> list[tuple[int, float]]:
    with ThreadPoolExecutor(clients) as pool:
        return [*pool.map(peer.get, [JOBS] * clients)]


def _python(requirements: Path) -> Path:
    """Return the interpreter of an environment that has what it asks for."""
    place = CACHE / "firecrest"
    if not (place / "complete").exists():
        say("installing what FirecREST needs")
        subprocess.run((sys.executable, "-m", "venv", "--clear", place), check=True)
        argv = (place / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", requirements)
        subprocess.run(argv, check=True)
        (place / "complete").touch()
    return place / "bin" / "python"


@contextmanager
def _running(bed: Bed, source: Path, python: Path) -> Iterator[FirecRest]:
    place = bed.directory / f"firecrest-{time.monotonic_ns()}"
    place.mkdir()
    slurm = " ".join(f"{name}={value}" for name, value in bed.cluster.environ.items())
    claimed = claim_ports(1)
    (place / "sshd").mkdir()
    with running_sshd(place / "sshd", more=f"SetEnv {slurm}") as server:
        (place / "jwks.json").write_text(json.dumps({"keys": [_key()]}))
        (place / "config.yaml").write_text(json.dumps(_config(place, server)))
        environ = {"PATH": os.defpath, "YAML_CONFIG_FILE": str(place / "config.yaml")}
        with (
            (place / "log").open("wb") as log,
            subprocess.Popen(
                (*BOUND, python, *PROGRAM, str(claimed.first)),
                cwd=source / "src",
                env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                peer = FirecRest(
                    claimed.first, process.pid, token_until(int(time.time()) + TOKEN_S)
                )
                _await(peer, process, place / "log")
                yield peer
            finally:
                process.kill()
                claimed.claim.close()


def _await(peer: FirecRest, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            peer.get("/status/liveness")
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise NotServed(f"FirecREST does not answer: {log.read_text()[-500:]}") from None
            time.sleep(0.1)
        else:
            return


def _config(place: Path, server: SshServer) -> Mapping[str, object]:
    """As its own example has it, with longer time-outs; JSON is YAML too."""
    patience = int(PATIENCE_S)
    return {
        "apis_root_path": "",
        "auth": {
            "authentication": {
                "scopes": {},
                "tokenUrl": "http://127.0.0.1:1/token",
                "publicCerts": [f"file://{place}/jwks.json"],
                "usernameClaim": "sub",
            }
        },
        "ssh_credentials": {
            "type": "SSHStaticKeys",
            "keys": {USER: {"private_key": server.user_key.read_text()}},
        },
        "clusters": [
            {
                "name": "lab",
                "ssh": {
                    "host": "127.0.0.1",
                    "port": server.port,
                    "timeout": {"command_execution": patience, "idle_timeout": 2 * patience},
                },
                "scheduler": {
                    "type": "slurm",
                    "version": "22.05.8",
                    "timeout": patience,
                    "connection_mode": "ssh",
                },
                "service_account": {"client_id": "bench", "secret": "none"},
                "probing": {"interval_check": 3600, "services": {}},
                "file_systems": [{"path": "/home", "data_type": "users", "default_work_dir": True}],
            }
        ],
    }


def _key() -> Mapping[str, str]:
    return {"kty": "oct", "kid": "bench", "alg": "HS256", "k": _url64(KEY)}


def token_until(ends: int) -> str:
    """Sign one for the user, as the issuer would; times are seconds since 1970."""
    claims = {"sub": USER, "preferred_username": USER, "exp": ends}
    head = {"alg": "HS256", "kid": "bench", "typ": "JWT"}
    told = ".".join(_url64(json.dumps(each).encode()) for each in (head, claims))
    return f"{told}.{_url64(hmac.digest(KEY, told.encode(), 'sha256'))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""slurm-proxy's set-up as its document has it: a `.env`, a mail relay, slurmrestd; and no login.

Its clients show nothing. They come from a network, which a proxy on this machine tells of as nginx
does; who asks from the machine itself is the Unix user that he is.
"""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import ActingProgram, ActingSite
from tests.e2e.gateway.gateway import Answer, Gateway
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB, CALLER
from tests.fixtures_slurm import NewCluster
from tests.unit.gateway.post.sinks import Relay, relaying

OFFICE = "10.9.8.7"
"""Where its clients ask from."""

LETS_THEM = (
    "10.9.0.0/16 may cluster:read jobs:read:all jobs:submit jobs:cancel monitor:read monitor:write"
    f" as {ANN},{BOB}; 127.0.0.1 may cluster:read jobs:read jobs:submit jobs:cancel monitor:read"
    " monitor:write"
)
KEY = "bm90IFNsdXJtJ3Mga2V5"
DOTENV = """\
FLASK_APP_NAME=slurm-proxy
FLASK_APP_PORT={port}
SLURM_JWT_HS256_KEY_BASE64={key}
SLURM_REST_HOST={slurmrestd}
SLURM_REST_API_DATA_PARSER_PLUGIN_VERSION=0.0.42
MONGODB_URI=mongodb://localhost:27017
MONITOR_POLLING_INTERVAL=1
NOTIFICATIONS_SMTP_SERVER=127.0.0.1
NOTIFICATIONS_SMTP_PORT={relay}
"""


def with_key(directory: Path) -> dict[str, str]:
    """Make a key of Slurm's own there; return the lines that let Slurm make tokens by it."""
    key = directory / "jwt.key"
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    return {"AuthAltTypes": "auth/jwt", "AuthAltParameters": f"jwt_key={key}"}


def office(new_cluster: NewCluster, auth: dict[str, str]) -> Cluster:
    """A cluster with the partitions that the document and the recordings name."""
    cluster = new_cluster(ClusterOptions(slurm_conf=auth, slurmdbd_conf=auth))
    nodes = ",".join(cluster.options.node_names)
    for name in ("hpcz-test", "high"):
        cluster.must("scontrol", "create", f"partitionname={name}", f"nodes={nodes}")
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in (ANN, BOB):
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    return cluster


@contextmanager
def slurmrestd(cluster: Cluster, directory: Path, port: int) -> Iterator[str]:
    """Serve until the body ends; it wants to be neither root nor Slurm's own user."""
    address = f"127.0.0.1:{port}"
    with (
        (directory / "slurmrestd.log").open("wb") as log,
        subprocess.Popen(
            [
                *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
                *("/usr/sbin/slurmrestd", "-a", "rest_auth/jwt"),
                *("-s", "openapi/v0.0.38,openapi/dbv0.0.38", address),
            ],
            env={**cluster.environ, "SLURM_JWT": "daemon"},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait()


@dataclass
class Office(Gateway):
    """One that runs, asked as slurm-proxy's clients ask it."""

    relay: Relay = field(default_factory=Relay)
    from_where: str = OFFICE

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a body as JSON, or bytes as they are; headers are names with _ for -."""
        told = {"X_Forwarded_For": self.from_where, **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(method, path, None if body is None else content, told)

    def state_of(self, number: int) -> str:
        answer = self.send("GET", f"/monitor/slurm_job_id/{number}")
        return str(answer.json["slurm"]["job_state"]) if answer.status == 200 else ""

    def waits_for(self, number: int, state: str) -> None:
        eventually(lambda: self.state_of(number) == state, f"job {number} is {state}")


@dataclass(frozen=True)
class ProxySite:
    acting: ActingSite
    directory: Path

    def sbatch(self, user: str, command: str) -> int:
        """Hand a job in as somebody who knows nothing of gateways."""
        argv = ("sbatch", "--parsable", "--mem=10", "--output=/dev/null", "--chdir=/tmp")
        done = subprocess.run(
            [*("setpriv", f"--reuid={user}", "--regid=nogroup", "--init-groups"), *argv,
             f"--wrap={command}"],
            env={**self.acting.lab.environ},
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
        return int(done.stdout)

    @contextmanager
    def running(self, *, hands_on: bool = True, **changes: str) -> Iterator[Office]:
        """Serve by the `.env` until the body ends; `hands_on`: there is a slurmrestd."""
        claimed = claim_ports(3)
        rest_port = claimed.first + 2
        try:
            with (
                relaying() as relay,
                slurmrestd(self.acting.lab, self.directory, rest_port) as address,
            ):
                dotenv = self.write(claimed.first + 1, relay.port, address if hands_on else "")
                program = self.program(claimed.first, dotenv, **changes)
                with program.daemon() as daemon:
                    daemon.hears("READY=1")
                    yield Office(program, daemon, claimed.first + 1, relay=relay)
        finally:
            claimed.claim.close()

    def write(self, port: int, relay: int, address: str) -> Path:
        """Write the file as its admin has it."""
        path = self.acting.place / ".env"
        path.write_text(DOTENV.format(port=port, relay=relay, slurmrestd=address, key=KEY))
        shutil.chown(path, CALLER)
        path.chmod(0o600)
        return path

    def program(self, port: int, dotenv: Path, **changes: str) -> ActingProgram:
        """Return the program; its own address is `port`, the file adds slurm-proxy's."""
        told = {
            "DOTENV_FILE": str(dotenv),
            "GATEWAY_TRUSTED_NETWORKS": LETS_THEM,
            "GATEWAY_TRUSTED_PROXIES": "127.0.0.1",
            "GATEWAY_PROXY_READING": "original",
            "GATEWAY_LOG_LEVEL": "debug",
            "GATEWAY_SMTP_FROM": "slurm@hpc.example.org",
            "GATEWAY_SMTP_SECURITY": "none",
        }
        program = self.acting.program(port, changes={**told, **changes})
        if "GATEWAY_LISTEN" not in changes:
            proxys = f"127.0.0.1:{port + 1}=proxy"
            program.environ["GATEWAY_LISTEN"] = f"127.0.0.1:{port},{proxys}"
        return program


def gateway_command(program: ActingProgram) -> str:
    """Return a shell's function `slurm-gateway` that is this program, as the gateway's user."""
    words = " ".join(f"'{word}'" for word in program.argv())
    settings = " ".join(f"'{name}={value}'" for name, value in program.environ.items())
    paths = ":".join(filter(None, sys.path))
    return f'slurm-gateway() {{ env {settings} PYTHONPATH={paths} {words} "$@"; }}\n'

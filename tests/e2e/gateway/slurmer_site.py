"""Slurmer's set-up as its document has it: a user, a working directory of mode 0700, a file.

What the document does not know of is root's `hand.conf`, which names the jobs' place.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import ActingProgram, ActingSite
from tests.e2e.gateway.gateway import Answer, Gateway, program_for
from tests.fixtures_hand import ANN, CALLER

APP = "a9a5fc66-9bed-4a13-874a-d8d7d1756224"
TOKEN = "averycomplicatedchallenge"
CONFIG = """\
slurmrest:
  url: "http+unix:///default?socket=/tmp/slurmrestd.sock"

slurmer:
  ip: 127.0.0.1
  port: {port}
  connector: slurmcli
  working_dir: {working}
  templates_dir: {etc}/templates
  executor_path: /usr/bin/executor
  poll_interval: 1
  applications:
    - name: app1
      token: averycomplicatedchallenge
      uuid: a9a5fc66-9bed-4a13-874a-d8d7d1756224 # a random app uuid
    - name: app2
      token: zGUrgsfXBdbdVPsDfJUJsLmP7snz0uH7dnl1A4ce1gA=
      uuid: 4ae4ce67-60b0-4c59-a746-6ac81a08eaae
  logs:
    format: json
    stdout: false
    output: {working}/slurmer.log
    level: debug

oidc:
  enabled: false
  issuer: ""
  audience: ""
"""


@dataclass
class SlurmerProgram(ActingProgram):
    """`slurm-gateway -c config.yml`, typed as `slurmer -c config.yml` was.

    `dies`: at which effect, and whether before or after it.
    """

    config: Path = Path("config.yml")
    dies: tuple[str, ...] = ()

    def argv(self, *arguments: str) -> list[str]:
        return super().argv(*self.dies, "-c", str(self.config), *arguments)


@dataclass(frozen=True)
class SlurmerSite:
    acting: ActingSite

    @classmethod
    def make(cls, acting: ActingSite) -> "SlurmerSite":
        site = cls(acting)
        for directory in (site.working, site.etc):
            directory.mkdir()
            shutil.chown(directory, CALLER)
            directory.chmod(0o700)
        acting.hand.write_conf(
            slurm_bin=str(acting.tools),
            roots=f"{acting.hand.directory}/home/{{user}} {site.working}/applications",
        )
        return site

    def close(self) -> None:
        shutil.rmtree(self.working)
        shutil.rmtree(self.etc)

    @property
    def working(self) -> Path:
        return self.acting.hand.directory / "slurmer"

    @property
    def etc(self) -> Path:
        return self.acting.hand.directory / "etc-slurmer"

    @property
    def config(self) -> Path:
        return self.etc / "config.yml"

    def directory(self, job: str, app: str = APP) -> Path:
        return self.working / "applications" / app / "jobs" / job

    def token(self, *more: str) -> str:
        """Make one as its document's user does, with the gateway's own command."""
        done = self.program(0).run("token", "make", "--name", "admin", *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def running(
        self, config: str = CONFIG, dies: tuple[str, ...] = (), **changes: str
    ) -> Iterator["Slurmer"]:
        """Serve by the file until the body ends."""
        claimed = claim_ports(3)
        try:
            program = self.program(claimed.first, config, **changes)
            if dies:
                program = replace(program, module="tests.e2e.gateway.mortal_apps", dies=dies)
            with program.daemon() as daemon:
                is_ready = daemon.is_told("READY=1")
                assert is_ready or dies, daemon.log
                yield Slurmer(program, daemon, claimed.first + 2)
        finally:
            claimed.claim.close()

    def program(self, port: int, config: str = CONFIG, **changes: str) -> SlurmerProgram:
        """Write the file for its owner alone; the gateway's own address is `port`."""
        text = config.format(port=port + 2, working=self.working, etc=self.etc)
        self.config.write_text(text)
        shutil.chown(self.config, CALLER)
        self.config.chmod(0o600)
        acting = {
            "GATEWAY_LISTEN": f"127.0.0.1:{port or 1},127.0.0.1:{port + 2}=slurmer",
            "GATEWAY_EXECUTOR": "sudo",
            "GATEWAY_HAND": str(self.acting.hand.program),
            "GATEWAY_HAND_SOCKET": str(self.acting.hand.socket),
            "GATEWAY_MIN_UID": "100",
            "GATEWAY_AUDIT_LOG": str(self.acting.place / "audit.jsonl"),
        }
        made = program_for(self.acting.lab, self.acting.tools, self.acting.place, port, **acting)
        for name in ("GATEWAY_STATE_DIR", "GATEWAY_JOBS_AGE", "GATEWAY_ANONYMOUS_SCOPES"):
            del made.environ[name]
        return SlurmerProgram(
            made.environ | changes,
            made.directory,
            made.module,
            user=CALLER,
            sudoers=self.acting.hand.sudoers,
            config=self.config,
        )


@dataclass
class Slurmer(Gateway):
    """One that runs, asked as its clients ask it."""

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = ANN,
        token: str = TOKEN,
        **headers: str,
    ) -> Answer:
        """Send a body as JSON; headers are names with _ for -."""
        told = {"X-Auth-Token": token, "User": user, **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(method, path, None if body is None else content, told)

    def new_job(self, *, user: str = ANN, **wanted: object) -> str:
        """Make a job; return where it is."""
        wanted = {"account": "physics", "command": "echo", "args": ["hello"], **wanted}
        answer = self.send("POST", f"/apps/{APP}/jobs", wanted, user=user)
        assert answer.status == 201, (answer.body, answer.headers)
        return f"/apps/{APP}/jobs/{answer.json['id']}"

    def status(self, job: str, **asked: str) -> str:
        found: str = self.send("GET", job, **asked).json["status"]
        return found

"""A cluster whose jobs are watched, a gateway that watches them, and where its letters arrive."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import EVERYTHING_TO_READ, Gateway, program_for
from tests.e2e.program import Program
from tests.places import PROJECT
from tests.unit.gateway.post.sinks import HttpSink, Relay, relaying, serving
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.monitors import StoredMonitors, add_monitor
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.watch.cycle import now_utc
from waldur_slurm.gateway.watch.monitor import Monitor, Stage
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.names import UserName

EPILOG = PROJECT / "systemd-conf" / "gateway" / "slurm-gateway-epilog"
SECRET = "0123456789abcdef" * 4
USER = UserName("wsat-ann")
MONITORS = "/api/v1/monitors"


def epilog(directory: Path) -> Path:
    """Install the epilog, told by a file in this directory."""
    script = directory / "epilog"
    text = EPILOG.read_text().replace("/etc/slurm-gateway/hook.conf", str(directory / "hook.conf"))
    script.write_text(text)
    script.chmod(0o755)
    return script


def tell_epilog(directory: Path, port: int, secret: str = SECRET) -> None:
    (directory / "hook.conf").write_text(f"url=http://127.0.0.1:{port}\nsecret={secret}\n")


@dataclass
class Mortal(Program):
    """A gateway that dies at some effect."""

    module: str = "tests.e2e.gateway.mortal_watch"
    dies: tuple[str, ...] = ()

    def argv(self, *arguments: str) -> list[str]:
        return super().argv(*self.dies, *arguments)


@dataclass
class WatchSite:
    """Where gateways may run one after the other, and remember what an earlier one did."""

    lab: Cluster
    tools: Path
    place: Path
    relay: Relay
    sink: HttpSink
    ways: Mapping[Method, Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        hook = {"url": f"http://127.0.0.1:{self.sink.port}/jobs"}
        self.ways = {Method.EMAIL: {"recipient": "ann@example.org"}, Method.WEBHOOK: hook}

    @contextmanager
    def running(self, dies: tuple[str, ...] = (), **changes: str) -> Iterator["WatchGateway"]:
        """Serve until the body ends, looking each second; `dies` is as `mortal_watch` has it."""
        claimed = claim_ports(2)
        told = {
            "GATEWAY_ANONYMOUS_SCOPES": f"{EVERYTHING_TO_READ},monitor:read,monitor:write",
            "GATEWAY_LOG_LEVEL": "debug",
            "GATEWAY_LOG_FORMAT": "json",
            "GATEWAY_SMTP_FROM": "slurm@example.org",
            "GATEWAY_SMTP_SECURITY": "none",
            "GATEWAY_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "GATEWAY_WEBHOOK_SECRET": "webhook-secret",
            "MONITOR_POLLING_INTERVAL": "1s",
            "SMTP_PORT": str(self.relay.port),
            "SMTP_SERVER": "127.0.0.1",
        }
        try:
            program = program_for(
                self.lab, self.tools, self.place, claimed.first, **{**told, **changes}
            )
            if dies:
                program = Mortal(program.environ, program.directory, dies=dies)
            with program.daemon() as daemon:
                if not dies:
                    daemon.hears("READY=1")
                yield WatchGateway(program, daemon, claimed.first)
        finally:
            claimed.claim.close()

    @contextmanager
    def stored(self) -> Iterator[Database]:
        """Look into the database, beside a gateway or after it."""
        database = Database(self.place / "state" / "gateway.sqlite")
        try:
            yield database
        finally:
            database.close()

    def watch(self, jobs: Mapping[str, JobId]) -> None:
        """Write monitors down, as a gateway does that is asked to."""
        made = [self.monitor(name, job) for name, job in jobs.items()]
        with self.stored() as database:
            database.write(lambda connection: [add_monitor(connection, each) for each in made])

    def monitor(self, monitor_id: str, job: JobId) -> Monitor:
        made = now_utc().replace(microsecond=0)
        return monitor(monitor_id, job, user=USER, made=made, methods=self.ways)

    def stages(self) -> Mapping[Stage, int]:
        with self.stored() as database:
            return StoredMonitors(database).counts()

    def letters(self) -> list[Letter]:
        with self.stored() as database:
            return [*StoredLetters(database).latest(100_000)]

    def submit(self, command: str, *options: str) -> JobId:
        small = ("--mem=10", "--output=/dev/null", "--chdir=/tmp")
        return JobId(self.lab.submit(USER, "physics", command, *small, *options))

    def mails(self, job: JobId) -> list[str]:
        """The subjects of the mails about this job."""
        subjects = [str(message["Subject"]) for message in self.relay.taken]
        return [each for each in subjects if re.match(rf"Slurm job {re.escape(str(job))} ", each)]

    def told(self, job: JobId) -> list[dict[str, Any]]:
        """What the program was told of this job."""
        heard = [json.loads(each.body) for each in [*self.sink.heard]]
        return [each for each in heard if job_id(str(each["job"]["job_id"])) == job]


@dataclass
class WatchGateway(Gateway):
    def watch(self, job: JobId, ways: Mapping[Method, Mapping[str, str]], **more: object) -> str:
        body = {"job_id": str(job), "methods": ways, **more}
        answer = self.ask("POST", MONITORS, json.dumps(body).encode())
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def monitor(self, monitor_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{MONITORS}/{monitor_id}").json
        return found

    def letters_of(self, monitor_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"{MONITORS}/{monitor_id}/notifications").json[
            "letters"
        ]
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the log has of one kind."""
        lines = (json.loads(line) for line in self.daemon.log.splitlines() if line[:1] == "{")
        return [line for line in lines if line.get("event") == name]

    def commands(self, program: str) -> list[str]:
        """Slurm's commands of this name that were run."""
        ran = (str(event["command"]) for event in self.events("slurm.command"))
        return [each for each in ran if Path(each.split()[0]).name == program]


@contextmanager
def watch_site(lab: Cluster, tools: Path, place: Path) -> Iterator[WatchSite]:
    with relaying() as relay, serving() as sink:
        yield WatchSite(lab, tools, place, relay, sink)

"""A site in order with an agent before it, whose parts can be broken one by one.

The agent is told everything by an env file, reaches Waldur by TLS, and asks a systemd that knows
the unit that a test describes.
"""

import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any

from sandbox.slurm import Cluster
from sandbox.waldur import READY, Waldur, beginning
from tests.e2e.lesser_program import LesserProgram
from tests.e2e.program import Program, fast_tools
from tests.fixtures_slurm import open_directory
from tests.places import PROJECT

TRES = (PROJECT / "config-components.yaml").read_text(encoding="utf-8")
UNIT = "waldur-slurm-service-pull"
OPERATOR = "wsat-service"
_RANKS = ("ok", "warning", "unknown", "failed")

Line = Mapping[str, str]


def certificate_in(place: Path) -> Path:
    """A certificate for localhost that nobody trusts yet, with its key."""
    path = place / "waldur.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(path), "-out", str(path)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return path


class Front:
    """A proxy that speaks TLS, as there is one before every Waldur."""

    def __init__(self, waldur: Waldur, certificate: Path) -> None:
        self._waldur = waldur
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.takes_dates_away = False
        Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/api/"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                arrived = self._listener.accept()[0]
                Thread(target=self._carry, args=(arrived,), daemon=True).start()

    def _carry(self, arrived: socket.socket) -> None:
        with (
            suppress(OSError),
            arrived,
            self._context.wrap_socket(arrived, server_side=True) as near,
            socket.create_connection(("127.0.0.1", self._waldur.port)) as far,
        ):
            back = Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(
                    data.replace(b"\r\nDate:", b"\r\nGone:") if self.takes_dates_away else data
                )
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@dataclass
class Scene:
    cluster: Cluster
    waldur: Waldur
    place: Path = field(default_factory=open_directory)
    user: str = ""
    """Who types; nobody's name is root."""
    new_user: str = field(default_factory=lambda: f"wsat-unit-{token_hex(4)}")
    """Nobody, until the advice to make such a user is followed; no other scene's."""

    def __post_init__(self) -> None:
        self.tools = fast_tools(self.place / "tools", self.cluster.environ)
        self.certificate = certificate_in(self.place)
        self.certificate.chmod(0o644)
        self.front = Front(self.waldur, self.certificate)
        self.env_file = self.place / "the agent.env"
        self.tres_file = self.place / "tres.yaml"
        self.bin = self.place / "bin"
        self.bin.mkdir()
        unit = self.place / "unit"
        (self.bin / "systemctl").write_text(f"#!/bin/sh\nexec cat {unit}\n")
        (self.bin / "systemctl").chmod(0o755)
        agent = self.bin / "waldur-slurm-agent"
        agent.write_text(
            f'#!/bin/sh\ncd {PROJECT}\nexec {sys.executable} -m waldur_slurm.main "$@"\n'
        )
        agent.chmod(0o755)
        self.environ = {"PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.conf = Path(self.cluster.environ["SLURM_CONF"]).read_text()

    def restore(self) -> None:
        """Begin again, so that what one test leaves broken is no other's trouble."""
        self.user = ""
        if not self.waldur.is_running:
            self.waldur.restart()
        self.waldur.begin_again(READY)
        self.waldur.change("components", self.component("gpu"), type="gres/gpu")
        self.restore_slurm()
        self.restore_host()
        self.environ["REQUESTS_CA_BUNDLE"] = str(self.certificate)
        self.front.takes_dates_away = False
        self.tres_file.write_text(TRES)
        self.describe_unit()
        self.settings = {
            "WALDUR_API_URL": self.front.url,
            "WALDUR_API_TOKEN": self.waldur.tokens.provider,
            "WALDUR_OFFERING_UUID": self.waldur.offering_uuid,
            "WALDUR_SYNC_DIRECTION": "pull",
            "SLURM_DEPLOYMENT_TYPE": "native",
            "SLURM_BIN_PATH": str(self.tools),
            "SLURM_DEFAULT_ACCOUNT": "waldur",
            "SLURM_REQUIRE_UNIX_USERS": "false",
            "SLURM_TRES_CONFIG_PATH": str(self.tres_file),
            "AGENT_STATE_DIR": str(self.place / "state"),
            "AGENT_AUDIT_LOG": str(self.place / "audit.jsonl"),
        }
        self.right = dict(self.settings)
        self.put()
        self.load()

    def restore_host(self) -> None:
        shutil.rmtree(self.place / "state", ignore_errors=True)
        disk = self.place / "disk"
        if disk.is_mount():
            self.must(f"umount --lazy {disk}")
        if self.type(f"getent passwd {self.new_user}").returncode == 0:
            self.must(f"userdel {self.new_user}")

    def close(self) -> None:
        self.restore_host()
        self.front.close()
        shutil.rmtree(self.place, ignore_errors=True)

    # What the agent is told

    def put(self, **settings: str) -> None:
        """Write the env file; what is empty is not set."""
        self.settings |= settings
        lines = [f"{name}={value}\n" for name, value in self.settings.items() if value]
        self.env_file.write_text("".join(lines))

    def describe_unit(self, **properties: str) -> None:
        """Let systemd know the unit of the env file; without properties there is none."""
        told = {"LoadState": "loaded", "EnvironmentFiles": f"{self.env_file} (ignore_errors=no)"}
        lines = told | properties if properties else {"LoadState": "not-found"}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (self.place / "unit").write_text(text)

    # What a person does

    def agent(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the agent with the env file, as who types."""
        arguments = ("--env-file", str(self.env_file), *arguments)
        environ = self.environ | {"SLURM_CONF": self.cluster.environ["SLURM_CONF"]}
        if self.user:
            return LesserProgram(environ, self.place, user=self.user).run(*arguments)
        return Program(environ, self.place).run(*arguments)

    def lines(self) -> list[Line]:
        done = self.agent("check", "--json")
        assert done.stdout, done.stderr
        found: list[Line] = json.loads(done.stdout)["findings"]
        return found

    def line(self, subject: str, verdict: str, words: str) -> Line:
        return line_of(self.lines(), subject, verdict, words)

    def troubles(self) -> list[Line]:
        return [line for line in self.lines() if line["verdict"] != "ok"]

    def type(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Type a command that was read from advice, where Slurm's tools are those of the site."""
        environ = self.environ | {
            "SLURM_CONF": self.cluster.environ["SLURM_CONF"],
            "PATH": f"{self.tools}:{self.environ['PATH']}",
            "CURL_CA_BUNDLE": str(self.certificate),
        }
        return subprocess.run(
            ["/bin/sh", "-c", command], env=environ, capture_output=True, text=True, timeout=60
        )

    def load(self) -> None:
        """Bring Waldur in step with the TRES file as it is."""
        done = self.agent("--load-components")
        assert done.returncode == 0, done.stderr

    def must(self, command: str) -> None:
        done = self.type(command)
        assert done.returncode == 0, (command, done.stderr)

    def configure(self, values: Mapping[str, str]) -> None:
        """Set lines of slurm.conf, as its administrator would."""
        conf = Path(self.cluster.environ["SLURM_CONF"])
        old = conf.read_text().splitlines()
        kept = [line for line in old if line.partition("=")[0] not in values]
        new = [f"{name}={value}" for name, value in values.items()]
        conf.write_text("\n".join([*kept, *new, ""]))
        self.cluster.restart_daemon("slurmctld")

    def restore_slurm(self) -> None:
        conf = Path(self.cluster.environ["SLURM_CONF"])
        if conf.read_text() != self.conf:
            conf.write_text(self.conf)
            self.cluster.restart_daemon("slurmctld")
        for name, state in self.cluster.states().items():
            if state != "up":
                self.cluster.start_daemon(name)
        if (self.tools / "sacctmgr.real").exists():
            (self.tools / "sacctmgr.real").rename(self.tools / "sacctmgr")

    # What there is in Waldur

    def component(self, kind: str) -> str:
        found = [one["uuid"] for one in self.waldur.components() if one["type"] == kind]
        uuid: str = found[0]
        return uuid

    def allocation(self) -> tuple[str, str]:
        """An allocation that is there, and a member of its team who has no user name."""
        project = self.waldur.make_project(self.waldur.make_customer("Science"), "Physics")
        user = self.waldur.make_user(f"member{len(self.waldur.offering_users())}")
        resource = self.waldur.order_create(project, "x", {"cpu": 1}).resource_uuid
        self.waldur.change("resources", resource, state="OK", backend_id=f"hpc_{resource[:8]}")
        self.waldur.add_member(project, user)
        return resource, user

    def make_owner(self, token: str) -> None:
        """Make whose token it is an owner of the service provider's organization."""
        store = self.waldur.store
        user: Any = store.find("SELECT * FROM users WHERE token = ?", token)
        with store.transaction():
            provider = store.setting("provider")
            beginning.grant(store, user["uuid"], "CUSTOMER.OWNER", "customer", provider)


def named_setting(advice: str) -> str:
    """The variable that the advice says to set."""
    found = re.search(r"\bset ([A-Z_]+) to\b", advice)
    assert found, advice
    return found[1]


def line_of(lines: list[Line], subject: str, verdict: str, words: str) -> Line:
    """Return the one line about the subject that has these words among its advice."""
    found = [line for line in lines if line["subject"].startswith(subject)]
    found = [line for line in found if words in line["advice"]]
    assert [line["verdict"] for line in found] == [verdict], lines
    return found[0]

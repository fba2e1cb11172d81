"""A gateway's site in which all is in order, its check, and what a person does about a line."""

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.program import Program
from tests.e2e.remedy_scene import Line, line_of
from tests.fixtures_hand import ANN, CALLER
from tests.places import PROJECT


@dataclass
class CheckScene:
    """`settings` beside the usual ones; `arguments` of the check that is typed.

    `begun` is what a gateway of such a site remembers first: the first scene keeps it there.
    """

    site: ActingSite
    begun: Path
    way: str = "sudo"
    settings: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--as", ANN)
    is_root: bool = False
    ends: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        claimed = claim_ports(3)
        self.ends.append(claimed.claim.close)
        self.port = claimed.first
        self.conf = Path(self.lab.environ["SLURM_CONF"]).read_text()
        self.begin()

    @property
    def lab(self) -> Cluster:
        return self.site.lab

    @property
    def state(self) -> Path:
        return self.site.place / "state"

    def begin(self) -> None:
        """Have a token made, or remember that one was."""
        if self.begun.exists():
            _copy(self.begun, self.state)
        else:
            self.site.token(ANN, name="trial")
            _copy(self.state, self.begun)

    def close(self) -> None:
        """Put everything right that a test may have left."""
        for end in reversed(self.ends):
            end()
        conf = Path(self.lab.environ["SLURM_CONF"])
        if conf.read_text() != self.conf:
            conf.write_text(self.conf)
            self.lab.restart_daemon("slurmctld")
        for name, daemon in self.lab.states().items():
            if daemon != "up":
                self.lab.start_daemon(name)
        shutil.rmtree(self.state, ignore_errors=True)

    # What a person types

    @property
    def program(self) -> Program:
        program: Program = self.site.program(self.port, self.way)
        program.environ |= self.settings
        if self.is_root:
            return Program(program.environ, program.directory, program.module)
        return program

    def lines(self) -> list[Line]:
        done = self.program.run("check", "--json", *self.arguments)
        assert done.stdout, done.stderr
        said = json.loads(done.stdout)
        assert done.returncode == (0 if said["fit"] else 1)
        found: list[Line] = said["findings"]
        return found

    def line(self, subject: str, verdict: str, words: str) -> Line:
        return line_of(self.lines(), subject, verdict, words)

    def troubles(self) -> list[Line]:
        return [line for line in self.lines() if line["verdict"] != "ok"]

    def must(self, command: str) -> None:
        """Type a command that was read from advice, Slurm's tools being those of the site."""
        path = f"{self.site.tools}:/usr/sbin:/usr/bin:/sbin:/bin"
        environ = {"PATH": path, "SLURM_CONF": self.lab.environ["SLURM_CONF"]}
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=PROJECT,
        )
        assert done.returncode == 0, (command, done.stderr)

    # What is broken, and mended

    def configure(self, **values: str) -> None:
        """Set lines of slurm.conf, as its administrator would."""
        conf = Path(self.lab.environ["SLURM_CONF"])
        kept = [
            line for line in conf.read_text().splitlines() if line.partition("=")[0] not in values
        ]
        new = [f"{name}={value}" for name, value in values.items()]
        conf.write_text("\n".join([*kept, *new, ""]))
        self.lab.restart_daemon("slurmctld")

    def replace_tool(self, name: str, text: str) -> None:
        """Put a script in a tool's place, where `real` is the true one."""
        tool = self.site.tools / name
        true = tool.with_name(f"true-{name}")
        tool.rename(true)
        tool.write_text(f'#!/bin/sh\nreal() {{ "{true}" "$@"; }}\n{text}\n')
        tool.chmod(0o755)
        self.ends.append(lambda: self.restore_tool(name))

    def restore_tool(self, name: str) -> None:
        with suppress(FileNotFoundError):
            (self.site.tools / f"true-{name}").rename(self.site.tools / name)

    def give_back(self, path: Path) -> None:
        shutil.chown(path, CALLER)


def _copy(tree: Path, place: Path) -> None:
    """Whose the files are is kept."""
    subprocess.run(("/bin/cp", "--archive", str(tree), str(place)), check=True)

"""Where everything of one cluster lies: its directory, its sockets, its ports. No I/O but mkdir.

Rule: nothing is written outside the directory, except that sockets move to a short directory when
the path would not fit into a unix socket address.
"""

import hashlib
import json
import re
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from sandbox.slurm.errors import SandboxError
from sandbox.slurm.options import ClusterOptions

# sun_path holds 107 bytes; slurmstepd's sockets add "/spool/n50/n50_1234567890.4294967295".
ROOM_FOR_SOCKETS = 107 - 40

RECORD = "cluster.json"


@dataclass(frozen=True)
class Site:
    """One cluster's places; the same values give the same configuration files."""

    directory: Path
    first_port: int
    options: ClusterOptions

    @cached_property
    def accounting(self) -> "Site":
        """The site that has the slurmdbd: itself, or another one."""
        shared = self.options.accounting_of
        return Site.read(Path(shared)) if shared else self

    @property
    def slurmdbd_port(self) -> int:
        return self.accounting.first_port

    @property
    def slurmctld_port(self) -> int:
        return self.first_port + 1

    @property
    def mariadb_port(self) -> int:
        return self.accounting.first_port + 2

    def slurmd_port(self, node: str) -> int:
        return self.first_port + 9 + int(node.removeprefix("n"))

    @property
    def ports(self) -> tuple[int, ...]:
        own = (self.slurmdbd_port, self.slurmctld_port, self.mariadb_port)
        return own + tuple(self.slurmd_port(node) for node in self.options.node_names)

    @property
    def hostname(self) -> str:
        return socket.gethostname().partition(".")[0]

    @property
    def slurm_conf(self) -> Path:
        return self.directory / "etc" / "slurm.conf"

    @property
    def munge_key(self) -> Path:
        return self.directory / "etc" / "munge.key"

    @property
    def database(self) -> Path:
        return self.directory / "db"

    @property
    def temporary(self) -> Path:
        return self.directory / "tmp"

    @property
    def database_mark(self) -> Path:
        return self.directory / "state" / "database-is-made"

    @property
    def jobs(self) -> Path:
        """Where jobs start and leave their output; every unix user may write here."""
        return self.directory / "jobs"

    @property
    def munge_socket(self) -> Path:
        return short_directory(self.accounting.directory) / "munge.sock"

    @property
    def spool(self) -> Path:
        return short_directory(self.directory) / "spool"

    def library(self, shim: str) -> Path:
        return self.directory / "lib" / f"{shim}.so"

    def log(self, daemon: str) -> Path:
        return self.directory / "log" / f"{daemon}.log"

    def output(self, daemon: str) -> Path:
        """What the daemon wrote to stdout and stderr: all it logs, and how it failed early."""
        return self.directory / "log" / f"{daemon}.out"

    def record(self) -> None:
        """Write down what another process needs to know to talk to this cluster."""
        text = json.dumps({"first_port": self.first_port, "options": self.options.to_json()})
        (self.directory / RECORD).write_text(text + "\n")

    @property
    def ends_at(self) -> datetime:
        """When its lifetime is over, by the machine's own clock, counted from the last start."""
        began = (self.directory / RECORD).stat().st_mtime
        return datetime.fromtimestamp(began, UTC) + self.options.lifetime

    @classmethod
    def read(cls, directory: Path) -> Self:
        file = directory / RECORD
        if not file.is_file():
            raise SandboxError(f"{directory} holds no cluster")
        values = json.loads(file.read_text())
        options = ClusterOptions.from_json(json.dumps(values["options"]))
        return cls(directory, values["first_port"], options)


def short_directory(directory: Path) -> Path:
    """Return where unix sockets of this cluster fit."""
    own = directory / "run"
    if len(str(own)) <= ROOM_FOR_SOCKETS:
        return own
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"wsat-{digest}"


def control_socket(directory: Path) -> Path:
    return short_directory(directory) / "keeper.sock"


def claim_directory(path: Path) -> Path:
    """Make the directory, or make sure that it is a cluster's, and return it resolved."""
    directory = path.resolve()
    if not re.fullmatch(r"[A-Za-z0-9/._+-]+", str(directory)):
        raise SandboxError(f"slurm.conf cannot name {directory}: use letters, digits and /._+-")
    directory.mkdir(parents=True, exist_ok=True)
    strange = [file.name for file in directory.iterdir()]
    if strange and not (directory / "start.lock").exists():
        raise SandboxError(f"{directory} is not empty and holds no cluster: {strange[0]} ...")
    closed = [up for up in (directory, *directory.parents) if not up.stat().st_mode & 0o001]
    if closed:
        raise SandboxError(
            f"other unix users may not enter {closed[-1]}, so they could not run jobs: "
            "choose a directory that everybody may enter, or chmod o+x it"
        )
    return directory


def make_subdirectories(site: Site) -> None:
    for name in ("etc", "run", "log", "state", "dev", "db", "lib", "tmp"):
        (site.directory / name).mkdir(exist_ok=True)
    for name in ("log", "state", "db", "tmp"):
        (site.directory / name).chmod(0o700)
    claim_short_directory(short_directory(site.directory))
    site.spool.mkdir(exist_ok=True)
    for node in site.options.node_names:
        (site.spool / node).mkdir(exist_ok=True)
    site.jobs.mkdir(exist_ok=True)
    site.jobs.chmod(0o1777)


def claim_short_directory(short: Path) -> None:
    """Make it; in a directory where everybody writes, it must be a real one and ours."""
    short.mkdir(exist_ok=True)
    if short.is_symlink() or short.stat().st_uid != Path("/proc/self").stat().st_uid:
        raise SandboxError(f"{short} belongs to somebody else")
    short.chmod(0o755)

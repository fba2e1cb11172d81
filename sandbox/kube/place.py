"""Where everything of one bed lies: its files and its ports. Nothing is written outside."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from sandbox.slurm.errors import SandboxError

RECORD = "bed.json"
PORTS = 4
SERVICES = "10.96.0.0/24"
FIRST_SERVICE = "10.96.0.1"
"""Where the API server is to pods."""


@dataclass(frozen=True, slots=True)
class BedOptions:
    """Without controllers there is nothing but the API server and its store; pods need a node."""

    with_controllers: bool = True
    with_node: bool = False
    lifetime_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Place:
    directory: Path
    first_port: int
    options: BedOptions

    @property
    def etcd_port(self) -> int:
        return self.first_port

    @property
    def peer_port(self) -> int:
        """Where etcd would speak to others of its kind."""
        return self.first_port + 1

    @property
    def api_port(self) -> int:
        return self.first_port + 2

    @property
    def kubelet_port(self) -> int:
        return self.first_port + 3

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def keys(self) -> Path:
        return self.directory / "pki"

    @property
    def control(self) -> Path:
        return self.directory / "keeper.sock"

    @property
    def lock(self) -> Path:
        """Held by a living keeper."""
        return self.directory / "keeper.lock"

    def kubeconfig(self, person: str) -> Path:
        return self.directory / f"{person}.kubeconfig"

    def log(self, daemon: str) -> Path:
        return self.directory / "log" / f"{daemon}.log"

    @property
    def ends_at(self) -> datetime:
        began = (self.directory / RECORD).stat().st_mtime
        return datetime.fromtimestamp(began, UTC) + timedelta(seconds=self.options.lifetime_s)

    def record(self) -> None:
        """Write down what another process needs to find this bed."""
        values = {"first_port": self.first_port, "options": asdict(self.options)}
        (self.directory / RECORD).write_text(json.dumps(values) + "\n")

    @classmethod
    def read(cls, directory: Path) -> Self:
        file = directory / RECORD
        if not file.is_file():
            raise SandboxError(f"{directory} holds no Kubernetes")
        values = json.loads(file.read_text())
        return cls(directory, values["first_port"], BedOptions(**values["options"]))


def claim_directory(path: Path) -> Path:
    """Make the directory, or make sure that it is a bed's, and return it resolved."""
    directory = path.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    strange = [file.name for file in directory.iterdir()]
    if strange and not (directory / "start.lock").exists():
        raise SandboxError(f"{directory} is not empty and holds no Kubernetes: {strange[0]} ...")
    return directory

"""A head node of one's own: systemd as its first process, a real Slurm, a Waldur, and the agent.

A node ends with its test session; one whose starter was killed powers itself off.
"""

import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.docker.command import docker
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.docker.packages import proxies
from tests.e2e.program import eventually
from tests.places import PROJECT

_IMAGE = "waldur-slurm-sandbox-head-node:22.05"
_LIFETIME = "30min"
_SEED = ("systemd-conf", "config-components.yaml", "sandbox")


class HeadNode:
    """A container that answers to systemctl."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def start(cls) -> Self:
        ensure_image(RELEASES["22.05"])
        here = Path(__file__).parent
        docker(
            *("build", f"--tag={_IMAGE}", f"--build-arg=BASE={RELEASES['22.05'].tag}"),
            *("--build-arg=http_proxy", "--build-arg=https_proxy", str(here)),
            timeout=600,
            environ={**proxies(), "DOCKER_BUILDKIT": "0"},
        )
        name = f"wsat-head-{uuid.uuid4().hex[:8]}"
        docker(
            *("run", "--detach", "--rm", "--name", name, "--cap-add=SYS_ADMIN"),
            "--cap-add=SYS_PTRACE",  # systemd's own: ProtectProc= with PrivateUsers= needs it
            *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"),
            *("--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/sys/fs/cgroup:rw", _IMAGE),
        )
        node = cls(name)
        try:
            node._boot()
        except BaseException:
            node.stop()
            raise
        return node

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def bring_wheels(self, wheels: Path) -> None:
        """Let pip find these, and nothing else."""
        self.copy(wheels, "/wheels")
        self.sh(
            "printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' >/etc/pip.conf\n"
            "chmod --recursive a+rX /wheels"
        )

    def stop(self) -> None:
        docker("rm", "--force", "--volumes", self.name, check=False)

    def sh(self, script: str, *, directory: str = "/root", timeout: float = 120.0) -> str:
        """Run lines of shell, each of which has to succeed; return what they said."""
        argv = ("exec", "--workdir", directory, self.name, "sh", "-ec", script)
        return docker(*argv, timeout=timeout).stdout

    def says(self, script: str) -> str:
        """Run a line of shell that may fail, as `systemctl is-active` does."""
        argv = ("exec", self.name, "sh", "-c", script)
        return docker(*argv, check=False).stdout.strip()

    def says_all(self, script: str, *, directory: str, timeout: float = 300.0) -> str:
        """What a terminal shows of a script that may fail."""
        argv = ("exec", "--workdir", directory, self.name, "bash", "-c", script)
        return docker(*argv, timeout=timeout).stdout

    def copy(self, source: Path, target: str) -> None:
        docker("cp", "--quiet", str(source), f"{self.name}:{target}")

    def journal(self, unit: str) -> str:
        return self.sh(f"journalctl --no-pager --output=cat --unit={unit}")

    def _boot(self) -> None:
        up = ("running", "degraded")
        eventually(lambda: self.says("systemctl is-system-running") in up, "systemd is up")
        self.sh(f"systemd-run --on-active={_LIFETIME} systemctl poweroff --force")
        docker("exec", "--detach", self.name, "cluster", "boot")
        self.sh("cluster ready 60")
        self.sh("mkdir /root/waldur-slurm-agent")
        for name in _SEED:
            self.copy(PROJECT / name, f"/root/waldur-slurm-agent/{name}")
